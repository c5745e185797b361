// Scaler: gives every model the replicas its load asks for, within the memory of the box.
//
// Ten times a second, as Ray Serve's controller does: look at each model's requests, let its policy
// decide how many replicas there shall be, start what is missing where there is room for it, and
// let go of what is too many. Where there is no room, idle replicas of others give way, the longest
// unused first; what is pinned stays, and the model's report says what is short.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "firmware/models/autoscaling_policy.h"
#include "firmware/models/bell.h"
#include "firmware/models/deployment.h"
#include "firmware/models/memory_room.h"

namespace hearth::models {

// What the scaler needs of the models' manager. All may be called at any time from its thread.
struct ScalerHost {
  std::function<std::vector<std::shared_ptr<Deployment>>()> deployments;
  // What holds memory beside the deployments' replicas: those that drain, and candidates.
  std::function<std::vector<Tenant>()> others;
  // An engine loads for an exchange, which counts on the memory there is.
  std::function<bool()> exchanges;
  std::function<void(const Deployment& from, const Deployment::Replicas& gone)> drain;
  std::function<Result<protocol::Planned>(const protocol::Load& load)> plan;
  std::function<void(const char* kind, const std::string& text)> on_event;
  std::string engine_executable;
  int64_t memory_limit_bytes = 0;  // of all models together; 0: what is free
};

class Scaler {
 public:
  // bell: rung when something is wanted at once.
  Scaler(ScalerHost host, std::shared_ptr<Bell> bell);
  ~Scaler();  // Stop

  void Stop();  // idempotent

  static constexpr double kPeriodS = 0.1;  // Ray's CONTROL_LOOP_INTERVAL_S

 private:
  struct Model {
    AutoscalingPolicy policy;
    RollingMean requests;
    double wake_since_s = 0;  // when a request, or a person, asked for the sleeping model; 0: awake
    double retry_at_s = 0;    // not before this is a replica started again
    std::string prevented_by;  // as in ScaleReport
    bool is_asleep = false;
  };

  void Run();
  void Look(Deployment& deployment, double now_s);
  int Decide(Deployment& deployment, Model& model, const Deployment::ScaleReading& reading,
             double now_s, ScaleReport& report);
  void Grow(Deployment& deployment, Model& model, const Deployment::ScaleReading& reading,
            double now_s);
  // True when an engine was started.
  bool StartOne(Deployment& deployment, Model& model, double now_s);
  void MakeRoom(const Deployment& for_whom, const std::vector<Tenant>& tenants, const Room& room);
  void Prevent(Deployment& deployment, Model& model, const std::string& why, double now_s);
  void NoteSleep(Deployment& deployment, Model& model, const Deployment::ScaleReading& reading,
                 double now_s);

  const ScalerHost host_;
  const std::shared_ptr<Bell> bell_;
  std::map<const Deployment*, Model> models_;  // deployments are never removed
  std::mutex mutex_;                           // guards what follows
  bool stopping_ = false;
  std::mutex stop_mutex_;  // one caller of Stop joins; before the other
  std::thread thread_;
};

}  // namespace hearth::models
