#include "firmware/http/negotiation.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "firmware/http/url.h"

namespace hearth::http {

namespace {

// Cuts the text before the first `separator` outside of quotes off `rest`.
std::string_view NextElement(std::string_view& rest, char separator) {
  bool quoted = false;
  size_t end = 0;
  for (; end < rest.size() && (quoted || rest[end] != separator); ++end) {
    if (rest[end] == '"') quoted = !quoted;
    if (rest[end] == '\\' && quoted) ++end;
  }
  end = std::min(end, rest.size());
  const std::string_view element = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return Trim(element);
}

// An element of a weighted list: "text/plain;version=0.0.4;q=0.5", "gzip;q=0".
struct Weighted {
  std::string_view value;
  std::vector<std::pair<std::string_view, std::string_view>> parameters;  // without q
  int weight = 1000;                                                      // thousandths
};

// "0", "0.25", "1.000": the grammar has at most three decimals.
std::optional<int> ParseWeight(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text.size() > 1 && text[1] != '.')) return std::nullopt;
  double weight = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), weight,
                                            std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (weight < 0 || weight > 1) return std::nullopt;
  return static_cast<int>(weight * 1000 + 0.5);
}

std::optional<Weighted> ParseWeighted(std::string_view text) {
  Weighted parsed;
  parsed.value = NextElement(text, ';');
  if (parsed.value.empty()) return std::nullopt;
  while (!text.empty()) {
    std::string_view value = NextElement(text, ';');
    if (value.empty()) continue;
    const std::string_view name = NextElement(value, '=');
    if (EqualsIgnoringCase(name, "q")) {
      const auto weight = ParseWeight(value);
      if (!weight) return std::nullopt;
      parsed.weight = *weight;
      return parsed;  // what follows belonged to the header, not to the type, in RFC 7231
    }
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    parsed.parameters.emplace_back(name, value);
  }
  return parsed;
}

std::vector<Weighted> ParseList(std::string_view header) {
  std::vector<Weighted> elements;
  while (!header.empty()) {
    if (auto element = ParseWeighted(NextElement(header, ','))) {
      elements.push_back(*std::move(element));
    }
  }
  return elements;
}

// How specific `range` is about the offer: */* 0, type/* 1, type/subtype 2, and one more for each
// parameter. Nothing when it does not mean the offer.
std::optional<size_t> Specificity(const Weighted& range, const Weighted& offer) {
  if (range.value == "*/*") return 0;
  const std::string_view offered_type = offer.value.substr(0, offer.value.find('/'));
  if (range.value.ends_with("/*")) {
    const std::string_view type = range.value.substr(0, range.value.size() - 2);
    return EqualsIgnoringCase(type, offered_type) ? std::optional<size_t>(1) : std::nullopt;
  }
  if (!EqualsIgnoringCase(range.value, offer.value)) return std::nullopt;
  for (const auto& [name, value] : range.parameters) {
    const bool has_it = std::any_of(
        offer.parameters.begin(), offer.parameters.end(), [&](const auto& parameter) {
          return EqualsIgnoringCase(parameter.first, name) &&
                 EqualsIgnoringCase(parameter.second, value);
        });
    if (!has_it) return std::nullopt;
  }
  return 2 + range.parameters.size();
}

// The weight of `coding` alone, of "*" when it is not named; nothing when neither is.
std::optional<int> WeightOf(const std::vector<Weighted>& codings, std::string_view coding) {
  std::optional<int> any;
  for (const Weighted& element : codings) {
    if (EqualsIgnoringCase(element.value, coding)) return element.weight;
    if (element.value == "*") any = element.weight;
  }
  return any;
}

}  // namespace

std::optional<size_t> ChooseMediaType(std::string_view accept,
                                      std::span<const std::string_view> offers) {
  if (offers.empty()) return std::nullopt;
  if (Trim(accept).empty()) return 0;
  const std::vector<Weighted> ranges = ParseList(accept);
  std::optional<size_t> best;
  std::pair<int, size_t> best_rank;  // weight, specificity
  for (size_t i = 0; i < offers.size(); ++i) {
    const auto offer = ParseWeighted(offers[i]);
    if (!offer) continue;
    std::optional<size_t> closest;
    int weight = 0;
    for (const Weighted& range : ranges) {
      const auto specificity = Specificity(range, *offer);
      if (!specificity || (closest && *specificity <= *closest)) continue;
      closest = specificity;
      weight = range.weight;
    }
    if (!closest || weight == 0) continue;
    const std::pair rank(weight, *closest);
    if (best && rank <= best_rank) continue;
    best = i;
    best_rank = rank;
  }
  return best;
}

bool AcceptsGzip(std::string_view accept_encoding) {
  const std::vector<Weighted> codings = ParseList(accept_encoding);
  const int gzip = WeightOf(codings, "gzip").value_or(0);
  // Identity is acceptable without being named, but then nothing says that it is preferred.
  const auto identity = std::find_if(codings.begin(), codings.end(), [](const Weighted& element) {
    return EqualsIgnoringCase(element.value, "identity");
  });
  return gzip > 0 && (identity == codings.end() || identity->weight <= gzip);
}

}  // namespace hearth::http
