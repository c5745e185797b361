#include "firmware/alerting/rule_service.h"

#include <algorithm>
#include <chrono>
#include <cctype>
#include <cstdio>
#include <set>

#include "base/log.h"
#include "storage/promql/answer_json.h"
#include "storage/rules/time_text.h"

namespace hearth {

using metrics::MetricId;
using rules::Alert;
using rules::AlertState;

namespace {

// Firing alerts are told again after so long; a receiver forgets them after four times that.
constexpr int64_t kResendMs = 60'000;
// Rules take at most this share of one core: a group whose evaluation is slow waits longer.
constexpr double kShareOfTime = 0.1;

std::string PercentEncoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.') {
      out += c;
    } else {
      char hex[4];
      std::snprintf(hex, sizeof hex, "%%%02X", static_cast<unsigned char>(c));
      out += hex;
    }
  }
  return out;
}

// One element of the array that Alertmanager's POST /api/v2/alerts takes.
void AppendMessage(const Alert& alert, int64_t ends_ms, const std::string& generator_url,
                   std::string& body) {
  body += body.empty() ? "[{\"labels\":" : ",{\"labels\":";
  promql::AppendJson(alert.labels, body);
  body += ",\"annotations\":";
  promql::AppendJson(promql::Labels(alert.annotations), body);
  body += ",\"startsAt\":\"" + rules::Rfc3339(alert.fired_at_ms) + "\",\"endsAt\":\"" +
          rules::Rfc3339(ends_ms) + "\",\"generatorURL\":";
  promql::AppendJsonString(generator_url, body);
  body += '}';
}

}  // namespace

Result<std::vector<rules::RuleGroup>> LoadRules(const std::vector<std::string>& paths) {
  if (paths.empty()) return rules::ParseRuleFile("hearth.rules.yml", ShippedRules());
  std::vector<rules::RuleGroup> groups;
  for (const std::string& path : paths) {
    HEARTH_ASSIGN_OR_RETURN(std::vector<rules::RuleGroup> read, rules::ReadRuleFile(path));
    std::move(read.begin(), read.end(), std::back_inserter(groups));
  }
  return groups;
}

struct RuleService::Group {
  Group(const rules::RuleGroup* group, const rules::EvaluatorOptions& options,
        metrics::Registry* registry, const Clock* clock)
      : interval_s(static_cast<double>(group->interval_ms) / 1000),
        evaluator(group, options, clock),
        evaluations(registry->Get(MetricId::kRuleEvaluations, {group->name})),
        failures(registry->Get(MetricId::kRuleEvaluationFailures, {group->name})),
        duration(registry->Get(MetricId::kRuleGroupLastDuration, {group->name})) {}

  const double interval_s;
  rules::GroupEvaluator evaluator;
  metrics::Metric* const evaluations;
  metrics::Metric* const failures;
  metrics::Metric* const duration;
  double due_s = 0;  // monotonic
};

RuleService::RuleService(RuleServiceOptions options, const promql::SeriesSource* source,
                         storage::History* history, metrics::Registry* registry,
                         const Clock* clock)
    : options_(std::move(options)),
      history_(history),
      registry_(registry),
      clock_(clock),
      latest_(source) {
  rules::EvaluatorOptions evaluator_options;
  evaluator_options.default_labels =
      promql::Labels({promql::Labels::Pair{"instance", options_.instance}});
  evaluator_options.restore_before_ms = clock_->WallMillis();
  for (const rules::RuleGroup& group : options_.groups) {
    groups_.push_back(std::make_unique<Group>(&group, evaluator_options, registry_, clock_));
    // The first samples come first: absent() of a history that has just begun means nothing.
    groups_.back()->due_s = clock_->MonotonicSeconds() + std::min(5.0, groups_.back()->interval_s);
  }
  if (!options_.webhook_url.empty()) {
    webhook_ = std::make_unique<AlertWebhook>(AlertWebhookOptions{.url = options_.webhook_url});
  }
  Publish();
  thread_ = std::thread([this] { Run(); });
}

RuleService::~RuleService() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void RuleService::Run() {
  while (!groups_.empty()) {
    double due_s = groups_[0]->due_s;
    for (const auto& group : groups_) due_s = std::min(due_s, group->due_s);
    {
      std::unique_lock lock(mutex_);
      const std::chrono::duration<double> wait(due_s - clock_->MonotonicSeconds());
      if (wake_.wait_for(lock, wait, [this] { return stopping_; })) return;
    }
    const int64_t time_ms = clock_->WallMillis();
    for (const auto& group : groups_) {
      if (clock_->MonotonicSeconds() < group->due_s) continue;
      Evaluate(*group, time_ms);
    }
    Publish();
  }
}

void RuleService::Evaluate(Group& group, int64_t time_ms) {
  const std::vector<rules::AlertChange> changes =
      group.evaluator.Evaluate(latest_, latest_, time_ms);
  AddEvents(changes);
  const rules::GroupStatus status = group.evaluator.status();
  registry_->Set(group.evaluations, static_cast<double>(status.evaluations));
  registry_->Set(group.failures, static_cast<double>(status.failures));
  registry_->Set(group.duration, status.evaluation_s);
  const double now_s = clock_->MonotonicSeconds();
  const double earliest_s = now_s + status.evaluation_s / kShareOfTime;
  do {
    group.due_s += group.interval_s;
  } while (group.due_s < earliest_s);
  if (webhook_) Notify(group, status, time_ms);
}

void RuleService::AddEvents(const std::vector<rules::AlertChange>& changes) {
  for (const rules::AlertChange& change : changes) {
    const Alert& alert = change.alert;
    std::string text = alert.labels.Get("alertname") + " is ";
    text += alert.state == AlertState::kInactive && change.before == AlertState::kFiring
                ? "resolved"
                : rules::AlertStateName(alert.state);
    for (const auto& [name, value] : alert.annotations) {
      if (name == "summary") text += ": " + value;
    }
    history_->AddEvent({clock_->WallMillis(), "alert", text});
    if (alert.state != AlertState::kPending && change.before != AlertState::kPending) {
      LOG(kInfo) << "alert " << text;
    } else if (alert.state == AlertState::kFiring) {
      LOG(kWarning) << "alert " << text;
    }
  }
}

// Metrics over all groups.
void RuleService::Publish() {
  double pending = 0;
  double firing = 0;
  for (const auto& group : groups_) {
    for (const rules::RuleStatus& rule : group->evaluator.status().rules) {
      for (const Alert& alert : rule.alerts) {
        pending += alert.state == AlertState::kPending;
        firing += alert.state == AlertState::kFiring;
      }
    }
  }
  registry_->Set(registry_->Get(MetricId::kAlerts, {"pending"}), pending);
  registry_->Set(registry_->Get(MetricId::kAlerts, {"firing"}), firing);
  const double sent = webhook_ ? static_cast<double>(webhook_->sent()) : 0;
  const double failed = webhook_ ? static_cast<double>(webhook_->failed()) : 0;
  registry_->Set(registry_->Get(MetricId::kAlertNotificationsSent), sent);
  registry_->Set(registry_->Get(MetricId::kAlertNotificationsFailed), failed);
}

// Firing alerts when they begin and every kResendMs, resolved ones once.
void RuleService::Notify(const Group& group, const rules::GroupStatus& status, int64_t time_ms) {
  const auto interval_ms = static_cast<int64_t>(group.interval_s * 1000);
  const int64_t forgotten_ms = time_ms + 4 * std::max(interval_ms, kResendMs);
  std::string body;
  int64_t alerts = 0;
  for (const rules::RuleStatus& rule : status.rules) {
    for (const Alert& alert : rule.alerts) {
      const auto sent = sent_ms_.find(alert.labels);
      const bool known = sent != sent_ms_.end();
      if (alert.state == AlertState::kPending) continue;
      if (alert.state == AlertState::kFiring) {
        if (known && time_ms >= sent->second && time_ms - sent->second < kResendMs) continue;
        sent_ms_[alert.labels] = time_ms;
        AppendMessage(alert, forgotten_ms, GeneratorUrl(rule.rule->query), body);
      } else {
        if (!known) continue;
        sent_ms_.erase(sent);
        AppendMessage(alert, alert.resolved_at_ms, GeneratorUrl(rule.rule->query), body);
      }
      ++alerts;
    }
  }
  if (alerts > 0) webhook_->Send(body + ']', alerts);
}

std::string RuleService::GeneratorUrl(const std::string& query) const {
  return options_.generator_url + "/api/v1/query?query=" + PercentEncoded(query);
}

std::vector<std::pair<promql::Labels, double>> RuleService::Samples() const {
  std::vector<std::pair<promql::Labels, double>> samples = latest_.Current();
  promql::Labels up(
      {{"__name__", "up"}, {"job", "hearth"}, {"instance", options_.instance}});
  samples.emplace_back(std::move(up), 1);
  return samples;
}

std::vector<rules::GroupStatus> RuleService::Groups() const {
  std::vector<rules::GroupStatus> groups;
  for (const auto& group : groups_) groups.push_back(group->evaluator.status());
  return groups;
}

}  // namespace hearth
