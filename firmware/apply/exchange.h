// Exchange: brings the models that serve from one configuration to another.
//
// Where old and new fit into memory together, the new engines load, answer a probe and take over,
// and nothing waits. Where they do not, requests wait in line while the old engines end and the new
// ones load. A model that begins asleep is only tried: loaded, asked and ended, one after another.
// Either way a failure before the switch leaves everything as it was.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "firmware/apply/apply_status.h"
#include "firmware/apply/served_models.h"
#include "firmware/models/model_manager.h"

namespace hearth::apply {

struct ApplyTimes {
  double ready_timeout_s = 600;  // without progress of the load
  double probe_timeout_s = 60;
  double watch_s = 60;
  double drain_timeout_s = 600;
};

// What an exchange says while it goes on. All may be called often.
struct ExchangeReport {
  std::function<void(Step)> begin;
  std::function<void(Step, double progress, const std::string& text)> update;
  std::function<void(Step, const std::string& text)> done;
  std::function<void(const models::ProbeAnswer&)> answered;
  std::function<bool()> give_up;  // asked before the switch
  // hearthd ends: nothing is put back, the next start serves what is active.
  std::function<bool()> ends = [] { return false; };
};

class Exchange {
 public:
  // together: what goes and what starts run side by side. wait_s: how long a request waits at most,
  // when they do not. probes: whether each new engine has to answer first.
  struct Plan {
    std::vector<Change> changes;
    bool together = true;
    double wait_s = 0;
    bool probes = true;
    std::vector<std::string> give_way = {};  // others that end first, to be woken by their next request
  };

  // All outlive it.
  Exchange(models::ModelManager* models, const ApplyTimes* times, const ExchangeReport* report)
      : models_(models), times_(times), report_(report) {}

  // nullopt: everything serves as `plan` says. A failure: as before, as far as that can be; its
  // message says where it could not.
  std::optional<Failure> Run(const Plan& plan);

  // For a model that can only be had back by its supervisor: no engine is waited for.
  void ServeAnyhow(const ServedModel& model);

 private:
  struct Starting {
    ServedModel model;
    std::shared_ptr<models::Replica> candidate;
  };

  std::optional<Failure> Prepare(const Plan& plan, std::vector<Starting>& started);
  std::optional<Failure> Try(const ServedModel& model, bool reports_start);
  std::optional<Failure> MakeRoom(const Plan& plan);
  std::optional<Failure> Start(const std::vector<ServedModel>& models,
                               std::vector<Starting>& started);
  std::optional<Failure> WaitReady(std::vector<Starting>& started);
  std::optional<Failure> Probe(std::vector<Starting>& started);
  std::optional<Failure> Switch(const Plan& plan, std::vector<Starting>& started);
  std::string GoBack(const Plan& plan);  // what could not be had back, in words
  std::optional<Failure> StartAgain(const ServedModel& model);
  void Release(const Plan& plan);

  models::ModelManager* const models_;
  const ApplyTimes* const times_;
  const ExchangeReport* const report_;
  std::vector<std::string> stopped_;   // names whose engines MakeRoom has ended
  std::vector<ServedModel> sleepers_;  // that were tried, and begin asleep
  std::vector<std::string> changed_;   // names whose new engines, or limits, have taken over
};

}  // namespace hearth::apply
