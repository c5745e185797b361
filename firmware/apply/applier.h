// Applier: makes a revision of the configuration the one that serves, and takes it back when it is
// no good.
//
//   validate > fit > start > probe > switch > drain > watch > confirmed
//
// The active revision is what config.db says; only the commit of "confirmed" moves it. Whatever
// goes wrong before returns to it: a failure, a cancelled apply, a crash, the end of hearthd.
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
#include "firmware/apply/served_models.h"
#include "firmware/apply/validator.h"
#include "firmware/metrics/registry.h"
#include "firmware/models/model_manager.h"
#include "storage/history.h"

namespace hearth::apply {

struct ApplierOptions {
  ValidatorOptions validator;
  ApplyTimes times;
  int crashes_max = 5;  // starts that never served, before recovery; 0: no recovery
  double crashes_within_s = 600;
};

// Any thread.
class Applier {
 public:
  // All outlive it.
  Applier(ConfigStore* store, models::ModelManager* models, metrics::Registry* registry,
          storage::History* history, ApplierOptions options);
  ~Applier();  // Stop

  // At the start of hearthd: serves the active revision, or nothing in recovery. What is wrong with
  // it becomes events and states of models; it does not stop the start.
  void Start();

  // What would come of a document, from what serves now.
  Validated Validate(const std::string& document) const {
    return validator_.Validate(document, serving());
  }
  const Validator& validator() const { return validator_; }

  // Begins an apply; returns its id. kNotFound, kAborted while another runs. One that is not
  // watched is confirmed as soon as its engines have answered and taken over.
  enum class Watching { kWatched, kUnwatched };
  Result<int64_t> Apply(int64_t revision, const std::string& author,
                        Watching watching = Watching::kWatched);
  // Of an apply that is watched: it is good. kFailedPrecondition when none is.
  Status Keep(const std::string& author);
  // Goes back. kFailedPrecondition when none runs.
  Status Cancel(const std::string& author);
  // False: one still runs after so many seconds.
  bool WaitForEnd(double timeout_s);

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
  Failure Named(Failure failure) const;
  void ServeActive(int64_t active);
  void EnterRecovery(int64_t active, const std::string& why);
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
  const Validator validator_;

  std::mutex apply_mutex_;    // one caller of Apply or Stop at a time; before mutex_
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::optional<ApplyStatus> status_;
  std::vector<ServedModel> serving_;
  std::vector<config::Capped> capped_;
  std::string recovery_;
  bool is_watched_ = true;
  bool cancelled_ = false;
  bool kept_ = false;
  bool decided_ = false;  // too late to cancel
  bool stopping_ = false;
  std::string kept_by_, cancelled_by_;
  Exchange::Plan plan_;  // of the apply that runs
  int64_t start_ = 0;    // the row of this start; 0 once it is known to be good

  double ready_since_s_ = 0;
  std::thread thread_;
};

}  // namespace hearth::apply
