#include "storage/promql/block_functions.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>
#include <optional>
#include <set>

#include "storage/promql/float_format.h"
#include "storage/promql/lexer.h"
#include "storage/promql/quantile.h"
#include "storage/promql/range_functions.h"

namespace hearth::promql {

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Result<Block> EvalArg(const CallContext& context, size_t index) {
  return context.evaluation.Eval(*context.call.args[index], context.steps);
}

Result<std::vector<double>> ScalarArg(const CallContext& context, size_t index) {
  return context.evaluation.EvalScalar(*context.call.args[index], context.steps);
}

const std::string& StringArg(const CallContext& context, size_t index) {
  return std::get<StringLiteral>(WithoutParens(*context.call.args[index]).node).value;
}

Block OneColumn(const CallContext& context, double value) {
  return {Column{{}, std::vector<double>(context.steps.count, value)}};
}

// Replaces every present value by what `change` makes of it and its step; drops the metric name.
template <typename Change>
Result<Block> ChangeValues(Block block, Change change) {
  for (Column& column : block) {
    for (size_t step = 0; step < column.values.size(); ++step) {
      double& value = column.values[step];
      if (!IsAbsent(value)) value = change(value, step);
    }
    column.labels.Set(kNameLabel, "");
  }
  return JoinSameLabels(std::move(block));
}

// Go's math.Min and math.Max: NaN when either is.
double Smaller(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? kNaN : std::min(a, b);
}
double Larger(double a, double b) { return std::isnan(a) || std::isnan(b) ? kNaN : std::max(a, b); }

// The labels that an absent selector's equality matchers name; one named twice is left out.
Labels LabelsOfAbsent(const Expr& expr) {
  Labels labels;
  const auto* selector = std::get_if<Selector>(&WithoutParens(expr).node);
  if (selector == nullptr) return labels;
  std::set<std::string> seen;
  for (const Matcher& matcher : selector->matchers) {
    if (matcher.name == kNameLabel) continue;
    if (matcher.op == Matcher::Op::kEqual && seen.insert(matcher.name).second) {
      labels.Set(matcher.name, matcher.value);
    } else {
      labels.Set(matcher.name, "");
    }
  }
  return labels;
}

// One column with 1 at the steps where no column of `block` has a sample.
Block Complement(const CallContext& context, const Block& block) {
  Block result = OneColumn(context, 1);
  result.front().labels = LabelsOfAbsent(*context.call.args.front());
  for (const Column& column : block) {
    for (size_t step = 0; step < column.values.size(); ++step) {
      if (!IsAbsent(column.values[step])) result.front().values[step] = kAbsent;
    }
  }
  return result;
}

Result<Block> SortBy(const CallContext& context, bool descending) {
  HEARTH_ASSIGN_OR_RETURN(Block block, EvalArg(context, 0));
  // A range answer is ordered by labels whatever a step's order was.
  if (context.steps.count > 1) return block;
  std::stable_sort(block.begin(), block.end(), [&](const Column& left, const Column& right) {
    const double a = left.values.front();
    const double b = right.values.front();
    if (std::isnan(a) || std::isnan(b)) return !std::isnan(a) && std::isnan(b);
    return descending ? a > b : a < b;
  });
  return block;
}

bool IsNameCharacter(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

// Go's Regexp.Expand: $1, ${1}, $name, ${name}, $$; what names no group is empty.
std::string Expand(const std::string& pattern, const RE2& regex,
                   const std::vector<re2::StringPiece>& groups) {
  const auto& names = regex.NamedCapturingGroups();
  std::string out;
  for (size_t at = 0; at < pattern.size();) {
    if (pattern[at] != '$') {
      out += pattern[at++];
      continue;
    }
    if (at + 1 < pattern.size() && pattern[at + 1] == '$') {
      out += '$';
      at += 2;
      continue;
    }
    const bool braced = at + 1 < pattern.size() && pattern[at + 1] == '{';
    const size_t begin = at + (braced ? 2 : 1);
    size_t end = begin;
    while (end < pattern.size() && IsNameCharacter(pattern[end])) ++end;
    if (end == begin || (braced && (end == pattern.size() || pattern[end] != '}'))) {
      out += pattern[at++];  // no reference: the dollar stands for itself
      continue;
    }
    const std::string name = pattern.substr(begin, end - begin);
    size_t index = groups.size();
    if (name.find_first_not_of("0123456789") == std::string::npos) {
      if (name.size() < 6) index = std::stoul(name);
    } else if (const auto named = names.find(name); named != names.end()) {
      index = static_cast<size_t>(named->second);
    }
    if (index < groups.size()) out.append(groups[index].data(), groups[index].size());
    at = end + (braced ? 1 : 0);
  }
  return out;
}

bool IsUtf8(std::string_view text) {
  // RE2 reads its patterns as UTF-8 and checks them.
  RE2::Options options;
  options.set_log_errors(false);
  options.set_literal(true);
  return RE2(re2::StringPiece(text.data(), text.size()), options).ok();
}

std::optional<double> ParseBound(const std::string& text) {
  if (text == "+Inf" || text == "Inf") return std::numeric_limits<double>::infinity();
  double bound = 0;
  const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), bound);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return bound;
}

struct Histogram {
  Labels labels;
  std::vector<std::pair<double, size_t>> buckets;  // bound and column
  std::string metric;
};

std::vector<Histogram> GroupBuckets(const CallContext& context, const Block& block) {
  std::vector<Histogram> histograms;
  std::map<Labels, size_t> places;
  for (size_t i = 0; i < block.size(); ++i) {
    const std::string& le = block[i].labels.Get("le");
    const std::string& metric = block[i].labels.Get(kNameLabel);
    const std::optional<double> bound = ParseBound(le);
    if (!bound) {
      context.evaluation.Warn("bucket label \"le\" is missing or has a malformed value of " +
                                  Quote(le) +
                                  (metric.empty() ? "" : " for metric name " + Quote(metric)),
                              *context.call.args[1]);
      continue;
    }
    Labels labels = block[i].labels;
    labels.Set("le", "");
    labels.Set(kNameLabel, "");
    const auto [place, is_new] = places.try_emplace(labels, histograms.size());
    if (is_new) histograms.push_back({std::move(labels), {}, metric});
    histograms[place->second].buckets.emplace_back(*bound, i);
  }
  return histograms;
}

using DateFields = std::chrono::year_month_day;

// The calendar repeats itself, weekdays included, after this many years.
constexpr int64_t kCycleYears = 400;
constexpr int64_t kCycleSeconds = int64_t{146'097} * 86'400;

// Seconds since 1970 as far as an int64_t goes, which is farther than std::chrono's years.
struct Moment {
  std::chrono::sys_days day;  // of 1970 to 2369, as many cycles away as `cycles` says
  int64_t second = 0;         // of the day
  int64_t cycles = 0;
};

Moment MomentOf(int64_t seconds) {
  const int64_t rest = (seconds % kCycleSeconds + kCycleSeconds) % kCycleSeconds;
  const std::chrono::sys_seconds time{std::chrono::seconds(rest)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  return {day, (time - day).count(), (seconds - rest) / kCycleSeconds};
}

// Applies `part` to the Moment of each value, in UTC.
template <typename Part>
Result<Block> DatePart(const CallContext& context, Part part) {
  Block block;
  if (context.call.args.empty()) {
    block = OneColumn(context, 0);
    for (size_t step = 0; step < context.steps.count; ++step) {
      block.front().values[step] = static_cast<double>(context.steps.At(step)) / 1000;
    }
  } else {
    HEARTH_ASSIGN_OR_RETURN(block, EvalArg(context, 0));
  }
  return ChangeValues(std::move(block), [&](double value, size_t) {
    if (!(std::abs(value) < 9.2e18)) return kNaN;
    return static_cast<double>(part(MomentOf(static_cast<int64_t>(value))));
  });
}

}  // namespace

Result<Block> Absent(const CallContext& context) {
  HEARTH_ASSIGN_OR_RETURN(Block block, EvalArg(context, 0));
  return Complement(context, block);
}

Result<Block> AbsentOverTime(const CallContext& context) {
  HEARTH_ASSIGN_OR_RETURN(Block block, ApplyRangeFunction(context, PresentOverTime, true));
  return Complement(context, block);
}

Result<Block> Clamp(const CallContext& context) {
  HEARTH_ASSIGN_OR_RETURN(Block block, EvalArg(context, 0));
  HEARTH_ASSIGN_OR_RETURN(const std::vector<double> low, ScalarArg(context, 1));
  HEARTH_ASSIGN_OR_RETURN(const std::vector<double> high, ScalarArg(context, 2));
  return ChangeValues(std::move(block), [&](double value, size_t step) {
    if (high[step] < low[step]) return kAbsent;
    return Larger(low[step], Smaller(high[step], value));
  });
}

Result<Block> ClampMax(const CallContext& context) {
  HEARTH_ASSIGN_OR_RETURN(Block block, EvalArg(context, 0));
  HEARTH_ASSIGN_OR_RETURN(const std::vector<double> high, ScalarArg(context, 1));
  return ChangeValues(std::move(block),
                      [&](double value, size_t step) { return Smaller(high[step], value); });
}

Result<Block> ClampMin(const CallContext& context) {
  HEARTH_ASSIGN_OR_RETURN(Block block, EvalArg(context, 0));
  HEARTH_ASSIGN_OR_RETURN(const std::vector<double> low, ScalarArg(context, 1));
  return ChangeValues(std::move(block),
                      [&](double value, size_t step) { return Larger(low[step], value); });
}

Result<Block> HistogramQuantile(const CallContext& context) {
  HEARTH_ASSIGN_OR_RETURN(const std::vector<double> quantiles, ScalarArg(context, 0));
  HEARTH_ASSIGN_OR_RETURN(const Block block, EvalArg(context, 1));
  for (const double quantile : quantiles) {
    if (quantile >= 0 && quantile <= 1) continue;
    context.evaluation.Warn("quantile value should be between 0 and 1, got " + FloatText(quantile),
                            *context.call.args[0]);
  }
  Block result;
  std::vector<Bucket> buckets;
  for (Histogram& histogram : GroupBuckets(context, block)) {
    HEARTH_RETURN_IF_ERROR(
        context.evaluation.Work(histogram.buckets.size() * context.steps.count));
    std::stable_sort(histogram.buckets.begin(), histogram.buckets.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    Column column{std::move(histogram.labels), std::vector<double>(context.steps.count, kAbsent)};
    for (size_t step = 0; step < context.steps.count; ++step) {
      buckets.clear();
      for (const auto& [bound, index] : histogram.buckets) {
        const double count = block[index].values[step];
        if (!IsAbsent(count)) buckets.push_back({bound, count});
      }
      if (buckets.empty()) continue;
      bool forced = false;
      column.values[step] = BucketQuantile(quantiles[step], buckets, &forced);
      if (!forced) continue;
      context.evaluation.Inform(
          "input to histogram_quantile needed to be fixed for monotonicity (see "
          "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)" +
              (histogram.metric.empty() ? "" : " for metric name " + Quote(histogram.metric)),
          *context.call.args[1]);
    }
    result.push_back(std::move(column));
  }
  return result;
}

Result<Block> LabelJoin(const CallContext& context) {
  HEARTH_ASSIGN_OR_RETURN(Block block, EvalArg(context, 0));
  const std::string& destination = StringArg(context, 1);
  const std::string& separator = StringArg(context, 2);
  if (destination.empty() || !IsUtf8(destination)) {
    return ExecutionError("invalid destination label name in label_join(): " + destination);
  }
  for (Column& column : block) {
    std::string joined;
    for (size_t i = 3; i < context.call.args.size(); ++i) {
      if (i > 3) joined += separator;
      joined += column.labels.Get(StringArg(context, i));
    }
    column.labels.Set(destination, joined);
  }
  return JoinSameLabels(std::move(block));
}

Result<Block> LabelReplace(const CallContext& context) {
  HEARTH_ASSIGN_OR_RETURN(Block block, EvalArg(context, 0));
  const std::string& destination = StringArg(context, 1);
  const std::string& replacement = StringArg(context, 2);
  const std::string& source = StringArg(context, 3);
  const std::string& pattern = StringArg(context, 4);
  RE2::Options options;
  options.set_log_errors(false);
  options.set_dot_nl(true);
  const RE2 regex(pattern, options);
  if (!regex.ok())
    return ExecutionError("invalid regular expression in label_replace(): " + pattern);
  if (destination.empty() || !IsUtf8(destination)) {
    return ExecutionError("invalid destination label name in label_replace(): " + destination);
  }
  std::vector<re2::StringPiece> groups(static_cast<size_t>(regex.NumberOfCapturingGroups()) + 1);
  for (Column& column : block) {
    const std::string value = column.labels.Get(source);
    if (!regex.Match(value, 0, value.size(), RE2::ANCHOR_BOTH, groups.data(),
                     static_cast<int>(groups.size()))) {
      continue;
    }
    column.labels.Set(destination, Expand(replacement, regex, groups));
  }
  return JoinSameLabels(std::move(block));
}

Result<Block> Pi(const CallContext& context) { return OneColumn(context, std::numbers::pi); }

Result<Block> QuantileOverTimeChecked(const CallContext& context) {
  HEARTH_ASSIGN_OR_RETURN(const std::vector<double> quantiles, ScalarArg(context, 0));
  HEARTH_ASSIGN_OR_RETURN(Block block, ApplyRangeFunction(context, QuantileOverTime, false));
  for (const double quantile : quantiles) {
    if (block.empty() || (quantile >= 0 && quantile <= 1)) continue;
    context.evaluation.Warn("quantile value should be between 0 and 1, got " + FloatText(quantile),
                            *context.call.args[0]);
  }
  return block;
}

Result<Block> Round(const CallContext& context) {
  HEARTH_ASSIGN_OR_RETURN(Block block, EvalArg(context, 0));
  std::vector<double> nearest(context.steps.count, 1);
  if (context.call.args.size() > 1) {
    HEARTH_ASSIGN_OR_RETURN(nearest, ScalarArg(context, 1));
  }
  return ChangeValues(std::move(block), [&](double value, size_t step) {
    const double inverse = 1 / nearest[step];
    return std::floor(value * inverse + 0.5) / inverse;
  });
}

Result<Block> ScalarOf(const CallContext& context) {
  HEARTH_ASSIGN_OR_RETURN(const Block block, EvalArg(context, 0));
  Block result = OneColumn(context, kNaN);
  for (size_t step = 0; step < context.steps.count; ++step) {
    size_t present = 0;
    for (const Column& column : block) {
      if (IsAbsent(column.values[step])) continue;
      ++present;
      result.front().values[step] = column.values[step];
    }
    if (present != 1) result.front().values[step] = kNaN;
  }
  return result;
}

Result<Block> Sort(const CallContext& context) { return SortBy(context, false); }
Result<Block> SortDescending(const CallContext& context) { return SortBy(context, true); }

Result<Block> Time(const CallContext& context) {
  Block result = OneColumn(context, 0);
  for (size_t step = 0; step < context.steps.count; ++step) {
    result.front().values[step] = static_cast<double>(context.steps.At(step)) / 1000;
  }
  return result;
}

Result<Block> Timestamp(const CallContext& context) {
  const Expr& argument = WithoutParens(*context.call.args.front());
  if (const auto* selector = std::get_if<Selector>(&argument.node)) {
    HEARTH_ASSIGN_OR_RETURN(Block block,
                            context.evaluation.EvalSelector(*selector, context.steps, true));
    return ChangeValues(std::move(block), [](double value, size_t) { return value; });
  }
  // Any other vector's samples carry the time of their step.
  HEARTH_ASSIGN_OR_RETURN(Block block, EvalArg(context, 0));
  return ChangeValues(std::move(block), [&](double, size_t step) {
    return static_cast<double>(context.steps.At(step)) / 1000;
  });
}

Result<Block> VectorOf(const CallContext& context) { return EvalArg(context, 0); }

Result<Block> DayOfMonth(const CallContext& context) {
  return DatePart(context, [](const Moment& moment) {
    return static_cast<unsigned>(DateFields(moment.day).day());
  });
}

Result<Block> DayOfWeek(const CallContext& context) {
  return DatePart(context, [](const Moment& moment) {
    return std::chrono::weekday(moment.day).c_encoding();
  });
}

Result<Block> DayOfYear(const CallContext& context) {
  return DatePart(context, [](const Moment& moment) {
    const DateFields date(moment.day);
    const auto new_year = std::chrono::sys_days(date.year() / std::chrono::January / 1);
    return (moment.day - new_year).count() + 1;
  });
}

Result<Block> DaysInMonth(const CallContext& context) {
  return DatePart(context, [](const Moment& moment) {
    const DateFields date(moment.day);
    return static_cast<unsigned>((date.year() / date.month() / std::chrono::last).day());
  });
}

Result<Block> Hour(const CallContext& context) {
  return DatePart(context, [](const Moment& moment) { return moment.second / 3600; });
}

Result<Block> Minute(const CallContext& context) {
  return DatePart(context, [](const Moment& moment) { return moment.second / 60 % 60; });
}

Result<Block> Month(const CallContext& context) {
  return DatePart(context, [](const Moment& moment) {
    return static_cast<unsigned>(DateFields(moment.day).month());
  });
}

Result<Block> Year(const CallContext& context) {
  return DatePart(context, [](const Moment& moment) {
    return static_cast<int>(DateFields(moment.day).year()) + kCycleYears * moment.cycles;
  });
}

}  // namespace hearth::promql
