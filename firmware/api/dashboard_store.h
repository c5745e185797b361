// The dashboards of a box: those that came with it, which nobody changes, and those that were
// uploaded, kept in storage::DocumentFile.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "firmware/api/dashboard_json.h"
#include "storage/document_file.h"

namespace hearth::api {

struct DashboardMeta {
  DashboardSummary summary;
  bool is_shipped = false;
  int64_t version = 0;     // of a shipped one: what its file says
  int64_t updated_ms = 0;  // Unix; 0 for a shipped one
};

struct Dashboard {
  Json json;
  DashboardMeta meta;
};

// Any thread.
class DashboardStore {
 public:
  // `shipped`: the texts of the dashboards that come with the box; a broken one is a bug. As with
  // api::KeptModels, what is broken on the disk does not stop the start: troubles() tells.
  // kFailedPrecondition: the file is not ours or a newer release's.
  static Result<std::unique_ptr<DashboardStore>> Open(const std::string& path, const Clock* clock,
                                                      const std::vector<std::string>& shipped);

  std::vector<DashboardMeta> List() const;  // the shipped ones, then the others, each by title
  Result<Dashboard> Get(const std::string& uid);

  // A new dashboard, or with `overwrite` perhaps upon an uploaded one. kFailedPrecondition when the
  // uid is taken. Ok means the disk has it, here and below.
  Result<DashboardMeta> Add(const SentDashboard& sent);
  // Upon `version`, the newest the caller has seen; kFailedPrecondition names both when it is not.
  Result<DashboardMeta> Change(const std::string& uid, Json dashboard, int64_t version);
  Result<DashboardMeta> Rename(const std::string& uid, const std::string& title);
  Status Remove(const std::string& uid);

  // Sentences about what was found broken at the start.
  const std::vector<std::string>& troubles() const { return troubles_; }

 private:
  DashboardStore() = default;
  void AddShipped(const std::vector<std::string>& texts);
  void Load();
  void Trouble(std::string sentence);
  // kUnavailable without a file; kFailedPrecondition for a shipped one.
  Status CheckWritable(const std::string& uid, std::string_view what) const;
  Result<DashboardMeta> Write(const std::string& uid, const Json& dashboard,
                              std::optional<int64_t> expected);

  std::map<std::string, Dashboard> shipped_;       // by uid; never changes
  std::unique_ptr<storage::DocumentFile> file_;    // null: it could not be opened
  std::vector<std::string> troubles_;
  mutable std::mutex mutex_;
  std::map<std::string, DashboardMeta> uploaded_;  // under mutex_; what the file has
};

}  // namespace hearth::api
