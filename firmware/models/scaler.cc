#include "firmware/models/scaler.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/clock.h"
#include "base/log.h"

namespace hearth::models {
namespace {

// A plan costs a process of some 50 ms; what others free is noticed soon enough.
constexpr double kRetryS = 0.5;
// A replica that failed beside others that serve is tried again, but not all the time.
constexpr double kRetryFailedS = 30;

std::string Replicas(int count) {
  return std::to_string(count) + (count == 1 ? " replica" : " replicas");
}

}  // namespace

Scaler::Scaler(ScalerHost host, std::shared_ptr<Bell> bell)
    : host_(std::move(host)), bell_(std::move(bell)), thread_([this] { Run(); }) {}

Scaler::~Scaler() { Stop(); }

void Scaler::Stop() {
  std::lock_guard stopping(stop_mutex_);
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  bell_->Ring();
  if (thread_.joinable()) thread_.join();
}

void Scaler::Run() {
  while (true) {
    const uint64_t rings = bell_->rings();
    {
      std::lock_guard lock(mutex_);
      if (stopping_) return;
    }
    for (const auto& deployment : host_.deployments()) Look(*deployment, MonotonicSeconds());
    bell_->Wait(rings, std::chrono::duration<double>(kPeriodS));
  }
}

void Scaler::Look(Deployment& deployment, double now_s) {
  Model& model = models_[&deployment];
  Deployment::ScaleReading reading = deployment.ReadScale();
  if (!reading.may_scale) {
    model = {};
    deployment.SetReport({});
    return;
  }
  ScaleReport report;
  reading.target = Decide(deployment, model, reading, now_s, report);
  const auto gone = deployment.TakeSurplus();
  if (!gone.empty()) host_.drain(deployment, gone);
  if (reading.alive < reading.target) {
    Grow(deployment, model, reading, now_s);
  } else {
    model.prevented_by.clear();
  }
  NoteSleep(deployment, model, reading, now_s);
  report.prevented_by = model.prevented_by;
  deployment.SetReport(std::move(report));
}

int Scaler::Decide(Deployment& deployment, Model& model, const Deployment::ScaleReading& reading,
                   double now_s, ScaleReport& report) {
  const ModelOptions options = deployment.options();
  const AutoscalingOptions& autoscaling = options.autoscaling;
  model.requests.Add(now_s, reading.requests, autoscaling.look_back_period_s);
  report.requests = model.requests.mean();
  if (reading.wanted && reading.target == 0) {
    // At once: a mean over half a minute would let the first request wait for its own average.
    report.decision.target = report.decision.desired = 1;
    model.wake_since_s = now_s;
    host_.on_event("model_woken", "'" + deployment.model_name() + "' is woken");
  } else if (reading.ready == 0) {
    // Until a replica is there, nothing is to be learnt from the load.
    report.decision.target = report.decision.desired = reading.target;
    model.policy.Reset();
  } else {
    report.decision =
        model.policy.Decide(autoscaling, now_s, report.requests, reading.ready, reading.target);
  }
  const int target = report.decision.target;
  if (target == reading.target) return target;
  deployment.SetTarget(target);
  if (options.autoscales && reading.target > 0) {
    host_.on_event(target > reading.target ? "model_scaled_up" : "model_scaled_down",
                   "'" + deployment.model_name() + "' goes from " + std::to_string(reading.target) +
                       " to " + Replicas(target));
  }
  return target;
}

void Scaler::Grow(Deployment& deployment, Model& model, const Deployment::ScaleReading& reading,
                  double now_s) {
  if (now_s < model.retry_at_s || host_.exchanges()) return;
  if (reading.failed > 0) {
    // The only replica of a model stays as it is: the same files would fail the same way.
    if (reading.alive == 0) return;
    const auto failed = deployment.TakeFailed();
    if (!failed.empty()) {
      host_.drain(deployment, failed);
      model.retry_at_s = now_s + kRetryFailedS;
      return Prevent(deployment, model, "a replica failed: " + reading.failure, now_s);
    }
  }
  for (int missing = reading.target - reading.alive; missing > 0; --missing) {
    if (!StartOne(deployment, model, now_s)) return;
  }
  model.prevented_by.clear();
}

bool Scaler::StartOne(Deployment& deployment, Model& model, double now_s) {
  protocol::Load load = deployment.options().load;
  const auto planned = host_.plan(load);
  if (!planned.ok()) {
    model.retry_at_s = now_s + kRetryFailedS;
    Prevent(deployment, model, planned.status().message(), now_s);
    if (deployment.ReadScale().alive == 0) {
      // Its state shall say so, as that of any model that cannot be loaded.
      deployment.StartReplica(host_.engine_executable, load, {});
    }
    return false;
  }
  RoomInput input;
  input.model_name = deployment.model_name();
  input.plan = *planned;
  input.kv_cache_memory_bytes = load.kv_cache_bytes;
  input.memory_limit_bytes = host_.memory_limit_bytes;
  input.tenants = host_.others();
  for (const auto& each : host_.deployments()) {
    for (Tenant& tenant : each->tenants()) {
      // A model does not make room for itself.
      if (each.get() == &deployment) tenant.yields = Tenant::Yields::kNever;
      input.tenants.push_back(std::move(tenant));
    }
  }
  const Room room = FindRoom(input);
  if (room.verdict == Room::Verdict::kFits) {
    load.kv_cache_bytes = room.footprint.kv_cache_bytes;
    deployment.StartReplica(host_.engine_executable, load, room.footprint);
    deployment.RefuseWaking("");
    LOG(kInfo) << "model '" << deployment.model_name() << "' gets another replica";
    return true;
  }
  model.retry_at_s = now_s + kRetryS;
  Prevent(deployment, model, "memory: " + room.why, now_s);
  // Only a model of which nothing runs may send others away: one more replica is not worth a model.
  const bool has_none = deployment.ReadScale().alive == 0;
  if (room.verdict == Room::Verdict::kAfterOthers && has_none)
    MakeRoom(deployment, input.tenants, room);
  if (room.verdict == Room::Verdict::kNever && has_none) {
    deployment.RefuseWaking(room.why);
    if (deployment.options().autoscaling.min_replicas == 0) deployment.SetTarget(0);
  }
  return false;
}

void Scaler::MakeRoom(const Deployment& for_whom, const std::vector<Tenant>& tenants,
                      const Room& room) {
  const auto deployments = host_.deployments();
  for (const size_t which : room.give_way) {
    const Tenant& tenant = tenants[which];
    for (const auto& deployment : deployments) {
      if (deployment->model_name() != tenant.model_name) continue;
      const auto gone = deployment->GiveWay(tenant.replica);
      if (gone.empty()) continue;  // it has got a request in between
      host_.on_event("model_gave_way", "'" + tenant.model_name + "' gives way to '" +
                                           for_whom.model_name() + "', which needs its memory");
      host_.drain(*deployment, gone);
    }
  }
}

void Scaler::Prevent(Deployment& deployment, Model& model, const std::string& why, double now_s) {
  model.retry_at_s = std::max(model.retry_at_s, now_s + kRetryS);
  if (model.prevented_by.empty()) {
    host_.on_event("autoscale_prevented",
                   "'" + deployment.model_name() + "' gets no further replica: " + why);
  }
  model.prevented_by = why;
}

void Scaler::NoteSleep(Deployment& deployment, Model& model,
                       const Deployment::ScaleReading& reading, double now_s) {
  if (model.wake_since_s > 0 && reading.ready > 0) {
    deployment.NoteAwake(now_s - model.wake_since_s);
    model.wake_since_s = 0;
  }
  const bool is_asleep = reading.target == 0;
  if (is_asleep && !model.is_asleep) {
    model.wake_since_s = 0;
    host_.on_event("model_asleep", "'" + deployment.model_name() +
                                       "' sleeps: its memory is free until it is asked for");
  }
  model.is_asleep = is_asleep;
}

}  // namespace hearth::models
