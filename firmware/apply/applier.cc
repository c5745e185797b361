#include "firmware/apply/applier.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/clock.h"
#include "base/log.h"

namespace hearth::apply {
namespace {

using metrics::MetricId;
using models::ReplicaState;
using Kind = Change::Kind;

constexpr auto kLookEvery = std::chrono::milliseconds(100);
// So long the models must have served before a start counts as one that did not crash.
constexpr double kServedAfterS = 10;

bool NeedsEngines(const std::vector<Change>& changes) {
  return std::any_of(changes.begin(), changes.end(), StartsEngine);
}

std::string Describe(const std::vector<Change>& changes) {
  std::string text;
  for (const Change& change : changes) {
    if (change.kind == Kind::kSame) continue;
    const std::string_view verb = change.kind == Kind::kLive ? "change" : KindName(change.kind);
    text += (text.empty() ? "" : ", ") + std::string(verb) + " '" + change.model_name + "'";
  }
  return text.empty() ? "nothing changes" : text;
}

std::string RevisionText(int64_t revision) {
  return revision == 0 ? "no revision" : "revision " + std::to_string(revision);
}

std::string FirstErrors(const std::vector<config::Problem>& problems) {
  std::string text;
  for (const config::Problem& problem : problems) {
    if (problem.severity == config::Severity::kError)
      text += (text.empty() ? "" : "; ") + problem.message;
  }
  return text;
}

}  // namespace

Applier::Applier(ConfigStore* store, models::ModelManager* models, metrics::Registry* registry,
                 storage::History* history, ApplierOptions options)
    : store_(store),
      models_(models),
      registry_(registry),
      history_(history),
      options_(std::move(options)),
      validator_(models, options_.validator) {
  registry_->Set(registry_->Get(MetricId::kRecoveryMode), 0);
  registry_->Set(registry_->Get(MetricId::kConfigApplyInProgress), 0);
  registry_->Get(MetricId::kConfigApplies, {"confirmed", ""});
  for (const std::string_view reason : kFailureReasons) {
    registry_->Get(MetricId::kConfigApplies, {"returned", std::string(reason)});
  }
}

Applier::~Applier() { Stop(); }

// ---- The start of hearthd

void Applier::Start() {
  const auto interrupted = store_->EndInterrupted();
  if (interrupted.ok() && *interrupted) {
    Event("config_returned", "the apply of revision " + std::to_string((*interrupted)->revision) +
                                 " was interrupted; " + RevisionText((*interrupted)->previous) +
                                 " serves");
    CountOutcome("returned", "interrupted");
  }
  const auto active = store_->active();
  if (!active.ok()) return Event("config_trouble", active.status().message());
  ShowActive(*active);
  if (*active == 0) return;
  const auto start = store_->BeginStart(*active, options_.crashes_within_s);
  if (!start.ok()) LOG(kError) << "this start could not be written: " << start.status().message();
  if (start.ok()) {
    std::lock_guard lock(mutex_);
    start_ = start->id;
  }
  if (start.ok() && options_.crashes_max > 0 && start->crashes >= options_.crashes_max) {
    const std::string times =
        start->crashes == 1 ? "once" : std::to_string(start->crashes) + " times";
    return EnterRecovery(*active, RevisionText(*active) + " has ended hearthd " + times +
                                      " before its models served; no model is started until "
                                      "another revision is applied");
  }
  ServeActive(*active);
}

void Applier::EnterRecovery(int64_t active, const std::string& why) {
  {
    std::lock_guard lock(mutex_);
    recovery_ = why;
  }
  registry_->Set(registry_->Get(MetricId::kRecoveryMode), 1);
  Event("recovery_mode", why);
  const Status noted = store_->Note("hearthd", "recovery_mode", why, active);
  if (!noted.ok()) LOG(kError) << noted.message();
}

void Applier::ServeActive(int64_t active) {
  const auto revision = store_->Get(active);
  if (!revision.ok()) return EnterRecovery(active, revision.status().message());
  config::CheckedModelConfig checked =
      config::CheckModelConfig(revision->document, validator_.Facts());
  if (!checked.ok()) {
    return EnterRecovery(active, RevisionText(active) + " cannot be served by this release: " +
                                     FirstErrors(checked.problems));
  }
  for (const config::LlmConfig& llm_config : checked.llm_configs) {
    ServedModel model = validator_.ToServe(llm_config);
    LOG(kInfo) << "serving model '" << model.name() << "' from " << model.directory;
    const Status served = models_->Serve(model.options);
    if (!served.ok()) Event("config_trouble", "a model is not served: " + served.message());
    std::lock_guard lock(mutex_);
    serving_.push_back(std::move(model));
  }
  std::lock_guard lock(mutex_);
  capped_ = std::move(checked.capped);
}

void Applier::Observe() {
  int64_t start = 0;
  {
    std::lock_guard lock(mutex_);
    if (recovery_.empty()) start = start_;
  }
  if (start == 0) return;
  const auto statuses = models_->Statuses();
  // A model that cannot be loaded has not crashed hearthd.
  const bool all_ready = std::all_of(statuses.begin(), statuses.end(), [](const auto& status) {
    return status.replica.state != ReplicaState::kLoading;
  });
  const double now_s = MonotonicSeconds();
  if (!all_ready) ready_since_s_ = 0;
  if (all_ready && ready_since_s_ == 0) ready_since_s_ = now_s;
  if (ready_since_s_ == 0 || now_s - ready_since_s_ < kServedAfterS) return;
  const Status marked = store_->MarkServed(start);
  if (!marked.ok()) return LOG(kError) << marked.message(), void();
  std::lock_guard lock(mutex_);
  start_ = 0;
}

// ---- An apply

Result<int64_t> Applier::Apply(int64_t revision_id, const std::string& author, Watching watching) {
  std::lock_guard applying(apply_mutex_);
  HEARTH_ASSIGN_OR_RETURN(Revision revision, store_->Get(revision_id));
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return Unavailable("the server is shutting down");
    if (status_ && !status_->has_ended()) {
      return Aborted("apply " + std::to_string(status_->id) + " of revision " +
                     std::to_string(status_->revision) + " is running; wait for it, or cancel it");
    }
  }
  // One whose end could not be written, on a full disk perhaps, has ended all the same.
  const auto unwritten = store_->EndInterrupted("its outcome could not be written");
  if (!unwritten.ok()) return unwritten.status();
  HEARTH_ASSIGN_OR_RETURN(const int64_t previous, store_->active());
  HEARTH_ASSIGN_OR_RETURN(const int64_t id, store_->BeginApply(revision_id, author));
  if (thread_.joinable()) thread_.join();
  {
    std::lock_guard lock(mutex_);
    ApplyStatus status;
    status.id = id;
    status.revision = revision_id;
    status.previous = previous;
    status.author = author;
    status.started_ms = WallMillis();
    status_ = std::move(status);
    is_watched_ = watching == Watching::kWatched;
    cancelled_ = kept_ = decided_ = false;
    kept_by_ = cancelled_by_ = "";
  }
  registry_->Set(registry_->Get(MetricId::kConfigApplyInProgress), 1);
  Event("config_apply_started",
        "revision " + std::to_string(revision_id) + " is applied by " + author);
  thread_ = std::thread([this, id, revision = std::move(revision)] { Run(id, revision); });
  return id;
}

void Applier::Run(int64_t, Revision revision) {
  Validated validated;
  const auto failure = RunSteps(revision, validated);
  if (failure) {
    End(Named(*failure));
  } else {
    Confirm(validated);
  }
  registry_->Set(registry_->Get(MetricId::kConfigApplyInProgress), 0);
  changed_.notify_all();
}

// Who gave up, when somebody did.
Failure Applier::Named(Failure failure) const {
  if (failure.reason != "cancelled") return failure;
  std::lock_guard lock(mutex_);
  if (cancelled_) {
    failure.message += " (by " + cancelled_by_ + ")";
    return failure;
  }
  return {"interrupted", "hearthd ended before the revision was confirmed"};
}

std::optional<Failure> Applier::RunSteps(const Revision& revision, Validated& validated) {
  BeginStep(Step::kValidate);
  validated = validator_.Validate(revision.document, serving());
  if (!validated.checked.ok()) return Failure{"invalid", FirstErrors(validated.checked.problems)};
  EndStep(Step::kValidate, "done", Describe(validated.changes));
  Exchange::Plan plan;
  plan.changes = validated.changes;
  if (validated.fit) {
    BeginStep(Step::kFit);
    const models::FitEstimate& fit = *validated.fit;
    std::string text;
    for (const std::string& sentence : fit.sentences) text += (text.empty() ? "" : " ") + sentence;
    if (!fit.fits) return Failure{"does_not_fit", text};
    plan.together = fit.fits_together;
    plan.wait_s = fit.announced_wait_s;
    plan.give_way = validated.give_way;
    {
      std::lock_guard lock(mutex_);
      status_->announced_wait_s = fit.announced_wait_s;
    }
    EndStep(Step::kFit, "done", text);
  }
  {
    std::lock_guard lock(mutex_);
    plan_ = plan;
  }
  const ExchangeReport report = ReportTo();
  Exchange exchange(models_, &options_.times, &report);
  if (auto failure = exchange.Run(plan)) return failure;
  bool is_watched = false;
  {
    std::lock_guard lock(mutex_);
    is_watched = is_watched_;
  }
  auto failure = is_watched && NeedsEngines(plan.changes) ? Watch(plan.changes) : std::nullopt;
  if (failure) GoBack(plan, *failure);
  return failure;
}

ExchangeReport Applier::ReportTo() {
  return {.begin = [this](Step step) { BeginStep(step); },
          .update = [this](Step step, double progress,
                           const std::string& text) { UpdateStep(step, progress, text); },
          .done = [this](Step step, const std::string& text) { EndStep(step, "done", text); },
          .answered =
              [this](const models::ProbeAnswer& answer) {
                std::lock_guard lock(mutex_);
                status_->probe = answer;
              },
          .give_up =
              [this] {
                std::lock_guard lock(mutex_);
                return cancelled_ || stopping_;
              },
          .ends =
              [this] {
                std::lock_guard lock(mutex_);
                return stopping_;
              }};
}

std::optional<Failure> Applier::Watch(const std::vector<Change>& changes) {
  BeginStep(Step::kWatch);
  BeginStep(Step::kDrain);
  std::vector<std::string> watched, drained;
  for (const Change& change : changes) {
    if (StartsEngine(change)) watched.push_back(change.model_name);
    if (change.before && change.kind != Kind::kSame && change.kind != Kind::kLive)
      drained.push_back(change.model_name);
  }
  const double until_s = MonotonicSeconds() + options_.times.watch_s;
  std::unique_lock lock(mutex_);
  status_->state = "watching";
  status_->watch_until_ms = WallMillis() + static_cast<int64_t>(options_.times.watch_s * 1000);
  while (true) {
    if (stopping_) return Failure{"interrupted", "hearthd ended before the revision was confirmed"};
    if (cancelled_) return Failure{"cancelled", "the apply was cancelled while it was watched"};
    const bool is_over = kept_ || MonotonicSeconds() >= until_s;
    lock.unlock();
    bool is_ready = true;
    int num_draining = 0;
    for (const std::string& name : drained) num_draining += models_->num_draining(name);
    if (num_draining == 0) EndStep(Step::kDrain, "done", "");
    for (const auto& status : models_->Statuses()) {
      if (std::find(watched.begin(), watched.end(), status.model_name) == watched.end()) continue;
      for (const models::ReplicaView& replica : status.replicas) {
        if (replica.status.restarts == 0 || !replica.status.last_crash) continue;
        return Failure{"engine_crashed", "the engine of model '" + status.model_name + "' " +
                                             replica.status.last_crash->how +
                                             " while it was watched"};
      }
      // One that has just ended is about to say how.
      is_ready = is_ready && (status.is_asleep || models::Serves(status.replica.state));
    }
    lock.lock();
    if (is_over && is_ready) {
      if (cancelled_) continue;
      decided_ = true;
      break;
    }
    changed_.wait_for(lock, kLookEvery);
  }
  lock.unlock();
  EndStep(Step::kWatch, "done", kept_by_.empty() ? "" : "kept by " + kept_by_);
  return std::nullopt;
}

void Applier::GoBack(const Exchange::Plan& plan, Failure& failure) {
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return;  // the next start serves the active revision
    status_->state = "running";
    status_->CloseSteps("failed", failure.message, WallMillis());
  }
  BeginStep(Step::kReturn);
  Exchange::Plan back = plan;
  back.changes = Reversed(plan.changes);
  back.probes = false;
  const auto ends = [this] {
    std::lock_guard lock(mutex_);
    return stopping_;
  };
  const ExchangeReport report{
      .begin = [](Step) {},
      .update = [this](Step, double progress,
                       const std::string& text) { UpdateStep(Step::kReturn, progress, text); },
      .done = [](Step, const std::string&) {},
      .answered = [](const models::ProbeAnswer&) {},
      .give_up = ends,
      .ends = ends};
  Exchange exchange(models_, &options_.times, &report);
  const auto trouble = exchange.Run(back);
  if (trouble) {
    failure.message += "; and the way back met trouble: " + trouble->message;
    for (const Change& change : back.changes) {
      if (change.after && change.kind != Kind::kSame && change.kind != Kind::kLive)
        exchange.ServeAnyhow(*change.after);
      if (change.kind == Kind::kRemove) (void)models_->Remove(change.model_name).ok();
    }
  }
  EndStep(Step::kReturn, trouble ? "failed" : "done",
          trouble ? trouble->message : RevisionText(status()->previous) + " serves");
}

void Applier::Confirm(const Validated& validated) {
  BeginStep(Step::kConfirm);
  ApplyStatus status = *this->status();
  std::string author;
  {
    std::lock_guard lock(mutex_);
    author = kept_by_.empty() ? "hearthd" : kept_by_;
  }
  const std::string message =
      "revision " + std::to_string(status.revision) + " serves: " + Describe(validated.changes);
  status.state = "confirmed";
  status.message = message;
  status.CloseSteps("done", "", WallMillis());
  const Status kept = store_->Confirm(status.id, author, message, DumpJson(ToJson(status)));
  if (!kept.ok()) {
    Failure failure{"not_kept",
                    "it could not be written that the revision is good: " + kept.message()};
    Exchange::Plan plan;
    {
      std::lock_guard lock(mutex_);
      plan = plan_;
    }
    GoBack(plan, failure);
    return End(failure);
  }
  ShowActive(status.revision);
  bool was_recovery = false;
  {
    std::lock_guard lock(mutex_);
    was_recovery = !recovery_.empty();
    status.ended_ms = WallMillis();
    status_ = std::move(status);
    serving_ = validated.models;
    capped_ = validated.checked.capped;
    recovery_.clear();
  }
  if (was_recovery) registry_->Set(registry_->Get(MetricId::kRecoveryMode), 0);
  CountOutcome("confirmed", "");
  Event("config_applied", message);
}

void Applier::End(const Failure& failure) {
  ApplyStatus status;
  {
    std::lock_guard lock(mutex_);
    status_->state = "returned";
    status_->reason = failure.reason;
    status_->message = failure.message;
    status_->CloseSteps("failed", failure.message, WallMillis());
    status = *status_;
  }
  const Status ended =
      store_->End(status.id, "returned", failure.reason, failure.message, DumpJson(ToJson(status)));
  if (!ended.ok())
    LOG(kError) << "the outcome of an apply could not be written: " << ended.message();
  {
    std::lock_guard lock(mutex_);
    status_->ended_ms = WallMillis();
  }
  CountOutcome("returned", failure.reason);
  Event("config_returned", "revision " + std::to_string(status.revision) + " was not taken (" +
                               failure.reason + "): " + failure.message + "; " +
                               RevisionText(status.previous) + " serves");
}

// ---- What people say meanwhile

Status Applier::Keep(const std::string& author) {
  std::lock_guard lock(mutex_);
  if (!status_ || status_->state != "watching" || status_->has_ended()) {
    return FailedPrecondition("no apply is being watched");
  }
  kept_ = true;
  kept_by_ = author;
  changed_.notify_all();
  return Status::Ok();
}

Status Applier::Cancel(const std::string& author) {
  int64_t apply = 0, revision = 0;
  {
    std::lock_guard lock(mutex_);
    if (!status_ || status_->has_ended() || decided_) {
      return FailedPrecondition("no apply is running");
    }
    cancelled_ = true;
    cancelled_by_ = author;
    apply = status_->id;
    revision = status_->revision;
    changed_.notify_all();
  }
  return store_->Note(author, "cancel_asked", "", revision, apply);
}

bool Applier::WaitForEnd(double timeout_s) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::duration<double>(timeout_s),
                           [this] { return !status_ || status_->has_ended(); });
}

std::optional<ApplyStatus> Applier::status() const {
  std::lock_guard lock(mutex_);
  return status_;
}

std::string Applier::recovery() const {
  std::lock_guard lock(mutex_);
  // A revision that is watched serves, and ends recovery mode when it is confirmed.
  return status_ && status_->state == "watching" ? "" : recovery_;
}

std::vector<config::Capped> Applier::capped() const {
  std::lock_guard lock(mutex_);
  return capped_;
}

std::vector<ServedModel> Applier::serving() const {
  std::lock_guard lock(mutex_);
  return serving_;
}

void Applier::Stop() {
  std::lock_guard applying(apply_mutex_);
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  int64_t start = 0;
  {
    std::lock_guard lock(mutex_);
    if (recovery_.empty()) start = std::exchange(start_, 0);
  }
  if (start == 0) return;
  const Status marked = store_->MarkServed(start);
  if (!marked.ok()) LOG(kWarning) << marked.message();
}

// ---- What is said of it

void Applier::BeginStep(Step step) {
  int64_t apply = 0;
  {
    std::lock_guard lock(mutex_);
    StepStatus& status = status_->at(step);
    status.state = "running";
    status.started_ms = WallMillis();
    apply = status_->id;
  }
  const Status noted = store_->NoteStep(apply, std::string(StepName(step)));
  if (!noted.ok()) LOG(kError) << "a step of an apply could not be written: " << noted.message();
}

void Applier::UpdateStep(Step step, double progress, const std::string& text) {
  std::lock_guard lock(mutex_);
  status_->at(step).progress = progress;
  status_->at(step).text = text;
}

void Applier::EndStep(Step step, const std::string& state, const std::string& text) {
  std::lock_guard lock(mutex_);
  StepStatus& status = status_->at(step);
  if (status.state != "running") return;
  status.state = state;
  status.progress = 1;
  status.ended_ms = WallMillis();
  if (!text.empty()) status.text = text;
}

void Applier::Event(const char* kind, const std::string& text) {
  LOG(kInfo) << text;
  history_->AddEvent({WallMillis(), kind, text});
}

void Applier::CountOutcome(const std::string& outcome, const std::string& reason) {
  registry_->Add(registry_->Get(MetricId::kConfigApplies, {outcome, reason}), 1);
}

void Applier::ShowActive(int64_t revision) {
  registry_->Set(registry_->Get(MetricId::kConfigActiveRevision), static_cast<double>(revision));
}

}  // namespace hearth::apply
