#include "firmware/apply/exchange.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/clock.h"
#include "base/log.h"

namespace hearth::apply {
namespace {

using models::ReplicaState;
using Kind = Change::Kind;

constexpr auto kLookEvery = std::chrono::milliseconds(20);

bool Goes(const Change& change) {
  return change.kind == Kind::kReplace || change.kind == Kind::kRemove;
}

Failure Cancelled() { return {"cancelled", "the apply was cancelled before the switch"}; }

std::string NamesOf(const std::vector<ServedModel>& models) {
  std::string names;
  for (const ServedModel& model : models)
    names += (names.empty() ? "'" : ", '") + model.name() + "'";
  return names;
}

Failure FailureOf(const Status& status, const char* reason) {
  if (status.code() == StatusCode::kAborted) return Cancelled();
  return {reason, status.message()};
}

}  // namespace

std::optional<Failure> Exchange::Run(const Plan& plan) {
  std::vector<Starting> started;
  std::optional<Failure> failure = Prepare(plan, started);
  if (!failure) failure = Switch(plan, started);
  if (failure) {
    started.clear();  // ends the engines that were to take over, before the old ones need the room
    if (!report_->ends()) failure->message += GoBack(plan);
  }
  Release(plan);
  return failure;
}

std::optional<Failure> Exchange::Prepare(const Plan& plan, std::vector<Starting>& started) {
  std::vector<ServedModel> starting;
  for (const Change& change : plan.changes) {
    if (!StartsEngine(change)) continue;
    auto& models = IsTriedOnly(change, *models_) ? sleepers_ : starting;
    models.push_back(*change.after);
  }
  if (starting.empty() && sleepers_.empty()) return std::nullopt;
  report_->begin(Step::kStart);
  if (!plan.together) {
    if (auto failure = MakeRoom(plan)) return failure;
  }
  if (auto failure = Start(starting, started)) return failure;
  if (auto failure = WaitReady(started)) return failure;
  if (plan.probes) {
    for (const ServedModel& model : sleepers_) {
      if (auto failure = Try(model, starting.empty())) return failure;
    }
  }
  if (starting.empty()) return std::nullopt;
  report_->done(Step::kStart, NamesOf(starting) + " loaded");
  return plan.probes ? Probe(started) : std::nullopt;
}

// reports_start: no other engine's start is reported later.
std::optional<Failure> Exchange::Try(const ServedModel& model, bool reports_start) {
  std::vector<Starting> tried;
  if (auto failure = Start({model}, tried)) return failure;
  if (auto failure = WaitReady(tried)) return failure;
  if (reports_start) report_->done(Step::kStart, "'" + model.name() + "' loaded");
  return Probe(tried);
}

// All are held before the first is waited for: their requests run out side by side.
std::optional<Failure> Exchange::MakeRoom(const Plan& plan) {
  std::vector<const Change*> going;
  for (const Change& change : plan.changes) {
    // One that does not serve has nothing to hold.
    if (Goes(change) && models_->Hold(change.model_name, plan.wait_s).ok())
      going.push_back(&change);
  }
  for (const std::string& name : plan.give_way) (void)models_->Hold(name, plan.wait_s);
  for (const Change* change : going) {
    report_->update(Step::kStart, 0, "'" + change->model_name + "' finishes its requests");
    const double drain_s = DrainTimeoutS(change->before->options, times_->drain_timeout_s);
    const Status stopped = models_->StopReplicas(change->model_name, drain_s, report_->give_up);
    if (!stopped.ok()) return FailureOf(stopped, "not_ready");
    stopped_.push_back(change->model_name);
  }
  for (const std::string& name : plan.give_way) {
    report_->update(Step::kStart, 0, "'" + name + "' gives way");
    const Status stopped = models_->StopReplicas(name, times_->drain_timeout_s, report_->give_up);
    if (!stopped.ok()) return FailureOf(stopped, "not_ready");
  }
  return std::nullopt;
}

std::optional<Failure> Exchange::Start(const std::vector<ServedModel>& models,
                                       std::vector<Starting>& started) {
  for (const ServedModel& model : models) {
    auto candidate = models_->StartCandidate(model.options);
    if (!candidate.ok()) return FailureOf(candidate.status(), "load_failed");
    started.push_back({model, std::move(candidate).value()});
  }
  return std::nullopt;
}

std::optional<Failure> Exchange::WaitReady(std::vector<Starting>& started) {
  for (Starting& starting : started) {
    const std::string& name = starting.model.name();
    double moved_s = MonotonicSeconds();
    double last_progress = -1;
    while (true) {
      const models::ReplicaStatus status = starting.candidate->status();
      if (status.state == ReplicaState::kReady) break;
      if (status.state != ReplicaState::kLoading) {
        return Failure{"load_failed", "'" + name + "' cannot be served: " + status.message};
      }
      if (report_->give_up()) return Cancelled();
      if (status.progress != last_progress) {
        last_progress = status.progress;
        moved_s = MonotonicSeconds();
        report_->update(Step::kStart, status.progress,
                        "'" + name + "': " + (status.phase.empty() ? "it begins" : status.phase));
      }
      if (MonotonicSeconds() - moved_s > times_->ready_timeout_s) {
        return Failure{"not_ready", "'" + name + "' made no progress for " +
                                        std::to_string(static_cast<int>(times_->ready_timeout_s)) +
                                        " s while it was loaded (" +
                                        (status.phase.empty() ? "starting" : status.phase) + ")"};
      }
      std::this_thread::sleep_for(kLookEvery);
    }
  }
  return std::nullopt;
}

std::optional<Failure> Exchange::Probe(std::vector<Starting>& started) {
  report_->begin(Step::kProbe);
  for (Starting& starting : started) {
    const auto answer =
        models_->Probe(*starting.candidate, times_->probe_timeout_s, report_->give_up);
    if (!answer.ok()) {
      if (answer.status().code() == StatusCode::kAborted) return Cancelled();
      return Failure{"probe_failed", "'" + starting.model.name() + "' did not answer a question: " +
                                         answer.status().message()};
    }
    report_->answered(*answer);
  }
  report_->done(Step::kProbe, "");
  return std::nullopt;
}

std::optional<Failure> Exchange::Switch(const Plan& plan, std::vector<Starting>& started) {
  report_->begin(Step::kSwitch);
  if (report_->give_up()) return Cancelled();
  for (const Change& change : plan.changes) {
    if (change.kind != Kind::kLive) continue;
    models::ModelOptions options = change.after->options;
    options.load = change.before->options.load;
    const Status applied = models_->ApplyLive(options);
    if (!applied.ok()) return FailureOf(applied, "load_failed");
    changed_.push_back(change.model_name);
  }
  for (Starting& starting : started) {
    const Status switched = models_->SwitchTo(starting.model.options, starting.candidate);
    if (!switched.ok()) return FailureOf(switched, "engine_crashed");
    changed_.push_back(starting.model.name());
  }
  for (const ServedModel& sleeper : sleepers_) {
    const Status served = models_->ServeAnew(sleeper.options);
    if (!served.ok()) return FailureOf(served, "load_failed");
    changed_.push_back(sleeper.name());
  }
  // Last: what is removed cannot fail any more, and need not come back.
  for (const Change& change : plan.changes) {
    if (change.kind != Kind::kRemove) continue;
    const Status removed = models_->Remove(change.model_name);
    if (!removed.ok()) LOG(kWarning) << removed.message();
  }
  report_->done(Step::kSwitch, "");
  return std::nullopt;
}

// Those whose engines ended, or that had changed already when another one's exchange failed.
std::string Exchange::GoBack(const Plan& plan) {
  const auto is_in = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  std::string trouble;
  for (const Change& change : plan.changes) {
    const bool has_changed = is_in(changed_, change.model_name);
    if (!has_changed && !is_in(stopped_, change.model_name)) continue;
    if (change.kind == Kind::kLive) {
      const Status applied = models_->ApplyLive(change.before->options);
      if (!applied.ok()) trouble += "; " + applied.message();
      continue;
    }
    if (!change.before) {
      const Status removed = models_->Remove(change.model_name);
      if (!removed.ok()) LOG(kWarning) << removed.message();
      continue;
    }
    const auto failure = StartAgain(*change.before);
    if (!failure) continue;
    trouble += "; '" + change.model_name + "' did not come back at once: " + failure->message;
    ServeAnyhow(*change.before);
  }
  return trouble;
}

std::optional<Failure> Exchange::StartAgain(const ServedModel& model) {
  const ExchangeReport silent{.begin = [](Step) {},
                              .update = [](Step, double, const std::string&) {},
                              .done = [](Step, const std::string&) {},
                              .answered = [](const models::ProbeAnswer&) {},
                              .give_up = report_->ends,
                              .ends = report_->ends};
  Exchange back(models_, times_, &silent);
  std::vector<Starting> started;
  if (auto failure = back.Start({model}, started)) return failure;
  if (auto failure = back.WaitReady(started)) return failure;
  const Status switched = models_->SwitchTo(model.options, started[0].candidate);
  if (!switched.ok()) return FailureOf(switched, "load_failed");
  return std::nullopt;
}

void Exchange::ServeAnyhow(const ServedModel& model) {
  const Status unloaded = models_->Unload(model.name(), 0);
  if (!unloaded.ok()) LOG(kWarning) << unloaded.message();
  const Status served = models_->Serve(model.options);
  if (!served.ok()) LOG(kError) << served.message();
}

void Exchange::Release(const Plan& plan) {
  if (plan.together) return;
  for (const std::string& name : plan.give_way) (void)models_->Release(name);
  for (const Change& change : plan.changes) {
    if (!Goes(change)) continue;
    const Status released = models_->Release(change.model_name);
    if (!released.ok()) LOG(kDebug) << released.message();
  }
}

}  // namespace hearth::apply
