#include "firmware/library/pull.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/clock.h"
#include "base/durable_file.h"
#include "base/fields.h"
#include "base/log.h"
#include "firmware/library/digest.h"
#include "firmware/library/names.h"

namespace hearth::library {
namespace {

namespace fs = std::filesystem;

constexpr int kResolveAttempts = 5;
constexpr double kResolveRetryS = 1;
constexpr double kResolveRetryMaxS = 60;
constexpr double kResolveWaitMaxS = 3600;  // whatever the hub says
// A file whose bytes are wrong, or that has changed on the hub, is asked for once more.
constexpr int kRoundsMax = 2;

std::string Text(const Plan& plan) { return DumpJson(ToJson(plan)) + "\n"; }

Result<Plan> ReadPlan(const std::string& folder) {
  const auto text = ReadSmallFile(folder + "/plan.json");
  if (!text) return NotFound("there is no plan in " + folder);
  HEARTH_ASSIGN_OR_RETURN(const Json json, ParseJson(*text));
  HEARTH_ASSIGN_OR_RETURN(Plan plan, FromJson<Plan>(json));
  // It decides where bytes go: believed no more than the hub was.
  if (!IsCommit(plan.commit)) return DataLoss("the plan in " + folder + " names no commit");
  for (const PlannedFile& file : plan.files) HEARTH_RETURN_IF_ERROR(CheckFilePath(file.path));
  return plan;
}

std::string TagOf(const Plan& plan) {
  Hasher hasher = Hasher::Sha256();
  hasher.Add(Text(plan));
  return hasher.Hex();
}

Status MakeFolders(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  return error ? ErrnoStatus("cannot make the folder " + path, error.value()) : Status::Ok();
}

}  // namespace

Pull::Pull(HubAccess access, DownloadOptions options, const Shelf* shelf, const DiskGuard* disk,
           Job* job, std::function<void(uint64_t)> on_bytes, std::function<void()> on_commit)
    : access_(std::move(access)),
      options_(options),
      shelf_(shelf),
      disk_(disk),
      job_(job),
      on_bytes_(std::move(on_bytes)),
      on_commit_(std::move(on_commit)) {}

std::string Pull::folder() const { return shelf_->PartialPath(plan_.model, plan_.commit); }
std::string Pull::PlanTag() const { return TagOf(plan_); }

// A name that is wrong shall be heard of soon, so only a job that has met the hub before waits long.
Status Pull::ResolvePlan() {
  job_->SetState(JobState::kResolving);
  const JobRecord record = job_->record();
  Transfer transfer(&access_, [this] { return job_->stopped(); });
  Hub hub(&access_, &transfer);
  for (int attempt = 1;; ++attempt) {
    RetryAdvice advice;
    auto plan = hub.Resolve(record.model, record.revision, advice);
    if (plan.ok()) {
      plan_ = *std::move(plan);
      return Status::Ok();
    }
    const Status& status = plan.status();
    if (status.code() != StatusCode::kUnavailable) return status;
    if (attempt >= kResolveAttempts && record.commit.empty()) {
      return Status(status.code(), status.message() + "; tried " + std::to_string(attempt) + " times");
    }
    const double back_off_s = kResolveRetryS * (1 << std::min(attempt - 1, 6));
    const double wait_s = std::min(kResolveWaitMaxS, advice.retry_after_s.value_or(
                                                         std::min(back_off_s, kResolveRetryMaxS)));
    job_->SetTrouble(status.message(), wait_s);
    if (!job_->Sleep(wait_s)) return Aborted("stopped");
    job_->ClearTrouble();
  }
}

// A pull that is gone on with means the commit that it began with.
Status Pull::ReadKeptPlan() {
  const JobRecord record = job_->record();
  if (record.commit.empty()) return NotFound("the job has not met the hub");
  HEARTH_ASSIGN_OR_RETURN(plan_, ReadPlan(shelf_->PartialPath(record.model, record.commit)));
  if (plan_.model == record.model && plan_.revision == record.revision) return Status::Ok();
  return NotFound("the plan is of another pull");
}

// What an older plan of this model has brought and this one has, too, is not fetched again.
Status Pull::KeepWhatIsSame(const std::string& old_folder, const std::string& tag) {
  std::vector<RangeSet> kept(plan_.files.size());
  const auto old_plan = ReadPlan(old_folder);
  if (old_plan.ok()) {
    HEARTH_ASSIGN_OR_RETURN(
        const auto old_journal,
        Journal::Open(old_folder + "/journal", TagOf(*old_plan), old_plan->files.size()));
    for (size_t i = 0; i < kept.size(); ++i) {
      const auto same = std::find(old_plan->files.begin(), old_plan->files.end(), plan_.files[i]);
      if (same == old_plan->files.end()) continue;
      kept[i] = old_journal->Done(static_cast<size_t>(same - old_plan->files.begin()));
    }
  }
  if (old_folder != folder()) {
    std::error_code error;
    fs::remove_all(folder(), error);
    HEARTH_RETURN_IF_ERROR(MoveDurably(old_folder, folder()));
  }
  // In this order: a journal counts only with the plan that it names.
  HEARTH_RETURN_IF_ERROR(WriteDurably(folder() + "/plan.json", Text(plan_)));
  return Journal::Write(folder() + "/journal", tag, kept);
}

Status Pull::PrepareFolder() {
  const std::vector<std::string> partials = shelf_->Partials(plan_.model);
  if (partials.empty()) {
    HEARTH_RETURN_IF_ERROR(MakeFolders(folder()));
    HEARTH_RETURN_IF_ERROR(WriteDurably(folder() + "/plan.json", Text(plan_)));
  } else {
    // One pull of a model at a time, so what is there is this one's or was given up.
    const bool has_own = std::find(partials.begin(), partials.end(), folder()) != partials.end();
    const std::string from = has_own ? folder() : partials.front();
    HEARTH_RETURN_IF_ERROR(KeepWhatIsSame(from, PlanTag()));
    for (const std::string& other : partials) {
      if (other != from) HEARTH_RETURN_IF_ERROR(shelf_->Discard(other));
    }
  }
  job_->SetCommit(plan_.commit);
  on_commit_();
  return OpenJournal();
}

Status Pull::OpenJournal() {
  HEARTH_RETURN_IF_ERROR(MakeFolders(files_folder()));
  HEARTH_ASSIGN_OR_RETURN(
      journal_, Journal::Open(folder() + "/journal", PlanTag(), plan_.files.size()));
  return Status::Ok();
}

uint64_t Pull::MissingBytes() const {
  uint64_t missing = 0;
  for (size_t i = 0; i < plan_.files.size(); ++i) {
    missing += plan_.files[i].size - journal_->Done(i).bytes();
  }
  return missing;
}

Status Pull::Fetch() {
  const uint64_t missing = MissingBytes();
  job_->SetNeedsBytes(missing);
  if (missing > 0) HEARTH_RETURN_IF_ERROR(disk_->CheckRoomFor(missing));
  job_->SetState(JobState::kRunning);
  HEARTH_ASSIGN_OR_RETURN(const Fd files, OpenFolder(files_folder()));
  Download download(&access_, options_, &plan_, journal_.get(), disk_, files.get(), job_, on_bytes_);
  const Status fetched = download.Run();
  job_->SetNeedsBytes(MissingBytes());
  return fetched;
}

// `wrong`: the files whose bytes are not those that the hub announced; they start over.
Status Pull::Verify(std::vector<size_t>& wrong) {
  job_->SetState(JobState::kVerifying);
  hashed_.clear();
  wrong.clear();
  HEARTH_ASSIGN_OR_RETURN(const Fd files, OpenFolder(files_folder()));
  for (size_t i = 0; i < plan_.files.size(); ++i) {
    const PlannedFile& file = plan_.files[i];
    job_->SetFile(i, "verifying", file.size);
    HEARTH_ASSIGN_OR_RETURN(const Fd fd, OpenBeneath(files.get(), file.path, O_RDONLY));
    HEARTH_ASSIGN_OR_RETURN(
        const FileDigest digest,
        DigestFile(fd.get(), file.sha256.empty() ? GitOid::kComputed : GitOid::kSkipped,
                   job_->stop_flag(), [](uint64_t) {}));
    const bool is_right =
        digest.size == file.size &&
        (file.sha256.empty() ? digest.git_oid == file.git_oid : digest.sha256 == file.sha256);
    if (is_right) {
      job_->SetFile(i, "done", file.size);
      hashed_.push_back({file.path, digest.size, digest.sha256});
      continue;
    }
    LOG(kWarning) << plan_.model << ": " << file.path
                  << " has other bytes than the hub announced; it is fetched again";
    HEARTH_RETURN_IF_ERROR(journal_->StartOver(i));
    job_->SetFile(i, "waiting", 0);
    wrong.push_back(i);
  }
  return Status::Ok();
}

Status Pull::PutOnShelf() {
  Manifest manifest;
  manifest.model = plan_.model;
  manifest.revision = plan_.commit;
  manifest.source = "hub";
  manifest.files = hashed_;
  manifest.added_ms = WallMillis();
  manifest.verified_ms = manifest.added_ms;
  SetContentHash(manifest);
  HEARTH_RETURN_IF_ERROR(WriteManifest(files_folder(), manifest));
  const std::string repository = shelf_->RepositoryPath(plan_.model);
  const std::string snapshot = shelf_->SnapshotPath(plan_.model, plan_.commit);
  HEARTH_RETURN_IF_ERROR(MakeFolders(repository + "/snapshots"));
  HEARTH_RETURN_IF_ERROR(MakeFolders(repository + "/refs"));
  std::error_code error;
  if (fs::exists(snapshot, error)) HEARTH_RETURN_IF_ERROR(shelf_->Discard(snapshot));
  HEARTH_RETURN_IF_ERROR(MoveDurably(files_folder(), snapshot));
  // What is served under this id is what was pulled last, be it a branch or a pinned commit.
  HEARTH_RETURN_IF_ERROR(WriteDurably(repository + "/refs/main", plan_.commit));
  HEARTH_RETURN_IF_ERROR(shelf_->Discard(folder()));
  fs::remove(repository + "/.partial", error);
  return Status::Ok();
}

Status Pull::Run() {
  const bool has_kept_plan = ReadKeptPlan().ok();
  if (!has_kept_plan) HEARTH_RETURN_IF_ERROR(ResolvePlan());
  const std::string snapshot = shelf_->SnapshotPath(plan_.model, plan_.commit);
  if (const auto manifest = ReadManifest(snapshot); manifest && QuickCheck(snapshot, *manifest).empty()) {
    std::vector<FileView> files;
    for (const ManifestFile& file : manifest->files) {
      files.push_back({file.path, file.size, file.size, "done"});
    }
    job_->SetFiles(std::move(files));
    return WriteDurably(shelf_->RepositoryPath(plan_.model) + "/refs/main", plan_.commit);
  }
  HEARTH_RETURN_IF_ERROR(has_kept_plan ? OpenJournal() : PrepareFolder());
  std::string why;
  for (int round = 1; round <= kRoundsMax; ++round) {
    const Status fetched = Fetch();
    std::vector<size_t> wrong;
    if (fetched.ok()) {
      HEARTH_RETURN_IF_ERROR(Verify(wrong));
      if (wrong.empty()) return PutOnShelf();
      why = "the bytes of " + plan_.files[wrong.front()].path +
            " do not have the hash that the hub announces";
    } else if (fetched.code() != StatusCode::kDataLoss) {
      return fetched;
    } else {
      why = fetched.message();
    }
    // A branch may have moved, or a mirror caught up: what is new is planned anew, what is the same is
    // kept. A commit cannot change, so there is nothing new to ask for.
    if (IsCommit(plan_.revision) && !fetched.ok()) break;
    if (round == kRoundsMax) break;
    HEARTH_RETURN_IF_ERROR(ResolvePlan());
    HEARTH_RETURN_IF_ERROR(PrepareFolder());
  }
  return DataLoss(why + " (commit " + plan_.commit.substr(0, 12) +
                  "); nothing of it is served. Try again later, or tell who runs the hub");
}

}  // namespace hearth::library
