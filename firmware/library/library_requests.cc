// What people ask of the library: see library.cc for what it does by itself.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/clock.h"
#include "firmware/library/files.h"
#include "firmware/library/intake.h"
#include "firmware/library/library.h"
#include "firmware/library/names.h"

namespace hearth::library {
namespace {

namespace fs = std::filesystem;
using metrics::MetricId;

constexpr double kMeasureS = 30;

bool IsIn(const std::string& path, const std::string& folder) {
  return path == folder || path.starts_with(folder + "/");
}

std::string Canonical(const std::string& path) {
  std::error_code error;
  const auto canonical = fs::weakly_canonical(path, error);
  return error ? path : canonical.string();
}

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

JobRecord NewRecord(JobKind kind, const std::string& model, const std::string& revision = "",
                    const std::string& path = "") {
  JobRecord record;
  record.kind = kind;
  record.model = model;
  record.revision = revision;
  record.path = path;
  return record;
}

}  // namespace

Status Library::CheckOnline() const {
  if (options_.offline.empty()) return Status::Ok();
  return FailedPrecondition("this box makes no outbound connection (" + options_.offline +
                            "); import the model from a directory or upload it");
}

Library::EntryPtr Library::ActiveOf(const std::string& model) const {
  for (const EntryPtr& entry : entries_) {
    if (entry->job.record().model == model && !HasEnded(entry->job.state())) return entry;
  }
  return nullptr;
}

Status Library::CheckIdle(const std::string& model) const {
  const EntryPtr active = ActiveOf(model);
  if (active == nullptr) return Status::Ok();
  const JobRecord record = active->job.record();
  return FailedPrecondition("a " + std::string(KindName(record.kind)) + " of '" + model + "' is " +
                            std::string(StateName(record.state)) + " (job " + record.id +
                            "); wait for it or cancel it");
}

Library::EntryPtr Library::AddJob(JobRecord record) {
  record.started_ms = WallMillis();
  last_id_ = std::max(last_id_ + 1, record.started_ms);
  record.id = std::to_string(last_id_);
  // A new try takes the place of the one that failed, and goes on with what that has brought.
  const std::vector<EntryPtr> before = entries_;
  for (const EntryPtr& entry : before) {
    const JobRecord old = entry->job.record();
    const bool is_superseded = old.kind == record.kind && old.model == record.model &&
                               old.state == JobState::kFailed && !entry->runs;
    if (is_superseded) Forget(entry);
  }
  entries_.push_back(std::make_shared<Entry>(std::move(record)));
  Save(*entries_.back());
  StartWaiting();
  return entries_.back();
}

Result<Library::Started> Library::StartPull(const std::string& model, const std::string& revision) {
  HEARTH_RETURN_IF_ERROR(CheckModelId(model));
  HEARTH_RETURN_IF_ERROR(CheckRevision(revision));
  HEARTH_RETURN_IF_ERROR(CheckOnline());
  HEARTH_RETURN_IF_ERROR(CheckPlaceFree(shelf_, model));
  const std::lock_guard lock(mutex_);
  HEARTH_RETURN_IF_ERROR(prepared_);
  if (const EntryPtr active = ActiveOf(model)) {
    const JobRecord record = active->job.record();
    if (record.kind != JobKind::kPull) return CheckIdle(model);
    if (record.revision != revision) {
      return FailedPrecondition("revision '" + record.revision + "' of " + model +
                                " is being pulled (job " + record.id + "); wait for it or cancel it");
    }
    if (record.state == JobState::kPaused && !active->runs) {
      active->waits_for_space = false;
      active->job.Restart();
      StartWaiting();
    }
    return Started{active->job.View(), true};
  }
  return Started{
      AddJob(NewRecord(JobKind::kPull, model, revision))->job.View(), false};
}

Result<Library::Started> Library::StartImport(const std::string& path, const std::string& model) {
  HEARTH_RETURN_IF_ERROR(CheckModelId(model));
  if (!fs::path(path).is_absolute()) {
    return InvalidArgument("'" + path + "' is no absolute path of a directory on this box");
  }
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    return NotFound("there is no directory " + path + " that hearthd can see");
  }
  if (IsIn(Canonical(path), Canonical(shelf_.directory()))) {
    return InvalidArgument(path + " is in the models directory already");
  }
  HEARTH_RETURN_IF_ERROR(CheckPlaceFree(shelf_, model));
  const std::lock_guard lock(mutex_);
  HEARTH_RETURN_IF_ERROR(prepared_);
  HEARTH_RETURN_IF_ERROR(CheckIdle(model));
  return Started{
      AddJob(NewRecord(JobKind::kImport, model, "", path))->job.View(), false};
}

Result<Library::Started> Library::StartVerify(const std::string& model) {
  HEARTH_RETURN_IF_ERROR(CheckModelId(model));
  if (!shelf_.Find(model)) return NotFound("there is no model '" + model + "' in the library");
  const std::lock_guard lock(mutex_);
  HEARTH_RETURN_IF_ERROR(prepared_);
  HEARTH_RETURN_IF_ERROR(CheckIdle(model));
  return Started{AddJob(NewRecord(JobKind::kVerify, model))->job.View(), false};
}

Status Library::AdmitUpload(const std::string& model, const std::string& file, uint64_t bytes) const {
  HEARTH_RETURN_IF_ERROR(CheckModelId(model));
  HEARTH_RETURN_IF_ERROR(CheckFilePath(file));
  if (!IsWanted(file) || file == kManifestName) {
    return InvalidArgument("'" + file +
                           "' is no file that serving takes: upload *.safetensors, *.json, the "
                           "tokenizer, *.jinja, *.txt, LICENSE or README");
  }
  HEARTH_RETURN_IF_ERROR(CheckPlaceFree(shelf_, model));
  {
    const std::lock_guard lock(mutex_);
    HEARTH_RETURN_IF_ERROR(prepared_);
    HEARTH_RETURN_IF_ERROR(CheckIdle(model));
  }
  return disk_.CheckRoomFor(bytes);
}

Status Library::TakeUpload(const std::string& model, const std::string& file,
                           const std::string& body_path) {
  HEARTH_RETURN_IF_ERROR(AdmitUpload(model, file, 0));
  const std::string staged = shelf_.IncomingPath(model);
  std::error_code error;
  fs::create_directories(staged, error);
  if (error) return ErrnoStatus("cannot make " + staged, error.value());
  {
    const Fd body(::open(body_path.c_str(), O_RDONLY | O_CLOEXEC));
    if (body.get() < 0) return ErrnoStatus("cannot open the body at " + body_path, errno);
    HEARTH_RETURN_IF_ERROR(SyncFile(body.get(), file));
    if (::fchmod(body.get(), 0644) != 0) return ErrnoStatus("cannot open " + file + " to others", errno);
  }
  return MoveDurably(body_path, staged + "/" + file);
}

Result<Library::Started> Library::FinishUpload(const std::string& model) {
  HEARTH_RETURN_IF_ERROR(CheckModelId(model));
  std::error_code error;
  if (!fs::is_directory(shelf_.IncomingPath(model), error)) {
    return NotFound("nothing of '" + model + "' was uploaded");
  }
  const std::lock_guard lock(mutex_);
  HEARTH_RETURN_IF_ERROR(prepared_);
  HEARTH_RETURN_IF_ERROR(CheckIdle(model));
  return Started{AddJob(NewRecord(JobKind::kUpload, model))->job.View(), false};
}

Result<Library::EntryPtr> Library::FindEntry(const std::string& id) const {
  for (const EntryPtr& entry : entries_) {
    if (entry->job.record().id == id) return entry;
  }
  return NotFound("there is no job '" + id + "'");
}

Status Library::Pause(const std::string& id) {
  const std::lock_guard lock(mutex_);
  HEARTH_ASSIGN_OR_RETURN(const EntryPtr entry, FindEntry(id));
  const JobRecord record = entry->job.record();
  if (HasEnded(record.state)) return FailedPrecondition("the job '" + id + "' has ended");
  if (record.kind != JobKind::kPull && record.kind != JobKind::kImport) {
    return FailedPrecondition("a " + std::string(KindName(record.kind)) +
                              " is not paused; cancel it and begin again");
  }
  if (entry->runs) {
    entry->job.Ask(Job::Stop::kPause);
    return Status::Ok();
  }
  entry->waits_for_space = false;
  entry->job.SetState(JobState::kPaused);
  Save(*entry);
  return Status::Ok();
}

Status Library::Resume(const std::string& id) {
  const std::lock_guard lock(mutex_);
  HEARTH_ASSIGN_OR_RETURN(const EntryPtr entry, FindEntry(id));
  const JobRecord record = entry->job.record();
  const bool can = record.state == JobState::kPaused || record.state == JobState::kFailed;
  if (!can || entry->runs) {
    return FailedPrecondition("the job '" + id + "' is " + std::string(StateName(record.state)) +
                              "; only a paused or failed one can be resumed");
  }
  if (record.kind == JobKind::kPull) HEARTH_RETURN_IF_ERROR(CheckOnline());
  if (record.state == JobState::kFailed) HEARTH_RETURN_IF_ERROR(CheckIdle(record.model));
  entry->waits_for_space = false;
  entry->job.Restart();
  Save(*entry);
  StartWaiting();
  return Status::Ok();
}

Status Library::Cancel(const std::string& id) {
  const std::lock_guard lock(mutex_);
  HEARTH_ASSIGN_OR_RETURN(const EntryPtr entry, FindEntry(id));
  const JobRecord record = entry->job.record();
  if (entry->runs) {
    entry->job.Ask(Job::Stop::kCancel);
    return Status::Ok();
  }
  if (record.state == JobState::kDone || record.state == JobState::kCancelled) {
    return FailedPrecondition("the job '" + id + "' has ended");
  }
  // Another try may be at work in the same folder.
  const bool is_alone = record.state != JobState::kFailed || ActiveOf(record.model) == nullptr;
  if (is_alone) DiscardUnfinished(record);
  entry->waits_for_space = false;
  entry->job.SetState(JobState::kCancelled);
  if (record.kind == JobKind::kPull) CountPull("cancelled");
  Save(*entry);
  return Status::Ok();
}

// What serves from `folders`, or would at its next load; empty: nothing does.
std::string Library::UsersOf(const std::string& model, const std::vector<std::string>& folders,
                             bool holds_source) const {
  std::vector<std::string> users;
  for (const Use& use : hooks_.uses()) {
    const std::string directory = use.directory.empty() ? "" : Canonical(use.directory);
    const bool is_in = std::any_of(folders.begin(), folders.end(), [&](const std::string& folder) {
      return IsIn(directory, Canonical(folder));
    });
    if (is_in || (holds_source && use.source == model)) users.push_back("'" + use.name + "'");
  }
  std::sort(users.begin(), users.end());
  users.erase(std::unique(users.begin(), users.end()), users.end());
  return users.empty() ? "" : Joined(users);
}

Status Library::Remove(const std::string& model, const std::string& path) {
  HEARTH_RETURN_IF_ERROR(CheckModelId(model));
  std::vector<std::string> folders = {shelf_.RepositoryPath(model),
                                      (fs::path(shelf_.directory()) / model).string()};
  bool holds_source = true;
  if (!path.empty()) {
    // Only what was shown as a row of its own.
    const std::vector<ModelView> rows = shelf_.Scan();
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const ModelView& each) {
      return each.id == model && each.path == path;
    });
    if (row == rows.end()) return NotFound("'" + path + "' is no folder of the model '" + model + "'");
    const auto newest = shelf_.Find(model);
    holds_source = newest && newest->path == path;
    folders = {path};
  }
  if (const std::string users = UsersOf(model, folders, holds_source); !users.empty()) {
    return FailedPrecondition("'" + model + "' is served or configured as " + users +
                              "; remove that model from the configuration first");
  }
  const std::lock_guard lock(mutex_);
  HEARTH_RETURN_IF_ERROR(prepared_);
  HEARTH_RETURN_IF_ERROR(CheckIdle(model));
  HEARTH_RETURN_IF_ERROR(path.empty() ? shelf_.Remove(model) : shelf_.Discard(path));
  const std::vector<EntryPtr> before = entries_;
  for (const EntryPtr& entry : before) {
    if (entry->job.record().model == model && !entry->runs) Forget(entry);
  }
  next_measure_s_ = 0;
  hooks_.on_event("model_removed",
                  (path.empty() ? model : path) + " was removed from the library");
  return Status::Ok();
}

std::set<std::string> Library::BusyModels() const {
  std::set<std::string> busy;
  for (const EntryPtr& entry : entries_) {
    if (!HasEnded(entry->job.state())) busy.insert(entry->job.record().model);
  }
  return busy;
}

uint64_t Library::CollectGarbage() {
  {
    const std::lock_guard lock(mutex_);
    if (!prepared_.ok()) return 0;
    shelf_.BinForgotten(BusyModels());
  }
  return shelf_.EmptyTrash();
}

// ---- what people see

std::vector<JobView> Library::Jobs() const {
  const std::lock_guard lock(mutex_);
  std::vector<JobView> views;
  for (const EntryPtr& entry : entries_) views.push_back(entry->job.View());
  std::reverse(views.begin(), views.end());
  return views;
}

Result<JobView> Library::JobOf(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  HEARTH_ASSIGN_OR_RETURN(const EntryPtr entry, FindEntry(id));
  return entry->job.View();
}

LibraryView Library::View() const {
  LibraryView view;
  view.models_directory = shelf_.directory();
  view.offline = !options_.offline.empty();
  view.endpoint = options_.hub.endpoint;
  if (const auto space = SpaceOf(shelf_.directory()); space.ok()) {
    view.disk = {space->total_bytes, space->free_bytes, disk_.ReserveOf(*space)};
  }
  view.models = shelf_.Scan();
  const std::vector<Use> uses = hooks_.uses();
  for (ModelView& model : view.models) {
    const std::string path = Canonical(model.path);
    for (const Use& use : uses) {
      if (!use.directory.empty() && Canonical(use.directory) == path) model.served_as.push_back(use.name);
    }
    std::sort(model.served_as.begin(), model.served_as.end());
    const auto last = std::unique(model.served_as.begin(), model.served_as.end());
    model.served_as.erase(last, model.served_as.end());
  }
  view.jobs = Jobs();
  std::set<std::string> busy;
  {
    const std::lock_guard lock(mutex_);
    busy = BusyModels();
    view.problem = prepared_.message();
  }
  view.garbage_bytes = shelf_.GarbageBytes(busy);
  return view;
}

void Library::Observe() {
  bool measure = false;
  {
    const std::lock_guard lock(mutex_);
    measure = MonotonicSeconds() >= next_measure_s_;
    if (measure) next_measure_s_ = MonotonicSeconds() + kMeasureS;
  }
  if (measure) {
    const uint64_t bytes = BytesOnDisk(shelf_.directory());
    registry_->Set(registry_->Get(MetricId::kLibraryBytes), static_cast<double>(bytes));
  }
  metrics::Metric* const free = registry_->Get(MetricId::kLibraryDiskFreeBytes);
  const auto space = SpaceOf(shelf_.directory());
  registry_->SetExposed(free, space.ok());
  if (space.ok()) registry_->Set(free, static_cast<double>(space->free_bytes));
}

}  // namespace hearth::library
