#include "firmware/api/dashboard_store.h"

#include <algorithm>

#include "base/check.h"
#include "base/limits.h"
#include "base/log.h"

namespace hearth::api {
namespace {

// How often a rename is made anew upon what another wrote meanwhile.
constexpr int kRenameTries = 3;

// Another's change is the caller's conflict, not a failure of the box.
Status AsConflict(const Status& status) {
  return status.code() == StatusCode::kAborted ? FailedPrecondition(status.message()) : status;
}

}  // namespace

Result<std::unique_ptr<DashboardStore>> DashboardStore::Open(
    const std::string& path, const Clock* clock, const std::vector<std::string>& shipped) {
  std::unique_ptr<DashboardStore> store(new DashboardStore);
  store->AddShipped(shipped);
  auto file = storage::DocumentFile::Open(
      {path, "dashboard", limits::kDashboardBytesMax, limits::kDashboardsMax}, clock);
  if (file.status().code() == StatusCode::kFailedPrecondition) return file.status();
  if (!file.ok()) {
    store->Trouble("dashboards that were uploaded are not shown: " + file.status().message());
    return store;
  }
  store->file_ = *std::move(file);
  if (const std::string& why = store->file_->set_aside(); !why.empty()) {
    store->troubles_.push_back(why);  // the file has logged it
  }
  store->Load();
  return store;
}

void DashboardStore::AddShipped(const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    auto json = ParseJson(text);
    CHECK(json.ok() && CheckDashboard(*json).ok()) << "a shipped dashboard is broken";
    const auto version = json->find("version");
    DashboardMeta meta{SummaryOf(*json), true, 0, 0};
    if (version != json->end() && version->is_number_integer()) meta.version = *version;
    const std::string uid = meta.summary.uid;
    CHECK(shipped_.emplace(uid, Dashboard{*std::move(json), std::move(meta)}).second) << uid;
  }
}

void DashboardStore::Load() {
  std::lock_guard lock(mutex_);
  const Status loaded = file_->ForEach([this](const storage::Document& document) {
    const auto json = ParseJson(document.text);
    const Status readable = json.ok() ? CheckDashboard(*json) : json.status();
    if (!readable.ok()) {
      return Trouble("the dashboard '" + document.key +
                     "' cannot be read and is not shown: " + readable.message());
    }
    uploaded_[document.key] = {SummaryOf(*json), false, document.version, document.updated_ms};
  });
  if (!loaded.ok()) Trouble("not every uploaded dashboard is shown: " + loaded.message());
}

void DashboardStore::Trouble(std::string sentence) {
  LOG(kError) << sentence;
  troubles_.push_back(std::move(sentence));
}

std::vector<DashboardMeta> DashboardStore::List() const {
  std::vector<DashboardMeta> list;
  for (const auto& [uid, dashboard] : shipped_) list.push_back(dashboard.meta);
  {
    std::lock_guard lock(mutex_);
    for (const auto& [uid, meta] : uploaded_) list.push_back(meta);
  }
  std::stable_sort(list.begin(), list.end(), [](const DashboardMeta& a, const DashboardMeta& b) {
    if (a.is_shipped != b.is_shipped) return a.is_shipped;
    return a.summary.title < b.summary.title;
  });
  return list;
}

Result<Dashboard> DashboardStore::Get(const std::string& uid) {
  if (const auto shipped = shipped_.find(uid); shipped != shipped_.end()) return shipped->second;
  if (file_ == nullptr) return CheckWritable(uid, "read");
  HEARTH_ASSIGN_OR_RETURN(const storage::Document document, file_->Get(uid));
  auto json = ParseJson(document.text);
  if (!json.ok()) {
    return DataLoss("the dashboard '" + uid + "' cannot be read: " + json.status().message() +
                    "; delete it and upload it again");
  }
  DashboardMeta meta{SummaryOf(*json), false, document.version, document.updated_ms};
  return Dashboard{*std::move(json), std::move(meta)};
}

Status DashboardStore::CheckWritable(const std::string& uid, std::string_view what) const {
  if (shipped_.contains(uid)) {
    return FailedPrecondition("the dashboard '" + uid + "' comes with the box and cannot be " +
                              std::string(what) + "; send a copy under another uid");
  }
  if (file_ == nullptr) {
    return Unavailable("uploaded dashboards could not be opened when hearthd started; see the log, "
                       "and restart it");
  }
  return Status::Ok();
}

Result<DashboardMeta> DashboardStore::Add(const SentDashboard& sent) {
  HEARTH_RETURN_IF_ERROR(CheckWritable(sent.uid, "replaced"));
  const auto written =
      Write(sent.uid, sent.json, sent.overwrite ? std::nullopt : std::optional<int64_t>(0));
  if (written.status().code() != StatusCode::kAborted) return written;
  return FailedPrecondition("there is a dashboard '" + sent.uid +
                            "' already; send \"overwrite\": true to replace it, or another uid");
}

Result<DashboardMeta> DashboardStore::Change(const std::string& uid, Json dashboard,
                                             int64_t version) {
  HEARTH_RETURN_IF_ERROR(CheckWritable(uid, "changed"));
  const auto own = dashboard.find("uid");
  const bool is_absent = own == dashboard.end() || own->is_null() || *own == "";
  if (is_absent) dashboard["uid"] = uid;
  if (dashboard["uid"] != uid) {
    return InvalidArgument("the dashboard's uid is " + DumpJson(dashboard["uid"]) +
                           ", the address says '" + uid + "'; post it to make a new one");
  }
  HEARTH_RETURN_IF_ERROR(CheckDashboard(dashboard));
  const auto written = Write(uid, dashboard, version);
  if (!written.ok()) return AsConflict(written.status());
  return written;
}

Result<DashboardMeta> DashboardStore::Rename(const std::string& uid, const std::string& title) {
  HEARTH_RETURN_IF_ERROR(CheckWritable(uid, "renamed"));
  HEARTH_RETURN_IF_ERROR(CheckDashboardTitle(title));
  for (int i = 0;; ++i) {
    HEARTH_ASSIGN_OR_RETURN(Dashboard dashboard, Get(uid));
    dashboard.json["title"] = title;
    const auto written = Write(uid, dashboard.json, dashboard.meta.version);
    if (written.ok()) return written;
    if (written.status().code() != StatusCode::kAborted || i + 1 >= kRenameTries) {
      return AsConflict(written.status());
    }
  }
}

Status DashboardStore::Remove(const std::string& uid) {
  HEARTH_RETURN_IF_ERROR(CheckWritable(uid, "deleted"));
  std::lock_guard lock(mutex_);
  HEARTH_RETURN_IF_ERROR(file_->Remove(uid));
  uploaded_.erase(uid);
  return Status::Ok();
}

Result<DashboardMeta> DashboardStore::Write(const std::string& uid, const Json& dashboard,
                                            std::optional<int64_t> expected) {
  // Held over the disk: the list shall say what the file has, in the order of the commits.
  std::lock_guard lock(mutex_);
  HEARTH_ASSIGN_OR_RETURN(const storage::Document document,
                          file_->Put(uid, DumpJson(dashboard), expected));
  DashboardMeta meta{SummaryOf(dashboard), false, document.version, document.updated_ms};
  uploaded_[uid] = meta;
  return meta;
}

}  // namespace hearth::api
