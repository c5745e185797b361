// The model library of the box: what is on its shelf, and the jobs that bring, check and remove models.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "firmware/library/disk_guard.h"
#include "firmware/library/download.h"
#include "firmware/library/job.h"
#include "firmware/library/shelf.h"
#include "firmware/library/transfer.h"
#include "firmware/metrics/registry.h"

namespace hearth::library {

struct LibraryOptions {
  std::string models_directory;
  HubAccess hub;           // its token is what the environment gave
  std::string token_file;  // read for each pull, where the environment gave none
  std::string offline;     // what forbids every outbound connection; empty: nothing
  DownloadOptions download;
  uint64_t disk_reserve_bytes = 0;  // 0: as DiskGuard says
};

// A model that is served or configured.
struct Use {
  std::string name;       // what clients ask for
  std::string source;     // as configured: an id or a path
  std::string directory;  // where it was found; empty: nowhere
};

struct LibraryHooks {
  std::function<std::vector<Use>()> uses;
  // As events of the history: kind, text.
  std::function<void(const std::string&, const std::string&)> on_event;
};

struct DiskView {
  uint64_t total_bytes = 0;
  uint64_t free_bytes = 0;
  uint64_t reserve_bytes = 0;

  template <typename V>
  void VisitFields(V& v) {
    v("total_bytes", total_bytes);
    v("free_bytes", free_bytes);
    v("reserve_bytes", reserve_bytes);
  }
};

// As GET /api/library shows it.
struct LibraryView {
  std::string models_directory;
  DiskView disk;
  bool offline = false;
  std::string endpoint;
  std::vector<ModelView> models;
  std::vector<JobView> jobs;
  uint64_t garbage_bytes = 0;
  std::string problem;  // why nothing can be put here; empty: it can

  template <typename V>
  void VisitFields(V& v) {
    v("models_directory", models_directory);
    v("disk", disk);
    v("offline", offline);
    v("endpoint", endpoint);
    v("models", models);
    v("jobs", jobs);
    v("garbage_bytes", garbage_bytes);
    v("problem", problem);
  }
};

// Any thread.
class Library {
 public:
  // `registry` outlives it.
  Library(LibraryOptions options, LibraryHooks hooks, metrics::Registry* registry);
  ~Library();  // Stop

  // Throws away what nobody goes on with, and goes on with the jobs that the last hearthd left.
  void Start();
  // Jobs end where they are, and go on at the next Start.
  void Stop();

  LibraryView View() const;
  std::vector<JobView> Jobs() const;  // newest first
  Result<JobView> JobOf(const std::string& id) const;

  // A pull of a model that is being pulled is that pull; it goes on if it was paused.
  struct Started {
    JobView job;
    bool joined = false;
  };
  Result<Started> StartPull(const std::string& model, const std::string& revision);
  Result<Started> StartImport(const std::string& path, const std::string& model);
  Result<Started> StartVerify(const std::string& model);

  // An upload is: any number of files, each admitted before its body comes and taken after it has,
  // then the finish. `body_path` is renamed away.
  Status AdmitUpload(const std::string& model, const std::string& file, uint64_t bytes) const;
  Status TakeUpload(const std::string& model, const std::string& file, const std::string& body_path);
  Result<Started> FinishUpload(const std::string& model);
  std::string uploads_directory() const { return shelf_.UploadsPath(); }

  Status Pause(const std::string& job);
  Status Resume(const std::string& job);
  Status Cancel(const std::string& job);  // and removes what has come

  // All of the model, or the folder of one row of View().models. kFailedPrecondition while that is
  // served, configured or worked on; the message says by whom. kNotFound.
  Status Remove(const std::string& model, const std::string& path = "");

  uint64_t CollectGarbage();  // bytes removed

  // Once a second: the metrics.
  void Observe();

 private:
  std::string UsersOf(const std::string& model, const std::vector<std::string>& folders,
                      bool holds_source) const;
  struct Entry {
    explicit Entry(JobRecord record) : job(std::move(record)) {}
    Job job;
    std::thread thread;
    bool runs = false;              // the thread works on it
    bool waits_for_space = false;   // paused until there is some
  };
  using EntryPtr = std::shared_ptr<Entry>;

  void Keep();
  void StartWaiting();
  void ResumeWhereSpaceIs();
  void Run(const EntryPtr& entry);
  Status RunPull(Entry& entry);
  void End(Entry& entry, const Status& status);
  void EndWell(const JobRecord& record);
  void DiscardUnfinished(const JobRecord& record);
  void LoadRecords();
  void Save(const Entry& entry) const;
  void ForgetOldJobs();
  void Forget(const EntryPtr& entry);

  Result<EntryPtr> FindEntry(const std::string& id) const;
  // Jobs of the model that have not ended.
  EntryPtr ActiveOf(const std::string& model) const;
  Status CheckIdle(const std::string& model) const;
  EntryPtr AddJob(JobRecord record);
  std::set<std::string> BusyModels() const;
  Status CheckOnline() const;
  HubAccess AccessNow(Status& problem) const;
  void CountPull(const std::string& outcome);

  const LibraryOptions options_;
  const LibraryHooks hooks_;
  metrics::Registry* const registry_;
  const Shelf shelf_;
  const DiskGuard disk_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  Status prepared_;           // of the models directory
  std::vector<EntryPtr> entries_;  // oldest first
  int64_t last_id_ = 0;
  bool stopping_ = false;
  double next_collection_s_ = 0;
  double next_measure_s_ = 0;
  std::thread keeper_;
};

}  // namespace hearth::library
