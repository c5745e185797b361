#include "tests/prometheus/query_check.h"

#include <algorithm>
#include <variant>

#include "firmware/metrics/metrics_doc.h"
#include "storage/promql/parser.h"

namespace hearth::metrics {
namespace {

void Collect(const promql::ExprPtr& expr, std::vector<const promql::Selector*>& found);

// One overload for each node that holds others.
struct Collector {
  std::vector<const promql::Selector*>& found;

  void operator()(const promql::NumberLiteral&) const {}
  void operator()(const promql::StringLiteral&) const {}
  void operator()(const promql::Selector& node) const { found.push_back(&node); }
  void operator()(const promql::Subquery& node) const { Collect(node.expr, found); }
  void operator()(const promql::Call& node) const {
    for (const auto& argument : node.args) Collect(argument, found);
  }
  void operator()(const promql::Aggregate& node) const {
    Collect(node.expr, found);
    Collect(node.parameter, found);
  }
  void operator()(const promql::Binary& node) const {
    Collect(node.lhs, found);
    Collect(node.rhs, found);
  }
  void operator()(const promql::Unary& node) const { Collect(node.expr, found); }
  void operator()(const promql::Paren& node) const { Collect(node.expr, found); }
};

void Collect(const promql::ExprPtr& expr, std::vector<const promql::Selector*>& found) {
  if (expr != nullptr) std::visit(Collector{found}, expr->node);
}

template <typename Names>
bool Has(const Names& names, std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

// "a|b" is two values to look for; another regular expression is one.
std::vector<std::string> Alternatives(const std::string& pattern) {
  std::vector<std::string> parts = {""};
  for (const char c : pattern) {
    if (c == '|') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return pattern.find_first_of("([") == std::string::npos ? parts : std::vector{pattern};
}

bool MatchesOneOf(const std::string& pattern, std::span<const std::string_view> values) {
  const auto matcher = promql::Matcher::Make("", promql::Matcher::Op::kRegex, pattern);
  return matcher.ok() && std::any_of(values.begin(), values.end(), [&](std::string_view value) {
    return matcher.value().Matches(std::string(value));
  });
}

}  // namespace

QueryCheck::QueryCheck(std::set<std::string> recorded, std::set<std::string> outside)
    : recorded_(std::move(recorded)), outside_(std::move(outside)) {
  for (const NameView& view : NameViews()) {
    for (const std::string_view suffix : SeriesSuffixes(view.kind())) {
      views_[view.SeriesName(suffix).value()] = &view;
    }
  }
}

std::vector<std::string> QueryCheck::Findings(std::string_view query) const {
  const auto expr = promql::Parse(query);
  if (!expr.ok()) return {expr.status().message()};
  std::vector<const promql::Selector*> selectors;
  Collect(expr.value(), selectors);
  std::vector<std::string> findings;
  for (const promql::Selector* selector : selectors) {
    const auto more = SelectorFindings(*selector);
    findings.insert(findings.end(), more.begin(), more.end());
  }
  return findings;
}

std::vector<std::string> QueryCheck::SelectorFindings(const promql::Selector& selector) const {
  if (recorded_.contains(selector.name) || outside_.contains(selector.name)) return {};
  const auto it = views_.find(selector.name);
  if (it == views_.end()) return {"there is no series '" + selector.name + "'"};
  std::vector<std::string> findings;
  for (const promql::Matcher& matcher : selector.matchers) {
    const auto more = MatcherFindings(*it->second, matcher);
    findings.insert(findings.end(), more.begin(), more.end());
  }
  return findings;
}

std::vector<std::string> QueryCheck::MatcherFindings(const NameView& view,
                                                     const promql::Matcher& matcher) const {
  if (matcher.name == "__name__" || outside_.contains(matcher.name)) return {};
  if (view.labels != nullptr && Has(view.labels->touched, matcher.name)) return {};
  const MetricDef& def = DefOf(view.id);
  if (matcher.name == "le" && def.kind == Kind::kHistogram) return {};
  if (!Has(def.labels, matcher.name)) {
    return {"'" + view.name + "' has no label '" + matcher.name + "'"};
  }
  const auto values = KnownLabelValues(def, matcher.name);
  if (values.empty()) return {};
  const bool is_regex = matcher.op == promql::Matcher::Op::kRegex ||
                        matcher.op == promql::Matcher::Op::kNotRegex;
  std::vector<std::string> findings;
  for (const std::string& wanted : is_regex ? Alternatives(matcher.value) : std::vector{matcher.value}) {
    if (is_regex ? MatchesOneOf(wanted, values) : Has(values, wanted)) continue;
    findings.push_back("label '" + matcher.name + "' of '" + view.name + "' is never '" + wanted + "'");
  }
  return findings;
}

}  // namespace hearth::metrics
