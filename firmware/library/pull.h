// A pull from beginning to end: what the hub has, room for it, its bytes, their hashes, its place.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "firmware/library/disk_guard.h"
#include "firmware/library/download.h"
#include "firmware/library/hub.h"
#include "firmware/library/job.h"
#include "firmware/library/shelf.h"

namespace hearth::library {

class Pull {
 public:
  // All outlive it. `on_bytes` as Download has it; `on_commit` is told when the job knows its commit, so
  // that the job may be written down.
  Pull(HubAccess access, DownloadOptions options, const Shelf* shelf, const DiskGuard* disk, Job* job,
       std::function<void(uint64_t)> on_bytes, std::function<void()> on_commit);

  // Ok: the model is on its shelf. kAborted: stopped; kResourceExhausted: the disk, and
  // Job::needs_bytes says how much. After any of these and after a failure Run of a new Pull goes on
  // from what has come.
  Status Run();

  // What it brought together; after Run was Ok.
  const Plan& plan() const { return plan_; }

 private:
  Status ResolvePlan();
  Status ReadKeptPlan();
  Status PrepareFolder();
  Status KeepWhatIsSame(const std::string& folder, const std::string& tag);
  Status OpenJournal();
  uint64_t MissingBytes() const;
  Status Fetch();
  Status Verify(std::vector<size_t>& wrong);
  Status PutOnShelf();
  std::string PlanTag() const;
  std::string folder() const;
  std::string files_folder() const { return folder() + "/files"; }

  const HubAccess access_;
  const DownloadOptions options_;
  const Shelf* const shelf_;
  const DiskGuard* const disk_;
  Job* const job_;
  const std::function<void(uint64_t)> on_bytes_;
  const std::function<void()> on_commit_;

  Plan plan_;
  std::unique_ptr<Journal> journal_;
  std::vector<ManifestFile> hashed_;
};

}  // namespace hearth::library
