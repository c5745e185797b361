#include "firmware/library/download.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <random>
#include <thread>

#include "base/clock.h"

namespace hearth::library {
namespace {

// What a power loss costs at most, per connection.
constexpr uint64_t kRecordBytes = uint64_t{8} << 20;
constexpr double kRecordS = 1;
// The most that a connection brings at a time: between a look at the space and a write, each of the
// others may take as much.
constexpr uint64_t kPieceBytesMax = uint64_t{256} << 10;

constexpr double kBackOffFirstS = 0.25;
constexpr double kBackOffMaxS = 60;
constexpr double kRetryAfterMaxS = 3600;

double BackOffS(int troubles) {
  thread_local std::minstd_rand random{std::random_device{}()};
  const double jitter = std::uniform_real_distribution<double>(0.8, 1.2)(random);
  return std::min(kBackOffMaxS, kBackOffFirstS * static_cast<double>(1 << std::min(troubles, 10))) *
         jitter;
}

}  // namespace

struct Download::Writing {
  const Part* part = nullptr;
  int fd = -1;
  uint64_t at = 0;        // next byte of the file
  uint64_t recorded = 0;  // up to where the journal knows
  double recorded_s = 0;
};

Download::Download(const HubAccess* access, DownloadOptions options, const Plan* plan,
                   Journal* journal, const DiskGuard* disk, int folder, Job* job,
                   std::function<void(uint64_t)> on_bytes)
    : access_(access),
      options_(options),
      plan_(plan),
      journal_(journal),
      disk_(disk),
      folder_(folder),
      job_(job),
      on_bytes_(std::move(on_bytes)) {}

Status Download::Prepare() {
  std::vector<FileView> views;
  parts_left_.resize(plan_->files.size());
  for (size_t i = 0; i < plan_->files.size(); ++i) {
    const PlannedFile& file = plan_->files[i];
    HEARTH_ASSIGN_OR_RETURN(const Fd fd, MakeBeneath(folder_, file.path));
    if (::ftruncate(fd.get(), static_cast<off_t>(file.size)) != 0) {
      return ErrnoStatus("cannot make " + file.path, errno);
    }
    const RangeSet done = journal_->Done(i);
    const auto missing = done.Missing(file.size, options_.part_bytes);
    for (const ByteRange& range : missing) parts_.push_back({i, range});
    parts_left_[i] = missing.size();
    views.push_back({file.path, done.bytes(), file.size, missing.empty() ? "done" : "waiting"});
  }
  job_->SetFiles(std::move(views));
  return Status::Ok();
}

Status Download::Run() {
  HEARTH_RETURN_IF_ERROR(Prepare());
  const size_t num_threads = std::min(parts_.size(), static_cast<size_t>(options_.connections));
  std::vector<std::thread> threads;
  for (size_t i = 0; i < num_threads; ++i) threads.emplace_back([this] { Work(); });
  for (std::thread& thread : threads) thread.join();
  if (!failure_.ok()) return failure_;
  return job_->stopped() ? Aborted("stopped") : Status::Ok();
}

bool Download::Next(Part& part) {
  const std::lock_guard lock(mutex_);
  if (next_part_ == parts_.size()) return false;
  part = parts_[next_part_++];
  return true;
}

void Download::Fail(const Status& status) {
  const std::lock_guard lock(mutex_);
  if (failure_.ok()) failure_ = status;  // those after it only follow from it
  failed_ = true;
}

void Download::Work() {
  Transfer transfer(access_, [this] { return stopped(); });
  Part part;
  while (!stopped() && Next(part)) {
    if (const Status status = FetchPart(transfer, part); !status.ok()) return Fail(status);
    const std::lock_guard lock(mutex_);
    if (--parts_left_[part.file] == 0) {
      job_->SetFile(part.file, "done", plan_->files[part.file].size);
    }
  }
}

bool Download::WaitForTurn() {
  while (!stopped()) {
    double wait_s = 0;
    {
      const std::lock_guard lock(mutex_);
      wait_s = retry_at_s_ - MonotonicSeconds();
    }
    if (wait_s <= 0) return true;
    job_->Sleep(std::min(wait_s, 0.2));  // another connection may fail for good meanwhile
  }
  return false;
}

void Download::NoteTrouble(const Status& status, std::optional<double> retry_after_s,
                           bool made_progress) {
  const std::lock_guard lock(mutex_);
  if (made_progress) troubles_ = 0;
  const double wait_s =
      retry_after_s ? std::min(*retry_after_s, kRetryAfterMaxS) : BackOffS(troubles_);
  ++troubles_;
  retry_at_s_ = std::max(retry_at_s_, MonotonicSeconds() + wait_s);
  job_->SetTrouble(status.message(), wait_s);
}

Status Download::FetchPart(Transfer& transfer, Part part) {
  while (part.range.begin < part.range.end) {
    if (!WaitForTurn()) return Aborted("stopped");
    if (const Status status = FetchOnce(transfer, part); !status.ok()) return status;
  }
  return Status::Ok();
}

// Ok: it came, or it broke off and may be asked for again; `part` is what is still missing of it.
Status Download::FetchOnce(Transfer& transfer, Part& part) {
  const PlannedFile& file = plan_->files[part.file];
  HEARTH_ASSIGN_OR_RETURN(const Fd fd, OpenBeneath(folder_, file.path, O_WRONLY));
  const uint64_t begin = part.range.begin;
  Writing writing{.part = &part, .fd = fd.get(), .at = begin, .recorded = begin,
                  .recorded_s = MonotonicSeconds()};
  const bool is_whole = begin == 0 && part.range.end == file.size;
  const auto reply = transfer.Get(
      Hub(access_, &transfer).FileUrl(*plan_, file),
      is_whole ? std::nullopt : std::optional(part.range),
      [&](const TransferReply& so_far, std::string_view piece) { return Take(writing, so_far, piece); });
  // Whatever ended it: what has come is kept.
  const Status recorded = Record(writing);
  part.range.begin = writing.at;
  HEARTH_RETURN_IF_ERROR(recorded);
  const bool made_progress = writing.at > begin;
  if (!reply.ok()) {
    if (reply.status().code() != StatusCode::kUnavailable) return reply.status();
    NoteTrouble(reply.status(), std::nullopt, made_progress);
    return Status::Ok();
  }
  if (reply->status == 200 || reply->status == 206) {
    if (writing.at < part.range.end) {
      NoteTrouble(Unavailable("the hub ended " + file.path + " early"), std::nullopt, made_progress);
    }
    return Status::Ok();
  }
  if (reply->status == 416) return DataLoss(file.path + " is shorter on the hub than it announced");
  if (reply->status == 404) {
    return DataLoss(file.path + " is no longer on the hub, or its whole commit is not");
  }
  const Status refusal = Hub(access_, &transfer).RefusalOf(plan_->model, *reply);
  if (refusal.code() != StatusCode::kUnavailable) return refusal;
  NoteTrouble(refusal, reply->retry_after_s, made_progress);
  return Status::Ok();
}

// Is it the file that was planned, and the range that was asked for? The hub's names of files are
// their hashes: git's for small ones, SHA-256 for large ones. Another ETag says nothing.
Status Download::CheckReply(const Part& part, const TransferReply& reply) const {
  const PlannedFile& file = plan_->files[part.file];
  const std::string& etag = reply.etag;
  const bool is_hash = etag.find_first_not_of("0123456789abcdef") == std::string::npos;
  const std::string& hash = etag.size() == 64 ? file.sha256 : etag.size() == 40 ? file.git_oid : etag;
  if (is_hash && !hash.empty() && etag != hash) {
    return DataLoss(file.path + " has changed on the hub: it is now " + etag + ", announced was " +
                    hash);
  }
  if (reply.whole_bytes && *reply.whole_bytes != file.size) {
    return DataLoss(file.path + " has changed on the hub: it has " +
                    std::to_string(*reply.whole_bytes) + " bytes, announced were " +
                    std::to_string(file.size));
  }
  if (reply.status == 200 && part.range.begin > 0) {
    return FailedPrecondition(
        "the hub sends whole files where a part was asked for; it cannot be used for large models");
  }
  return Status::Ok();
}

Status Download::Take(Writing& writing, const TransferReply& reply, std::string_view piece) {
  const Part& part = *writing.part;
  if (writing.at == part.range.begin) {
    HEARTH_RETURN_IF_ERROR(CheckReply(part, reply));
    job_->ClearTrouble();
  }
  on_bytes_(piece.size());
  job_->CountFetched(piece.size());
  // A whole file may come where its first part was wanted.
  const uint64_t wanted = std::min<uint64_t>(piece.size(), part.range.end - writing.at);
  HEARTH_RETURN_IF_ERROR(
      disk_->CheckRoomFor(static_cast<uint64_t>(options_.connections) * kPieceBytesMax));
  HEARTH_RETURN_IF_ERROR(WriteAt(writing.fd, piece.substr(0, wanted), writing.at));
  writing.at += wanted;
  job_->AddBytes(part.file, wanted);
  const double now_s = MonotonicSeconds();
  if (writing.at - writing.recorded >= kRecordBytes || now_s - writing.recorded_s >= kRecordS) {
    HEARTH_RETURN_IF_ERROR(Record(writing));
  }
  if (wanted < piece.size()) return Unavailable("more came than was asked for");
  return Status::Ok();
}

Status Download::Record(Writing& writing) {
  writing.recorded_s = MonotonicSeconds();
  if (writing.at == writing.recorded) return Status::Ok();
  const std::string& path = plan_->files[writing.part->file].path;
  HEARTH_RETURN_IF_ERROR(SyncFile(writing.fd, path));
  HEARTH_RETURN_IF_ERROR(
      journal_->Record(writing.part->file, {writing.recorded, writing.at}));
  writing.recorded = writing.at;
  return Status::Ok();
}

}  // namespace hearth::library
