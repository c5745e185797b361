// RuleService: evaluates the rule groups over the box's own history, each at its interval, and
// tells what comes of it: events of the history, metrics, and a webhook if there is one.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "firmware/alerting/alert_webhook.h"
#include "firmware/metrics/registry.h"
#include "storage/history.h"
#include "storage/rules/evaluator.h"
#include "storage/rules/latest_values.h"

namespace hearth {

// packaging/prometheus/hearth.rules.yml as it was when this program was built.
std::string_view ShippedRules();

// The groups of these files; the shipped rules when there is none. Errors of ReadRuleFile.
Result<std::vector<rules::RuleGroup>> LoadRules(const std::vector<std::string>& paths);

struct RuleServiceOptions {
  std::vector<rules::RuleGroup> groups;
  std::string instance;       // the box's name; alerts that lack `instance` get it
  std::string webhook_url;    // empty: nothing is sent
  std::string generator_url;  // where the box is, for the links in what is sent
};

class RuleService {
 public:
  // `source` is what expressions see of `history`; all outlive the service. Made before the first
  // sample of this process is taken: since-times are restored from what the history holds then.
  RuleService(RuleServiceOptions options, const promql::SeriesSource* source,
              storage::History* history, metrics::Registry* registry,
              const Clock* clock = Clock::System());
  ~RuleService();

  // Series for the next sample of the history: what rules made, and `up`, which a scraper of this
  // box would have recorded. Any thread, as the next.
  std::vector<std::pair<promql::Labels, double>> Samples() const;
  std::vector<rules::GroupStatus> Groups() const;

  // The series that expressions see, and with them the newest of the rules. Any thread.
  const promql::SeriesSource& source() const { return latest_; }

 private:
  struct Group;

  void Run();
  void Evaluate(Group& group, int64_t time_ms);
  void AddEvents(const std::vector<rules::AlertChange>& changes);
  void Publish();
  void Notify(const Group& group, const rules::GroupStatus& status, int64_t time_ms);
  std::string GeneratorUrl(const std::string& query) const;

  const RuleServiceOptions options_;
  storage::History* const history_;
  metrics::Registry* const registry_;
  const Clock* const clock_;
  rules::LatestValues latest_;
  std::vector<std::unique_ptr<Group>> groups_;
  std::unique_ptr<AlertWebhook> webhook_;
  std::map<promql::Labels, int64_t> sent_ms_;  // firing alerts the webhook was told of, and when

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace hearth
