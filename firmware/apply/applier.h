// Applier: makes a revision of the configuration the one that serves, and takes it back when it is
// no good.
//
//   validate > fit > start > probe > switch > drain > watch > confirmed
//
// The active revision is what config.db says; only the commit of "confirmed" moves it. Whatever goes
// wrong before returns to it: a failure, a cancelled apply, a crash, the end of hearthd.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "firmware/apply/apply_status.h"
#include "firmware/apply/config_store.h"
#include "firmware/apply/exchange.h"
#include "firmware/apply/fit_estimate.h"
#include "firmware/apply/served_models.h"
#include "firmware/config/model_config.h"
#include "firmware/metrics/registry.h"
#include "firmware/models/model_manager.h"
#include "storage/history.h"

namespace hearth::apply {

struct ApplierOptions {
  std::string engine_executable;
  std::string models_directory;
  int64_t memory_limit_bytes = 0;  // of the models together; 0: what is free
  ApplyTimes times;
  int crashes_max = 5;  // starts that never served, before recovery; 0: no recovery
  double crashes_within_s = 600;
};

// What would come of a document.
struct Validated {
  config::CheckedModelConfig checked;  // its problems, those of this box too
  std::vector<ServedModel> models;     // when there is no error
  std::vector<Change> changes;         // from what serves
  std::optional<FitEstimate> fit;      // when an engine would be started
};

// Any thread.
class Applier {
 public:
  // All outlive it.
  Applier(ConfigStore* store, models::ModelManager* models, metrics::Registry* registry,
          storage::History* history, ApplierOptions options);
  ~Applier();  // Stop

  // At the start of hearthd: serves the active revision, or nothing in recovery. What is wrong with it
  // becomes events and states of models; it does not stop the start.
  void Start();

  Validated Validate(const std::string& document);
  // What would change from one text to the other; [] where one of them cannot be read.
  Json ChangesBetween(const std::string& before, const std::string& after);

  // Begins an apply; returns its id. kNotFound, kAborted while another runs.
  Result<int64_t> Apply(int64_t revision, const std::string& author);
  // Of an apply that is watched: it is good. kFailedPrecondition when none is.
  Status Keep(const std::string& author);
  // Goes back. kFailedPrecondition when none runs.
  Status Cancel(const std::string& author);
  // Returns when no apply runs any more.
  void Wait();

  // Of the apply that runs, or ran last in this process.
  std::optional<ApplyStatus> status() const;
  std::string recovery() const;  // why no model is started; empty: not in recovery
  // What the active revision's models are capped to.
  std::vector<config::Capped> capped() const;
  std::vector<ServedModel> serving() const;

  // Once a second: a box that has served for a while has not crashed.
  void Observe();

  void Stop();

 private:
  void Run(int64_t apply, Revision revision);
  std::optional<Failure> RunSteps(const Revision& revision, Validated& validated);
  std::optional<Failure> Watch(const std::vector<Change>& changes);
  void GoBack(const Exchange::Plan& plan, Failure& failure);
  void Confirm(const Validated& validated);
  void End(const Failure& failure);
  config::BoxFacts Facts() const;
  void Resolve(Validated& validated);
  FitEstimate Fit(const std::vector<Change>& changes, Validated& validated);
  ExchangeReport ReportTo();

  void BeginStep(Step step);
  void UpdateStep(Step step, double progress, const std::string& text);
  void EndStep(Step step, const std::string& state, const std::string& text);
  void Event(const char* kind, const std::string& text);
  void CountOutcome(const std::string& outcome, const std::string& reason);
  void ShowActive(int64_t revision);

  ConfigStore* const store_;
  models::ModelManager* const models_;
  metrics::Registry* const registry_;
  storage::History* const history_;
  const ApplierOptions options_;

  std::mutex apply_mutex_;  // one caller of Apply or Stop at a time; before mutex_
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::optional<ApplyStatus> status_;
  std::vector<ServedModel> serving_;
  std::vector<config::Capped> capped_;
  std::string recovery_;
  bool cancelled_ = false;
  bool kept_ = false;
  bool stopping_ = false;
  std::string kept_by_, cancelled_by_;
  Exchange::Plan plan_;  // of the apply that runs

  int64_t start_ = 0;  // the row of this start; 0 once it is known to be good
  double ready_since_s_ = 0;
  std::thread thread_;
};

}  // namespace hearth::apply
