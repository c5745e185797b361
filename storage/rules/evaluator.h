// Evaluates the rules of one group, and keeps the alerts that come of it.
//
// An alert is inactive, pending while its expression holds for less than `for`, and firing from
// then on. All of it as Prometheus does, with one difference: since-times are restored whatever
// the length of `for` (Prometheus waits 10 minutes anew).
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "storage/promql/series_source.h"
#include "storage/rules/rule_file.h"

namespace hearth::rules {

enum class AlertState { kInactive, kPending, kFiring };

std::string_view AlertStateName(AlertState state);  // "inactive", "pending", "firing"

struct Alert {
  promql::Labels labels;  // with alertname
  std::vector<std::pair<std::string, std::string>> annotations;
  AlertState state = AlertState::kInactive;
  double value = 0;
  int64_t active_at_ms = 0;
  int64_t fired_at_ms = 0;           // 0: has not
  int64_t resolved_at_ms = 0;        // 0: is not
  int64_t keep_firing_since_ms = 0;  // 0: the expression holds
};

struct AlertChange {
  AlertState before = AlertState::kInactive;
  Alert alert;
};

struct RuleStatus {
  const Rule* rule = nullptr;
  bool evaluated = false;
  std::string last_error;  // empty: fine
  int64_t last_evaluation_ms = 0;
  double evaluation_s = 0;
  std::vector<Alert> alerts;  // all that are kept: firing, pending, and for a while the resolved
};

struct GroupStatus {
  const RuleGroup* group = nullptr;
  int64_t last_evaluation_ms = 0;
  double evaluation_s = 0;
  int64_t evaluations = 0;  // of rules
  int64_t failures = 0;
  std::vector<RuleStatus> rules;
};

// Takes the series that rules make. A value of StaleMarker() says that the series has ended.
class SampleSink {
 public:
  virtual ~SampleSink() = default;
  virtual void Put(const promql::Labels& labels, const promql::Sample& sample) = 0;
};

struct EvaluatorOptions {
  promql::Labels external_labels;  // for templates: $externalLabels
  // Given to alerts that lack them, as a scrape would have: the box's `instance`, for one.
  promql::Labels default_labels;
  // Since-times are taken from ALERTS_FOR_STATE in the history before this; 0: from nowhere.
  int64_t restore_before_ms = 0;
};

class GroupEvaluator {
 public:
  // `group` and `clock` (for durations) outlive this.
  GroupEvaluator(const RuleGroup* group, EvaluatorOptions options,
                 const Clock* clock = Clock::System());

  // Evaluates every rule in order; what one gives to `sink` is there for the next when `source`
  // reads it. Returns the alerts whose state has changed. Called by one thread.
  std::vector<AlertChange> Evaluate(const promql::SeriesSource& source, SampleSink& sink,
                                    int64_t time_ms);

  GroupStatus status() const;  // any thread

 private:
  using Alerts = std::map<promql::Labels, Alert>;
  // What a rule keeps from one evaluation to the next.
  struct State {
    Alerts alerts;
    std::set<promql::Labels> series;  // given to the sink last time
    bool restored = false;
  };
  struct Run;  // one evaluation of one rule

  Status EvaluateRule(const Rule& rule, State& state, Run& run);
  Status EvaluateRecord(const Rule& rule, Run& run) const;
  Status EvaluateAlert(const Rule& rule, State& state, Run& run);
  Result<Alerts> HoldingAlerts(const Rule& rule, Run& run) const;
  void Advance(const Rule& rule, bool holds, Alert& alert, Run& run) const;
  Status Restore(const Rule& rule, Alerts& alerts, const Run& run) const;

  const RuleGroup* const group_;
  const EvaluatorOptions options_;
  const Clock* const clock_;
  std::vector<State> states_;  // by rule; of the evaluating thread

  mutable std::mutex mutex_;
  GroupStatus report_;
};

}  // namespace hearth::rules
