#include "firmware/cli/history_place.h"

#include <stdlib.h>

#include <cerrno>
#include <filesystem>

#include "firmware/api/history_api.h"
#include "firmware/cli/box_client.h"
#include "firmware/http_client/http_client.h"
#include "storage/backup.h"

namespace hearth::cli {

namespace {

namespace fs = std::filesystem;

// As systemd/hearth.service has them.
constexpr const char* kUsualState = "/var/lib/hearth";
constexpr const char* kFileName = "history.db";

// What an answer that is no success says: the message of our error bodies, or the status alone.
Status RefusalOf(const std::string& url, const ClientAnswer& answer) {
  std::string message = url + " answered " + std::to_string(answer.status);
  const auto body = ParseJson(answer.body);
  if (body.ok() && body->is_object() && body->contains("error")) {
    const Json& error = (*body)["error"];
    if (error.is_object() && error.contains("message") && error["message"].is_string()) {
      message += ": " + error["message"].get<std::string>();
    }
  }
  if (answer.status >= 500) return Unavailable(message);
  return FailedPrecondition(message);
}

Result<ClientAnswer> Ask(const ClientRequest& request) {
  HttpClient client;
  HEARTH_ASSIGN_OR_RETURN(ClientAnswer answer, client.Do(request));
  if (answer.status / 100 != 2) return RefusalOf(request.url, answer);
  return answer;
}

std::string WithoutSlash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

int64_t BytesMax() { return storage::HistoryOptions().bytes_max; }

std::string DirectoryOf(const std::string& path) {
  return fs::absolute(path).parent_path().string();
}

}  // namespace

HistoryCopy::~HistoryCopy() {
  history_.reset();
  std::error_code ignored;
  if (!directory_.empty()) fs::remove_all(directory_, ignored);
}

Result<HistoryPlace> HistoryPlace::Find(const Invocation& invocation) {
  HistoryPlace place;
  if (!invocation.url.empty() && !invocation.state.empty()) {
    return InvalidArgument("--url and --state name two places; give one of them");
  }
  if (!invocation.url.empty()) {
    HEARTH_RETURN_IF_ERROR(HttpClient::CheckUrl(invocation.url));
    place.url_ = WithoutSlash(invocation.url);
    return place;
  }
  if (!invocation.state.empty()) {
    place.path_ = (fs::path(invocation.state) / kFileName).string();
    return place;
  }
  place.url_ = kUsualUrl;
  if (Ask({.url = place.url_ + "/api/history", .timeout_s = 2}).ok()) return place;
  place.url_.clear();
  place.path_ = (fs::path(kUsualState) / kFileName).string();
  std::error_code ignored;
  if (fs::exists(place.path_, ignored)) return place;
  return NotFound("no hearthd answers at " + std::string(kUsualUrl) + " and there is no " +
                  place.path_ + "; name one with --url or --state");
}

Result<Json> HistoryPlace::Stats() const {
  if (!is_file()) {
    HEARTH_ASSIGN_OR_RETURN(const ClientAnswer answer, Ask({.url = url_ + "/api/history"}));
    return ParseJson(answer.body);
  }
  HEARTH_ASSIGN_OR_RETURN(const auto copy, Copy());
  storage::HistoryStats stats = copy->history().stats();
  stats.bytes_on_disk = 0;  // those of the file itself, its free pages included
  for (const char* suffix : {"", "-wal"}) {
    std::error_code error;
    const auto bytes = fs::file_size(path_ + suffix, error);
    if (!error) stats.bytes_on_disk += static_cast<int64_t>(bytes);
  }
  return api::HistoryJson(stats, path_, BytesMax());
}

Status HistoryPlace::CopyTo(const std::string& file) const {
  std::error_code error;
  if (fs::exists(file, error)) {
    return InvalidArgument(file + " exists; name a file that does not");
  }
  const std::string directory = DirectoryOf(file);
  HEARTH_ASSIGN_OR_RETURN(const storage::TemporaryFile part,
                          storage::TemporaryFile::In(directory));
  if (is_file()) {
    const auto bytes = fs::file_size(path_, error);
    if (!error) {
      HEARTH_RETURN_IF_ERROR(storage::CheckRoomFor(directory, static_cast<int64_t>(bytes)));
    }
    HEARTH_RETURN_IF_ERROR(storage::CopyHistory(path_, part.path()));
  } else {
    const std::string url = url_ + "/api/history/backup";
    HEARTH_RETURN_IF_ERROR(
        Ask({.url = url, .answer_file = part.path(), .timeout_s = 0}).status());
  }
  // A backup is worth what it is found to be now, not on the day it is needed.
  HEARTH_RETURN_IF_ERROR(storage::CheckHistoryCopy(part.path(), storage::Tail::kForever));
  fs::rename(part.path(), file, error);
  if (error) return ErrnoStatus("cannot name the copy " + file, error.value());
  return Status::Ok();
}

Result<std::unique_ptr<HistoryCopy>> HistoryPlace::Copy() const {
  std::unique_ptr<HistoryCopy> copy(new HistoryCopy());
  std::string pattern = (fs::temp_directory_path() / "hearth-history-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    return ErrnoStatus("cannot make a directory in " + fs::temp_directory_path().string(), errno);
  }
  copy->directory_ = pattern;
  storage::HistoryOptions options;
  options.path = pattern + "/" + kFileName;
  options.commit_interval_s = 1e9;
  HEARTH_RETURN_IF_ERROR(CopyTo(options.path));
  HEARTH_ASSIGN_OR_RETURN(copy->history_, storage::History::Open(options, Clock::System()));
  return copy;
}

Result<std::string> HistoryPlace::Restore(const std::string& file) const {
  std::error_code error;
  if (!fs::is_regular_file(file, error)) return NotFound("there is no file " + file);
  if (!is_file()) {
    HEARTH_ASSIGN_OR_RETURN(const ClientAnswer answer,
                            Ask({.method = "POST",
                                 .url = url_ + "/api/history/restore",
                                 .headers = {"Content-Type: application/vnd.sqlite3"},
                                 .body_file = file,
                                 .timeout_s = 0}));
    HEARTH_ASSIGN_OR_RETURN(const Json body, ParseJson(answer.body));
    return body.value("message", answer.body);
  }
  const std::string directory = DirectoryOf(path_);
  HEARTH_RETURN_IF_ERROR(storage::CheckHistoryCopy(file, BytesMax()));
  HEARTH_RETURN_IF_ERROR(
      storage::CheckRoomFor(directory, static_cast<int64_t>(fs::file_size(file, error))));
  HEARTH_ASSIGN_OR_RETURN(const storage::TemporaryFile copy,
                          storage::TemporaryFile::In(directory));
  fs::copy_file(file, copy.path(), fs::copy_options::overwrite_existing, error);
  if (error) return ErrnoStatus("cannot copy " + file + " to " + directory, error.value());
  HEARTH_RETURN_IF_ERROR(storage::StageRestore(copy.path(), path_, BytesMax()));
  return "the backup waits in " + directory +
         "; it becomes the history when hearthd starts the next time";
}

}  // namespace hearth::cli
