#include "firmware/library/library.h"

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "base/clock.h"
#include "base/durable_file.h"
#include "base/fields.h"
#include "base/log.h"
#include "firmware/library/intake.h"
#include "firmware/library/names.h"
#include "firmware/library/pull.h"

namespace hearth::library {
namespace {

namespace fs = std::filesystem;
using metrics::MetricId;

constexpr int kPullsAtOnce = 2;    // each with hub.connections connections
constexpr int kOthersAtOnce = 1;   // they are bound by the disk
constexpr size_t kEndedJobsKept = 50;
constexpr double kKeepS = 0.5;
constexpr double kCollectionS = 24 * 3600;

// A file on the disk may say anything.
bool IsSound(const JobRecord& record) {
  const bool is_id = !record.id.empty() &&
                     record.id.find_first_not_of("0123456789") == std::string::npos;
  const auto kind = static_cast<int>(record.kind);
  const auto state = static_cast<int>(record.state);
  return is_id && CheckModelId(record.model).ok() && kind >= 0 &&
         kind <= static_cast<int>(JobKind::kVerify) && state >= 0 &&
         state <= static_cast<int>(JobState::kCancelled) &&
         (record.commit.empty() || IsCommit(record.commit));
}

}  // namespace

Library::Library(LibraryOptions options, LibraryHooks hooks, metrics::Registry* registry)
    : options_(std::move(options)),
      hooks_(std::move(hooks)),
      registry_(registry),
      shelf_(options_.models_directory),
      disk_(options_.models_directory, options_.disk_reserve_bytes) {
  for (const char* outcome : {"done", "failed", "cancelled"}) {
    registry_->Get(MetricId::kPulls, {outcome});
  }
  registry_->Get(MetricId::kPullBytes);
}

Library::~Library() { Stop(); }

void Library::Start() {
  const std::lock_guard lock(mutex_);
  prepared_ = shelf_.Prepare();
  if (!prepared_.ok()) {
    LOG(kWarning) << prepared_.message();
  } else {
    LoadRecords();
  }
  keeper_ = std::thread([this] { Keep(); });
}

void Library::Stop() {
  std::vector<EntryPtr> entries;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    entries = entries_;
    wake_.notify_all();
  }
  for (const EntryPtr& entry : entries) entry->job.Ask(Job::Stop::kShutdown);
  if (keeper_.joinable()) keeper_.join();
  for (const EntryPtr& entry : entries) {
    if (entry->thread.joinable()) entry->thread.join();
  }
}

// ---- what the last hearthd left, and what this one writes down

void Library::LoadRecords() {
  std::error_code error;
  std::vector<JobRecord> records;
  for (const auto& file : fs::directory_iterator(shelf_.JobsPath(), error)) {
    if (file.path().extension() != ".json") continue;
    const auto json = ParseJson(ReadSmallFile(file.path().string()).value_or(""));
    const auto record = json.ok() ? FromJson<JobRecord>(*json) : Result<JobRecord>(json.status());
    if (record.ok() && IsSound(*record)) {
      records.push_back(*record);
    } else {
      LOG(kWarning) << "the job in " << file.path().string() << " cannot be read and is forgotten";
      (void)RemoveDurably(file.path().string());
    }
  }
  std::sort(records.begin(), records.end(), [](const JobRecord& a, const JobRecord& b) {
    return std::pair(a.started_ms, a.id) < std::pair(b.started_ms, b.id);
  });
  for (JobRecord& record : records) {
    const bool goes_on = record.state != JobState::kPaused && !HasEnded(record.state);
    if (goes_on) {
      record.state = JobState::kWaiting;
      LOG(kInfo) << "going on with the " << KindName(record.kind) << " of " << record.model;
    }
    const bool is_forbidden = goes_on && record.kind == JobKind::kPull && !options_.offline.empty();
    entries_.push_back(std::make_shared<Entry>(std::move(record)));
    if (is_forbidden) entries_.back()->job.SetState(JobState::kPaused, CheckOnline().message());
  }
}

// What has ended well is not kept: a pull that was done is a model.
void Library::Save(const Entry& entry) const {
  JobRecord record = entry.job.record();
  const std::string path = shelf_.JobsPath() + "/" + record.id + ".json";
  if (record.state == JobState::kDone || record.state == JobState::kCancelled) {
    if (const Status removed = RemoveDurably(path); !removed.ok()) LOG(kWarning) << removed.message();
    return;
  }
  if (entry.waits_for_space) record.state = JobState::kWaiting;  // after a restart it looks again
  if (const Status saved = WriteDurably(path, DumpJson(ToJson(record))); !saved.ok()) {
    LOG(kWarning) << "a restart may not know of the job " << record.id << ": " << saved.message();
  }
}

void Library::Forget(const EntryPtr& entry) {
  (void)RemoveDurably(shelf_.JobsPath() + "/" + entry->job.record().id + ".json");
  if (entry->thread.joinable()) entry->thread.join();
  std::erase(entries_, entry);
}

void Library::ForgetOldJobs() {
  std::vector<EntryPtr> ended;
  for (const EntryPtr& entry : entries_) {
    if (!entry->runs && HasEnded(entry->job.state())) ended.push_back(entry);
  }
  for (size_t i = 0; i + kEndedJobsKept < ended.size(); ++i) Forget(ended[i]);
}

// ---- the keeper

void Library::Keep() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const double now_s = MonotonicSeconds();
    for (const EntryPtr& entry : entries_) {
      if (entry->runs) entry->job.Tick(now_s);
    }
    if (prepared_.ok()) {
      ResumeWhereSpaceIs();
      StartWaiting();
      ForgetOldJobs();
      if (now_s >= next_collection_s_) {
        next_collection_s_ = now_s + kCollectionS;
        lock.unlock();
        CollectGarbage();
        lock.lock();
      }
    }
    wake_.wait_for(lock, std::chrono::duration<double>(kKeepS), [this] { return stopping_; });
  }
}

void Library::ResumeWhereSpaceIs() {
  for (const EntryPtr& entry : entries_) {
    if (!entry->waits_for_space || entry->runs) continue;
    if (!disk_.CheckRoomFor(entry->job.needs_bytes()).ok()) continue;
    LOG(kInfo) << entry->job.record().model << ": there is space again, going on";
    entry->waits_for_space = false;
    entry->job.Restart();
  }
}

void Library::StartWaiting() {
  int pulls = 0;
  int others = 0;
  for (const EntryPtr& entry : entries_) {
    if (entry->runs) ++(entry->job.record().kind == JobKind::kPull ? pulls : others);
  }
  for (const EntryPtr& entry : entries_) {
    const JobRecord record = entry->job.record();
    if (entry->runs || record.state != JobState::kWaiting) continue;
    const bool is_pull = record.kind == JobKind::kPull;
    if (is_pull ? pulls >= kPullsAtOnce : others >= kOthersAtOnce) continue;
    ++(is_pull ? pulls : others);
    if (entry->thread.joinable()) entry->thread.join();
    entry->runs = true;
    entry->thread = std::thread([this, entry] { Run(entry); });
  }
}

// ---- one job

HubAccess Library::AccessNow(Status& problem) const {
  HubAccess access = options_.hub;
  if (!access.token.empty() || options_.token_file.empty()) return access;
  const auto text = ReadSmallFile(options_.token_file);
  if (!text) {
    problem = FailedPrecondition("hub.token_file '" + options_.token_file + "' cannot be read");
    return access;
  }
  access.token = text->substr(0, text->find_first_of(" \t\r\n"));
  return access;
}

Status Library::RunPull(Entry& entry) {
  HEARTH_RETURN_IF_ERROR(CheckOnline());
  Status problem;
  const HubAccess access = AccessNow(problem);
  HEARTH_RETURN_IF_ERROR(problem);
  metrics::Metric* const bytes = registry_->Get(MetricId::kPullBytes);
  Pull pull(access, options_.download, &shelf_, &disk_, &entry.job,
            [this, bytes](uint64_t count) { registry_->Add(bytes, static_cast<double>(count)); },
            [this, &entry] { Save(entry); });
  return pull.Run();
}

void Library::Run(const EntryPtr& entry) {
  const JobRecord record = entry->job.record();
  Status status;
  switch (record.kind) {
    case JobKind::kPull: status = RunPull(*entry); break;
    case JobKind::kImport: status = RunImport(shelf_, disk_, entry->job); break;
    case JobKind::kUpload: status = RunUpload(shelf_, entry->job); break;
    case JobKind::kVerify: status = RunVerify(shelf_, entry->job); break;
  }
  End(*entry, status);
}

void Library::DiscardUnfinished(const JobRecord& record) {
  std::vector<std::string> paths;
  if (record.kind == JobKind::kPull) paths = shelf_.Partials(record.model);
  if (record.kind == JobKind::kImport || record.kind == JobKind::kUpload) {
    paths.push_back(shelf_.IncomingPath(record.model));
  }
  for (const std::string& path : paths) {
    std::error_code error;
    if (!fs::exists(path, error)) continue;
    if (const Status gone = shelf_.Discard(path); !gone.ok()) LOG(kWarning) << gone.message();
  }
  std::error_code ignored;
  const std::string repository = shelf_.RepositoryPath(record.model);
  fs::remove(repository + "/.partial", ignored);  // only when empty, as the folder around it
  fs::remove(repository, ignored);
}

void Library::CountPull(const std::string& outcome) {
  registry_->Add(registry_->Get(MetricId::kPulls, {outcome}));
}

void Library::EndWell(const JobRecord& record) {
  const auto view = shelf_.Find(record.model);
  const std::string what =
      view ? record.model + " (" + std::to_string(view->bytes >> 20) + " MiB, " + view->content_hash + ")"
           : record.model;
  if (record.kind == JobKind::kPull) {
    CountPull("done");
    hooks_.on_event("model_pulled", what + " was pulled from " + options_.hub.endpoint);
  } else if (record.kind == JobKind::kImport) {
    hooks_.on_event("model_imported", what + " was imported from " + record.path);
  } else if (record.kind == JobKind::kUpload) {
    hooks_.on_event("model_imported", what + " was uploaded");
  }
}

void Library::End(Entry& entry, const Status& status) {
  const JobRecord record = entry.job.record();
  const Job::Stop asked = entry.job.asked();
  if (status.ok()) EndWell(record);
  const bool is_cancelled = !status.ok() && asked == Job::Stop::kCancel;
  if (is_cancelled) DiscardUnfinished(record);
  const std::lock_guard lock(mutex_);
  entry.runs = false;
  next_measure_s_ = 0;
  if (status.ok()) {
    entry.job.SetState(JobState::kDone);
  } else if (is_cancelled) {
    entry.job.SetState(JobState::kCancelled);
    if (record.kind == JobKind::kPull) CountPull("cancelled");
  } else if (status.code() == StatusCode::kAborted) {
    const bool is_paused = asked == Job::Stop::kPause;
    entry.job.SetState(is_paused ? JobState::kPaused : JobState::kWaiting);
  } else if (status.code() == StatusCode::kResourceExhausted) {
    LOG(kWarning) << record.model << ": " << status.message();
    entry.waits_for_space = true;
    entry.job.SetState(JobState::kPaused, status.message() + "; it goes on by itself then");
  } else {
    LOG(kWarning) << KindName(record.kind) << " of " << record.model
                  << " failed: " << status.message();
    entry.job.SetState(JobState::kFailed, status.message());
    if (record.kind == JobKind::kPull) {
      CountPull("failed");
      hooks_.on_event("pull_failed", record.model + ": " + status.message());
    }
  }
  Save(entry);
  wake_.notify_all();
}

}  // namespace hearth::library
