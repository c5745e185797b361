#include "storage/set_aside.h"

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <vector>

namespace hearth::storage {

namespace {

namespace fs = std::filesystem;

constexpr size_t kSetAsideKept = 2;

void RemoveOldSetAside(const fs::path& path) {
  std::vector<fs::path> kept;
  const std::string prefix = path.filename().string() + ".corrupt-";
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(path.parent_path(), ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(prefix) && !name.ends_with("-wal")) kept.push_back(entry.path());
  }
  std::sort(kept.rbegin(), kept.rend());  // the stamp sorts by time
  for (size_t i = kSetAsideKept; i < kept.size(); ++i) {
    fs::remove(kept[i], ignored);
    fs::remove(kept[i].string() + "-wal", ignored);
  }
}

}  // namespace

std::string UtcStamp() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", &utc);
  return text;
}

Result<std::string> SetDatabaseAside(const std::string& path) {
  const std::string aside = path + ".corrupt-" + UtcStamp();
  std::error_code error;
  fs::rename(path, aside, error);
  if (error) return ErrnoStatus("cannot rename the broken " + path, error.value());
  std::error_code ignored;
  fs::rename(path + "-wal", aside + "-wal", ignored);  // there may be none
  fs::remove(path + "-shm", ignored);                  // only an index of the log
  RemoveOldSetAside(path);
  return aside;
}

}  // namespace hearth::storage
