// The composition root: makes the parts of hearthd, hands them to each other, and takes them down in
// the opposite order.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "firmware/config/box_config.h"
#include "firmware/library/library.h"
#include "firmware/metrics/name_views.h"
#include "firmware/remote_write/remote_writer.h"
#include "storage/rules/rule_file.h"

namespace hearth {

// The model configuration that the box is started with.
struct Seed {
  std::string document;  // as the config page takes it; empty: none, what was applied last is served
  std::string source;    // "the command line", or the file's name
  bool pinned = false;   // it is served whatever was applied, and nothing else can be
};

struct ApplianceOptions {
  std::string host = "127.0.0.1";
  int port = 8080;                 // 0 = any free one
  std::string state_directory;     // made if absent; holds the .db files
  std::string engine_executable;   // path of hearth-engine
  std::string models_directory;    // where model ids are looked for
  int64_t memory_limit_bytes = 0;  // of the models together; 0 = what is free
  Seed seed;
  config::ApplyConfig apply;
  config::RecoveryConfig recovery;
  config::UsageStatsConfig usage_stats;
  std::string usage_stats_where;     // what sets usage_stats.enabled; empty: nothing
  std::string usage_opt_out;         // what in the environment forbids usage data; empty: nothing
  config::LoadedBoxConfig settings;  // for /api/settings
  // What /metrics shows to who does not choose with ?view=.
  metrics::ViewSet metrics_views = metrics::ViewSet::Default();
  library::LibraryOptions library;
  double history_commit_interval_s = 60;  // what a killed hearthd may lose
  // Evaluated over the history. What fires is sent to the webhook, if there is one.
  std::vector<rules::RuleGroup> rule_groups;
  std::string alert_webhook_url;
  // Pushed to where its URL says; labels that tell this box from others are filled in.
  remote_write::RemoteWriteOptions remote_write;
  double drain_timeout_s = 30;
};

class Appliance {
 public:
  // HTTP answers when this returns; the model loads in its own time.
  static Result<std::unique_ptr<Appliance>> Start(const ApplianceOptions& options);

  // Stops accepting, lets streams finish for at most drain_timeout_s, ends the engines, commits the
  // history.
  ~Appliance();

  int port() const;

  // For sd_notify's STATUS=.
  std::string StatusLine() const;

 private:
  struct Parts;
  explicit Appliance(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace hearth
