#include "firmware/api/history_api.h"

#include <ctime>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "base/clock.h"
#include "base/log.h"
#include "storage/backup.h"

namespace hearth::api {

namespace {

namespace fs = std::filesystem;

// A copy costs the disk twice its size, so there is one at a time.
std::mutex copying;

std::string DirectoryOf(const std::string& path) {
  return fs::absolute(path).parent_path().string();
}

Json TimeOrNull(int64_t time_ms) {
  return time_ms > 0 && time_ms != storage::Tail::kForever ? Json(time_ms) : Json(nullptr);
}

// "hearth-history-20260131T235959Z.db"
std::string BackupName() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[64];
  std::strftime(text, sizeof(text), "hearth-history-%Y%m%dT%H%M%SZ.db", &utc);
  return text;
}

void StreamFile(const std::string& path, const std::string& name, http::Response& response) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return http::SendStatus(response, Internal("cannot read the copy at " + path));
  response.SetHeader("Content-Disposition", "attachment; filename=\"" + name + "\"");
  response.BeginStream(200, "application/vnd.sqlite3");
  std::string piece(size_t{256} << 10, '\0');
  while (file) {
    file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    const auto count = static_cast<size_t>(file.gcount());
    if (count > 0 && !response.Write({piece.data(), count})) return;
  }
  response.EndStream();
}

void HandleBackup(storage::History& history, const std::string& path, http::Response& response) {
  std::unique_lock one_at_a_time(copying, std::try_to_lock);
  if (!one_at_a_time.owns_lock()) {
    return http::SendStatus(response, Unavailable("a backup is being made already; retry later"));
  }
  // What is not yet committed, too. A disk that does not take it is no reason to give nothing.
  if (const Status flushed = history.Flush(); !flushed.ok()) {
    LOG(kWarning) << "the backup lacks what is not committed: " << flushed.message();
  }
  const std::string directory = DirectoryOf(path);
  const Status room = storage::CheckRoomFor(directory, history.stats().bytes_on_disk);
  if (!room.ok()) return http::SendError(response, 507, room.message());
  auto copy = storage::TemporaryFile::In(directory);
  if (!copy.ok()) return http::SendStatus(response, copy.status());
  const Status copied = storage::CopyHistory(path, copy->path());
  if (!copied.ok()) return http::SendStatus(response, copied);
  StreamFile(copy->path(), BackupName(), response);
}

void HandleRestore(storage::History& history, const storage::HistoryOptions& options,
                   const http::Request& request, http::Response& response) {
  if (request.body_path.empty()) {
    return http::SendError(response, 400, "the body shall be the file that a backup gave");
  }
  const Status staged = storage::StageRestore(request.body_path, options.path, options.bytes_max);
  if (!staged.ok()) {
    const bool is_refusal = staged.code() == StatusCode::kFailedPrecondition ||
                            staged.code() == StatusCode::kDataLoss;
    if (is_refusal) return http::SendError(response, 422, staged.message());
    return http::SendStatus(response, staged);
  }
  const std::string what =
      "a backup was handed in; it becomes the history when hearthd starts the next time";
  history.AddEvent({WallMillis(), "history_restore_staged", what});
  response.Send(202, "application/json", DumpJson(Json{{"status", "staged"}, {"message", what}}));
}

}  // namespace

Json HistoryJson(const storage::HistoryStats& stats, const std::string& path, int64_t bytes_max) {
  Json tiers = Json::array();
  for (const storage::TierStats& tier : stats.tiers) {
    tiers.push_back(Json{{"name", tier.name},
                         {"step_s", tier.step_s},
                         {"keep_s", tier.keep_s},
                         {"rows", tier.stored.rows},
                         {"bytes", tier.stored.bytes},
                         {"oldest_ms", TimeOrNull(tier.stored.oldest_ms)},
                         {"newest_ms", TimeOrNull(tier.newest_ms)}});
  }
  std::error_code error;
  const fs::space_info space = fs::space(DirectoryOf(path), error);
  return Json{{"path", path},
              {"bytes", stats.bytes_on_disk},
              {"bytes_max", bytes_max},
              {"bytes_free", error ? Json(nullptr) : Json(space.available)},
              {"series", stats.series},
              {"tiers", std::move(tiers)}};
}

std::vector<http::Route> HistoryRoutes(storage::History* history,
                                       const storage::HistoryOptions& options) {
  const std::string directory = DirectoryOf(options.path);
  return {
      {"GET", "/api/history", http::Scope::kMetrics,
       [=](const http::Request&, http::Response& response) {
         response.SetHeader("Cache-Control", "no-store");
         response.Send(200, "application/json",
                       DumpJson(HistoryJson(history->stats(), options.path, options.bytes_max)));
       }},
      {"GET", "/api/history/backup", http::Scope::kAdmin,
       [=](const http::Request&, http::Response& response) {
         HandleBackup(*history, options.path, response);
       },
       /*streams=*/true},
      {"POST", "/api/history/restore", http::Scope::kAdmin,
       [=](const http::Request& request, http::Response& response) {
         HandleRestore(*history, options, request, response);
       },
       /*streams=*/true, directory, static_cast<size_t>(options.bytes_max)},
  };
}

}  // namespace hearth::api
