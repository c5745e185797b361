#include "storage/promql/series_source.h"

#include <re2/re2.h>

#include <algorithm>
#include <functional>

namespace hearth::promql {

namespace {

const std::string kEmpty;

bool NameLess(const Labels::Pair& pair, const std::string& name) { return pair.first < name; }

// Go's regexp words the same mistakes differently from the C++ library, and Prometheus's users know
// Go's words.
std::string GoRegexError(const RE2& regex) {
  std::string what;
  switch (regex.error_code()) {
    case RE2::ErrorBadEscape: what = "invalid escape sequence"; break;
    case RE2::ErrorBadCharClass: what = "invalid character class"; break;
    case RE2::ErrorBadCharRange: what = "invalid character class range"; break;
    case RE2::ErrorMissingBracket: what = "missing closing ]"; break;
    case RE2::ErrorMissingParen: what = "missing closing )"; break;
    case RE2::ErrorUnexpectedParen: what = "unexpected )"; break;
    case RE2::ErrorTrailingBackslash: what = "trailing backslash at end of expression"; break;
    case RE2::ErrorRepeatArgument: what = "missing argument to repetition operator"; break;
    case RE2::ErrorRepeatSize: what = "invalid repeat count"; break;
    case RE2::ErrorRepeatOp: what = "invalid nested repetition operator"; break;
    case RE2::ErrorBadPerlOp: what = "invalid or unsupported Perl syntax"; break;
    case RE2::ErrorBadUTF8: what = "invalid UTF-8"; break;
    case RE2::ErrorBadNamedCapture: what = "invalid named capture"; break;
    default: return "error parsing regexp: " + regex.error();
  }
  return "error parsing regexp: " + what + ": `" + regex.error_arg() + "`";
}

}  // namespace

Labels::Labels(std::vector<Pair> pairs) : pairs_(std::move(pairs)) {
  std::erase_if(pairs_, [](const Pair& pair) { return pair.second.empty(); });
  std::sort(pairs_.begin(), pairs_.end());
  // The last of several pairs with one name wins, as in a map.
  for (size_t i = 0; i + 1 < pairs_.size();) {
    if (pairs_[i].first == pairs_[i + 1].first) {
      pairs_.erase(pairs_.begin() + static_cast<std::ptrdiff_t>(i));
    } else {
      ++i;
    }
  }
}

const std::string& Labels::Get(const std::string& name) const {
  const auto it = std::lower_bound(pairs_.begin(), pairs_.end(), name, NameLess);
  return it != pairs_.end() && it->first == name ? it->second : kEmpty;
}

void Labels::Set(const std::string& name, const std::string& value) {
  const auto it = std::lower_bound(pairs_.begin(), pairs_.end(), name, NameLess);
  const bool present = it != pairs_.end() && it->first == name;
  if (value.empty()) {
    if (present) pairs_.erase(it);
  } else if (present) {
    it->second = value;
  } else {
    pairs_.emplace(it, name, value);
  }
}

size_t LabelsHash::operator()(const Labels& labels) const {
  constexpr size_t kSpread = 0x9E3779B97F4A7C15;  // 2^64 over the golden ratio
  const std::hash<std::string> hash;
  size_t result = 0;
  for (const Labels::Pair& pair : labels.pairs()) {
    result = (result ^ hash(pair.first)) * kSpread;
    result = ((result >> 32) ^ result ^ hash(pair.second)) * kSpread;
  }
  return result;
}

Result<Matcher> Matcher::Make(std::string name, Op op, std::string value) {
  Matcher matcher;
  matcher.name = std::move(name);
  matcher.op = op;
  matcher.value = std::move(value);
  if (op == Op::kRegex || op == Op::kNotRegex) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_dot_nl(true);
    auto regex = std::make_shared<const RE2>(matcher.value, options);
    if (!regex->ok()) return InvalidArgument(GoRegexError(*regex));
    matcher.compiled_ = std::move(regex);
  }
  return matcher;
}

bool Matcher::Matches(const std::string& label_value) const {
  switch (op) {
    case Op::kEqual: return label_value == value;
    case Op::kNotEqual: return label_value != value;
    case Op::kRegex:
      return RE2::FullMatch(label_value, *static_cast<const RE2*>(compiled_.get()));
    case Op::kNotRegex:
      return !RE2::FullMatch(label_value, *static_cast<const RE2*>(compiled_.get()));
  }
  return false;
}

}  // namespace hearth::promql
