// The bytes of a plan, in parts over several connections, each part going on from where it broke off.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "firmware/library/disk_guard.h"
#include "firmware/library/files.h"
#include "firmware/library/hub.h"
#include "firmware/library/job.h"
#include "firmware/library/journal.h"

namespace hearth::library {

struct DownloadOptions {
  int connections = 4;
  uint64_t part_bytes = uint64_t{64} << 20;
};

class Download {
 public:
  // All outlive it. `folder`: where the files go. `on_bytes` is told of every piece that came, by any
  // thread.
  Download(const HubAccess* access, DownloadOptions options, const Plan* plan, Journal* journal,
           const DiskGuard* disk, int folder, Job* job, std::function<void(uint64_t)> on_bytes);

  // Ok: every byte of the plan is on the disk and recorded. A connection that breaks, a busy or failing
  // hub is waited for, without end. kAborted: the job was stopped. kResourceExhausted: the disk.
  // kDataLoss: a file is not what the plan says. Else: what the hub refuses.
  Status Run();

 private:
  struct Part {
    size_t file = 0;
    ByteRange range;
  };
  // Where one transfer writes.
  struct Writing;

  Status Prepare();
  void Work();
  Status FetchPart(Transfer& transfer, Part part);
  Status FetchOnce(Transfer& transfer, Part& part);
  Status Take(Writing& writing, const TransferReply& reply, std::string_view piece);
  Status Record(Writing& writing);
  Status CheckReply(const Part& part, const TransferReply& reply) const;

  bool Next(Part& part);
  void Fail(const Status& status);
  bool stopped() const { return job_->stopped() || failed_; }
  // False when stopped.
  bool WaitForTurn();
  void NoteTrouble(const Status& status, std::optional<double> retry_after_s, bool made_progress);

  const HubAccess* const access_;
  const DownloadOptions options_;
  const Plan* const plan_;
  Journal* const journal_;
  const DiskGuard* const disk_;
  const int folder_;
  Job* const job_;
  const std::function<void(uint64_t)> on_bytes_;

  std::mutex mutex_;  // guards what follows
  std::vector<Part> parts_;
  size_t next_part_ = 0;
  std::vector<size_t> parts_left_;  // by file
  Status failure_;
  int troubles_ = 0;       // in a row, without a byte between them
  double retry_at_s_ = 0;  // nobody asks the hub before
  std::atomic<bool> failed_ = false;
};

}  // namespace hearth::library
