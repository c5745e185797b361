#include "storage/rules/evaluator.h"

#include <algorithm>

#include "storage/promql/evaluator.h"

namespace hearth::rules {

namespace {

// A resolved alert is remembered for so long, as Prometheus does.
constexpr int64_t kResolvedKeptMs = 15 * 60 * 1000;
// Since-times older than that are not restored: too much may have happened.
constexpr int64_t kOutageMaxMs = 60 * 60 * 1000;

constexpr char kName[] = "__name__";
constexpr char kAlerts[] = "ALERTS";
constexpr char kAlertsForState[] = "ALERTS_FOR_STATE";

// A template that fails says so in its place; the alert is more important than its words.
std::string Expanded(const Template& text, const TemplateData& data) {
  const Result<std::string> expanded = text.Expand(data);
  if (expanded.ok()) return *expanded;
  return "<error expanding template: " + expanded.status().message() + ">";
}

bool IsKept(const Alert& alert, int64_t time_ms) {
  return alert.state != AlertState::kInactive ||
         (alert.resolved_at_ms != 0 && time_ms - alert.resolved_at_ms <= kResolvedKeptMs);
}

}  // namespace

std::string_view AlertStateName(AlertState state) {
  switch (state) {
    case AlertState::kInactive: return "inactive";
    case AlertState::kPending: return "pending";
    case AlertState::kFiring: return "firing";
  }
  return "";
}

struct GroupEvaluator::Run {
  const promql::SeriesSource& source;
  SampleSink& sink;
  int64_t time_ms;
  std::map<promql::Labels, double> made;  // what the rule gives this time
  std::vector<AlertChange>& changes;
};

GroupEvaluator::GroupEvaluator(const RuleGroup* group, EvaluatorOptions options,
                               const Clock* clock)
    : group_(group), options_(std::move(options)), clock_(clock), states_(group->rules.size()) {
  report_.group = group;
  for (const Rule& rule : group->rules) report_.rules.emplace_back().rule = &rule;
}

GroupStatus GroupEvaluator::status() const {
  std::lock_guard lock(mutex_);
  return report_;
}

std::vector<AlertChange> GroupEvaluator::Evaluate(const promql::SeriesSource& source,
                                                  SampleSink& sink, int64_t time_ms) {
  std::vector<AlertChange> changes;
  const double started_s = clock_->MonotonicSeconds();
  for (size_t i = 0; i < group_->rules.size(); ++i) {
    State& state = states_[i];
    Run run{source, sink, time_ms, {}, changes};
    const double rule_started_s = clock_->MonotonicSeconds();
    const Status evaluated = EvaluateRule(group_->rules[i], state, run);
    std::set<promql::Labels> series;
    for (const auto& [labels, value] : run.made) {
      sink.Put(labels, {time_ms, value});
      series.insert(labels);
    }
    for (const promql::Labels& labels : state.series) {
      if (!series.contains(labels)) sink.Put(labels, {time_ms, promql::StaleMarker()});
    }
    state.series = std::move(series);

    std::lock_guard lock(mutex_);
    RuleStatus& status = report_.rules[i];
    status.evaluated = true;
    status.last_error = evaluated.message();
    status.last_evaluation_ms = time_ms;
    status.evaluation_s = clock_->MonotonicSeconds() - rule_started_s;
    status.alerts.clear();
    for (const auto& [labels, alert] : state.alerts) status.alerts.push_back(alert);
    ++report_.evaluations;
    if (!evaluated.ok()) ++report_.failures;
  }
  std::lock_guard lock(mutex_);
  report_.last_evaluation_ms = time_ms;
  report_.evaluation_s = clock_->MonotonicSeconds() - started_s;
  return changes;
}

Status GroupEvaluator::EvaluateRule(const Rule& rule, State& state, Run& run) {
  const Status status = rule.kind == Rule::Kind::kRecord ? EvaluateRecord(rule, run)
                                                         : EvaluateAlert(rule, state, run);
  if (!status.ok()) run.made.clear();
  return status;
}

namespace {

// A scalar counts as a vector of one element without labels.
Result<std::vector<promql::Series>> Query(const Rule& rule, const promql::SeriesSource& source,
                                          int64_t time_ms) {
  promql::EvalOptions options;
  options.query = rule.query;
  HEARTH_ASSIGN_OR_RETURN(promql::Value value,
                          promql::EvalInstant(source, *rule.expr, time_ms, options));
  if (value.type != promql::ValueType::kScalar) return std::move(value.series);
  return std::vector<promql::Series>{{promql::Labels(), {value.scalar}}};
}

Status LimitExceeded(int64_t limit, size_t count, const char* what) {
  return ResourceExhausted("exceeded limit of " + std::to_string(limit) + " with " +
                           std::to_string(count) + " " + what);
}

}  // namespace

Status GroupEvaluator::EvaluateRecord(const Rule& rule, Run& run) const {
  HEARTH_ASSIGN_OR_RETURN(const std::vector<promql::Series> series,
                          Query(rule, run.source, run.time_ms - group_->query_offset_ms));
  for (const promql::Series& one : series) {
    promql::Labels labels = one.labels;
    labels.Set(kName, rule.name);
    for (const auto& [name, text] : rule.labels) labels.Set(name, text.text());
    if (!run.made.emplace(std::move(labels), one.samples.back().value).second) {
      return FailedPrecondition(
          "vector contains metrics with the same labelset after applying rule labels");
    }
  }
  if (group_->limit > 0 && run.made.size() > static_cast<size_t>(group_->limit)) {
    return LimitExceeded(group_->limit, run.made.size(), "series");
  }
  return Status::Ok();
}

// The alerts for which the expression holds now, as if each were new.
Result<GroupEvaluator::Alerts> GroupEvaluator::HoldingAlerts(const Rule& rule, Run& run) const {
  HEARTH_ASSIGN_OR_RETURN(const std::vector<promql::Series> series,
                          Query(rule, run.source, run.time_ms - group_->query_offset_ms));
  Alerts holding;
  for (const promql::Series& one : series) {
    Alert alert;
    alert.state = AlertState::kPending;
    alert.active_at_ms = run.time_ms;
    alert.value = one.samples.back().value;
    promql::Labels found = one.labels;
    for (const auto& [name, value] : options_.default_labels.pairs()) {
      if (found.Get(name).empty()) found.Set(name, value);
    }
    const TemplateData data{found, options_.external_labels, alert.value};
    alert.labels = found;
    alert.labels.Set(kName, "");
    for (const auto& [name, text] : rule.labels) alert.labels.Set(name, Expanded(text, data));
    alert.labels.Set("alertname", rule.name);
    for (const auto& [name, text] : rule.annotations) {
      alert.annotations.emplace_back(name, Expanded(text, data));
    }
    promql::Labels key = alert.labels;
    if (!holding.emplace(std::move(key), std::move(alert)).second) {
      return FailedPrecondition(
          "vector contains metrics with the same labelset after applying alert labels");
    }
  }
  return holding;
}

// One step of an alert that is kept; `holds` when its expression holds now.
void GroupEvaluator::Advance(const Rule& rule, bool holds, Alert& alert, Run& run) const {
  if (!holds) {
    if (alert.state == AlertState::kFiring && rule.keep_firing_for_ms > 0) {
      if (alert.keep_firing_since_ms == 0) alert.keep_firing_since_ms = run.time_ms;
      if (run.time_ms - alert.keep_firing_since_ms < rule.keep_firing_for_ms) return;
    }
    if (alert.state == AlertState::kFiring) alert.resolved_at_ms = run.time_ms;
    alert.state = AlertState::kInactive;
    return;
  }
  alert.keep_firing_since_ms = 0;
  if (alert.state == AlertState::kPending && run.time_ms - alert.active_at_ms >= rule.for_ms) {
    alert.state = AlertState::kFiring;
    alert.fired_at_ms = run.time_ms;
  }
}

Status GroupEvaluator::EvaluateAlert(const Rule& rule, State& state, Run& run) {
  HEARTH_ASSIGN_OR_RETURN(Alerts holding, HoldingAlerts(rule, run));
  if (group_->limit > 0 && holding.size() > static_cast<size_t>(group_->limit)) {
    state.alerts.clear();
    return LimitExceeded(group_->limit, holding.size(), "alerts");
  }
  if (!state.restored) {
    if (!holding.empty()) HEARTH_RETURN_IF_ERROR(Restore(rule, holding, run));
    state.restored = true;
  }
  std::map<promql::Labels, AlertState> before;
  for (const auto& [labels, alert] : state.alerts) before[labels] = alert.state;
  for (auto& [labels, alert] : holding) {
    const auto known = state.alerts.find(labels);
    if (known != state.alerts.end() && known->second.state != AlertState::kInactive) {
      known->second.value = alert.value;
      known->second.annotations = std::move(alert.annotations);
    } else {
      // What was restored as firing has fired before: that is no change.
      if (alert.state == AlertState::kFiring) before[labels] = AlertState::kFiring;
      state.alerts[labels] = std::move(alert);
    }
  }
  for (auto& [labels, alert] : state.alerts) {
    Advance(rule, holding.contains(labels), alert, run);
    if (alert.state != before[labels]) run.changes.push_back({before[labels], alert});
    if (alert.state == AlertState::kInactive) continue;
    promql::Labels series = labels;
    series.Set(kName, kAlertsForState);
    run.made[series] = static_cast<double>(alert.active_at_ms / 1000);
    series.Set(kName, kAlerts);
    series.Set("alertstate", std::string(AlertStateName(alert.state)));
    run.made[series] = 1;
  }
  std::erase_if(state.alerts, [&](const auto& kept) { return !IsKept(kept.second, run.time_ms); });
  return Status::Ok();
}

// Time that this program did not run does not count towards `for`, unless the alert fired already.
Status GroupEvaluator::Restore(const Rule& rule, Alerts& alerts, const Run& run) const {
  if (options_.restore_before_ms == 0) return Status::Ok();
  std::vector<promql::Matcher> matchers;
  for (const auto& [name, value] : {std::pair<std::string, std::string>{kName, kAlertsForState},
                                    {"alertname", rule.name}}) {
    HEARTH_ASSIGN_OR_RETURN(promql::Matcher matcher,
                            promql::Matcher::Make(name, promql::Matcher::Op::kEqual, value));
    matchers.push_back(std::move(matcher));
  }
  promql::SelectHints hints;
  hints.end_ms = options_.restore_before_ms;
  hints.start_ms = hints.end_ms - kOutageMaxMs;
  hints.range_ms = kOutageMaxMs;
  HEARTH_ASSIGN_OR_RETURN(const std::vector<promql::Series> recorded,
                          run.source.Select(matchers, hints));
  for (const promql::Series& series : recorded) {
    promql::Labels labels = series.labels;
    labels.Set(kName, "");
    const auto found = alerts.find(labels);
    if (found == alerts.end() || series.samples.empty() ||
        promql::IsStaleMarker(series.samples.back().value)) {
      continue;
    }
    Alert& alert = found->second;
    const int64_t down_at_ms = series.samples.back().time_ms;
    alert.active_at_ms = static_cast<int64_t>(series.samples.back().value) * 1000;
    if (down_at_ms - alert.active_at_ms >= rule.for_ms) {
      alert.state = AlertState::kFiring;
      alert.fired_at_ms = alert.active_at_ms + rule.for_ms;
    } else {
      alert.active_at_ms += run.time_ms - down_at_ms;
    }
  }
  return Status::Ok();
}

}  // namespace hearth::rules
