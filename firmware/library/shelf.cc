#include "firmware/library/shelf.h"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <filesystem>

#include "base/clock.h"
#include "base/log.h"
#include "firmware/library/files.h"
#include "firmware/library/names.h"

namespace hearth::library {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kForgottenMs = int64_t{7} * 24 * 3600 * 1000;
constexpr char kIncoming[] = ".incoming";
constexpr char kUploads[] = ".uploads";
constexpr char kJobs[] = ".jobs";
constexpr char kTrash[] = ".trash";
constexpr char kPartial[] = ".partial";

int64_t ModifiedMs(const fs::path& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) return 0;
  return int64_t{about.st_mtim.tv_sec} * 1000 + about.st_mtim.tv_nsec / 1'000'000;
}

// When anything in the folder was written last.
int64_t TouchedMs(const std::string& directory) {
  int64_t touched = ModifiedMs(directory);
  std::error_code error;
  for (fs::recursive_directory_iterator it(directory, error), end; !error && it != end;
       it.increment(error)) {
    touched = std::max(touched, ModifiedMs(it->path()));
  }
  return touched;
}

bool IsFolder(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(fs::symlink_status(path, error));
}

bool HasConfig(const fs::path& directory) {
  std::error_code error;
  return fs::is_regular_file(directory / "config.json", error);
}

std::vector<fs::path> EntriesOf(const fs::path& directory) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    entries.push_back(it->path());
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

ModelView Unfinished(const std::string& id, const std::string& revision, const std::string& path,
                     const std::string& source, const std::string& problem) {
  ModelView view;
  view.id = id;
  view.revision = revision;
  view.path = path;
  view.source = source;
  view.state = "partial";
  view.problem = problem;
  view.bytes = BytesOnDisk(path);
  view.added_ms = ModifiedMs(path);
  std::error_code error;
  for (fs::recursive_directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    if (it->is_regular_file(error)) ++view.num_files;
  }
  return view;
}

}  // namespace

Status Shelf::Prepare() const {
  for (const char* folder : {kIncoming, kUploads, kJobs, kTrash}) {
    std::error_code error;
    fs::create_directories(fs::path(directory_) / folder, error);
    if (error) {
      return FailedPrecondition("the models directory '" + directory_ + "' cannot be written: " +
                                error.message() + "; set models_directory, or let hearthd write there");
    }
  }
  return Status::Ok();
}

std::string Shelf::RepositoryPath(const std::string& model) const {
  return (fs::path(directory_) / RepositoryName(model)).string();
}

std::string Shelf::SnapshotPath(const std::string& model, const std::string& commit) const {
  return RepositoryPath(model) + "/snapshots/" + commit;
}

std::string Shelf::PartialPath(const std::string& model, const std::string& commit) const {
  return RepositoryPath(model) + "/" + kPartial + "/" + commit;
}

std::string Shelf::IncomingPath(const std::string& model) const {
  return (fs::path(directory_) / kIncoming / RepositoryName(model)).string();
}

std::string Shelf::UploadsPath() const { return (fs::path(directory_) / kUploads).string(); }
std::string Shelf::JobsPath() const { return (fs::path(directory_) / kJobs).string(); }

std::vector<std::string> Shelf::Partials(const std::string& model) const {
  std::vector<std::string> paths;
  for (const fs::path& path : EntriesOf(RepositoryPath(model) + "/" + kPartial)) {
    if (IsFolder(path)) paths.push_back(path.string());
  }
  return paths;
}

ModelFacts Shelf::FactsOf(const std::string& path) const {
  // A folder's time changes with the names in it, the file's with its content.
  const int64_t as_of = std::max(ModifiedMs(path), ModifiedMs(fs::path(path) / "config.json"));
  const std::lock_guard lock(facts_mutex_);
  auto& [known_as_of, facts] = facts_[path];
  if (known_as_of != as_of) {
    facts = ReadFacts(path);
    known_as_of = as_of;
  }
  return facts;
}

ModelView Shelf::Describe(const std::string& id, const std::string& revision,
                          const std::string& path) const {
  ModelView view;
  view.id = id;
  view.revision = revision;
  view.path = path;
  const ModelFacts facts = FactsOf(path);
  view.architecture = facts.architecture;
  view.dtype = facts.dtype;
  view.num_parameters = facts.num_parameters;
  if (const auto manifest = ReadManifest(path)) {
    view.bytes = manifest->bytes();
    view.num_files = manifest->files.size();
    view.content_hash = manifest->content_hash;
    view.source = manifest->source;
    view.added_ms = manifest->added_ms;
    view.verified_ms = manifest->verified_ms;
    if (!manifest->revision.empty()) view.revision = manifest->revision;
    view.problem = QuickCheck(path, *manifest);
    if (!view.problem.empty()) view.state = "damaged";
    return view;
  }
  view.added_ms = ModifiedMs(path);
  std::error_code error;
  // Through links: that is where Hugging Face's own tools keep the files.
  for (const fs::path& file : EntriesOf(path)) {
    if (!fs::is_regular_file(file, error)) continue;
    view.bytes += fs::file_size(file, error);
    ++view.num_files;
  }
  return view;
}

void Shelf::ScanRepository(const std::string& path, const std::string& id,
                           std::vector<ModelView>& models) const {
  for (const fs::path& snapshot : EntriesOf(path + "/snapshots")) {
    if (!IsFolder(snapshot) || !HasConfig(snapshot)) continue;
    models.push_back(Describe(id, snapshot.filename().string(), snapshot.string()));
  }
  for (const std::string& partial : Partials(id)) {
    models.push_back(Unfinished(id, fs::path(partial).filename().string(), partial, "hub",
                                "a pull that has not ended; pull it again to go on, or delete it"));
  }
}

void Shelf::ScanPlain(const std::string& path, std::vector<ModelView>& models) const {
  const std::string name = fs::path(path).filename().string();
  if (HasConfig(path)) {
    models.push_back(Describe(name, "", path));
    return;
  }
  for (const fs::path& inner : EntriesOf(path)) {
    if (!IsFolder(inner) || !HasConfig(inner)) continue;
    models.push_back(Describe(name + "/" + inner.filename().string(), "", inner.string()));
  }
}

void Shelf::ScanIncoming(std::vector<ModelView>& models) const {
  for (const fs::path& path : EntriesOf(fs::path(directory_) / kIncoming)) {
    const auto id = ModelIdOf(path.filename().string());
    if (!id || !IsFolder(path)) continue;
    models.push_back(Unfinished(*id, "", path.string(), "upload",
                                "an import or upload that has not ended; finish it, or delete it"));
  }
}

std::vector<ModelView> Shelf::Scan() const {
  std::vector<ModelView> models;
  for (const fs::path& path : EntriesOf(directory_)) {
    const std::string name = path.filename().string();
    if (name.starts_with('.') || !IsFolder(path)) continue;
    if (const auto id = ModelIdOf(name)) {
      ScanRepository(path.string(), *id, models);
    } else {
      ScanPlain(path.string(), models);
    }
  }
  ScanIncoming(models);
  return models;
}

std::optional<ModelView> Shelf::Find(const std::string& model) const {
  std::optional<ModelView> found;
  for (ModelView& view : Scan()) {
    if (view.id != model || view.state == "partial") continue;
    if (!found || view.added_ms >= found->added_ms) found = std::move(view);
  }
  return found;
}

Status Shelf::MoveToTrash(const std::string& path) const {
  static std::atomic<int> number = 0;
  const std::string name = std::to_string(WallMillis()) + "-" + std::to_string(++number);
  return MoveDurably(path, (fs::path(directory_) / kTrash / name).string());
}

Status Shelf::Discard(const std::string& path) const {
  HEARTH_RETURN_IF_ERROR(MoveToTrash(path));
  EmptyTrash();
  return Status::Ok();
}

uint64_t Shelf::EmptyTrash() const {
  uint64_t bytes = 0;
  for (const fs::path& path : EntriesOf(fs::path(directory_) / kTrash)) {
    const uint64_t bytes_here = BytesOnDisk(path.string());
    std::error_code error;
    fs::remove_all(path, error);  // does not follow links
    if (error) {
      LOG(kWarning) << "cannot remove " << path.string() << ": " << error.message();
    } else {
      bytes += bytes_here;
    }
  }
  return bytes;
}

Status Shelf::Remove(const std::string& model) const {
  HEARTH_RETURN_IF_ERROR(CheckModelId(model));
  std::set<std::string> paths;
  std::error_code error;
  for (const std::string& path :
       {RepositoryPath(model), (fs::path(directory_) / model).string(), IncomingPath(model)}) {
    if (IsFolder(path)) paths.insert(path);
  }
  // "Org" may be a folder of models; it is not one.
  const std::string plain = (fs::path(directory_) / model).string();
  if (!HasConfig(plain)) paths.erase(plain);
  if (paths.empty()) return NotFound("there is no model '" + model + "' in " + directory_);
  for (const std::string& path : paths) HEARTH_RETURN_IF_ERROR(Discard(path));
  return Status::Ok();
}

std::vector<std::string> Shelf::Forgotten(const std::set<std::string>& busy) const {
  const int64_t now_ms = WallMillis();
  std::vector<std::string> paths;
  for (const ModelView& view : Scan()) {
    if (view.state != "partial" || busy.contains(view.id)) continue;
    if (now_ms - TouchedMs(view.path) > kForgottenMs) paths.push_back(view.path);
  }
  return paths;
}

uint64_t Shelf::GarbageBytes(const std::set<std::string>& busy) const {
  uint64_t bytes = BytesOnDisk((fs::path(directory_) / kTrash).string());
  for (const std::string& path : Forgotten(busy)) bytes += BytesOnDisk(path);
  return bytes;
}

void Shelf::BinForgotten(const std::set<std::string>& busy) const {
  for (const std::string& path : Forgotten(busy)) {
    LOG(kInfo) << "removing " << path << ", which nobody has gone on with for a week";
    if (const Status moved = MoveToTrash(path); !moved.ok()) LOG(kWarning) << moved.message();
  }
  // What a pull that was given up leaves of its repository.
  for (const fs::path& path : EntriesOf(directory_)) {
    const auto id = ModelIdOf(path.filename().string());
    std::error_code error;
    if (!id || busy.contains(*id) || !IsFolder(path)) continue;
    fs::remove(path / kPartial, error);  // only when empty, as each of these
    fs::remove(path / "snapshots", error);
    fs::remove(path, error);
  }
}

}  // namespace hearth::library
