#include "firmware/library/intake.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>

#include "base/clock.h"
#include "base/durable_file.h"
#include "firmware/library/digest.h"
#include "firmware/library/files.h"
#include "firmware/library/names.h"

namespace hearth::library {
namespace {

namespace fs = std::filesystem;

constexpr size_t kCopyBytes = size_t{1} << 20;
constexpr uint64_t kSpaceLookBytes = uint64_t{16} << 20;

// The names of a folder beneath another, sorted.
Result<std::vector<std::string>> NamesIn(int root, const std::string& folder) {
  HEARTH_ASSIGN_OR_RETURN(const Fd fd,
                          OpenBeneath(root, folder, O_RDONLY | O_DIRECTORY, Links::kInside));
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::fdopendir(::dup(fd.get())), ::closedir);
  if (listing == nullptr) return ErrnoStatus("cannot list '" + folder + "'", errno);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(listing.get())) names.emplace_back(entry->d_name);
  std::sort(names.begin(), names.end());
  return names;
}

// Where in the source the model's files are: "." or, in a repository of Hugging Face's cache, the
// snapshot of main.
Result<std::string> FilesFolderIn(int root) {
  if (OpenBeneath(root, "config.json", O_RDONLY, Links::kInside).ok()) return std::string(".");
  const auto snapshots = NamesIn(root, "snapshots");
  if (!snapshots.ok()) return std::string(".");
  if (const auto main = OpenBeneath(root, "refs/main", O_RDONLY, Links::kInside); main.ok()) {
    char commit[64] = "";
    const ssize_t count = ::read(main->get(), commit, sizeof commit - 1);
    const std::string name(commit, count > 0 ? std::min<size_t>(40, static_cast<size_t>(count)) : 0);
    if (IsCommit(name)) return "snapshots/" + name;
  }
  std::vector<std::string> named;
  std::copy_if(snapshots->begin(), snapshots->end(), std::back_inserter(named), IsCommit);
  if (named.size() == 1) return "snapshots/" + named.front();
  return FailedPrecondition("it holds " + std::to_string(named.size()) +
                            " snapshots and no refs/main; name one of them");
}

struct SourceFile {
  std::string path;  // in the model
  uint64_t size = 0;
};

Status CheckComplete(const std::vector<SourceFile>& files) {
  const auto has = [&](auto&& test) { return std::any_of(files.begin(), files.end(), test); };
  if (!has([](const SourceFile& file) { return file.path == "config.json"; })) {
    return FailedPrecondition("there is no config.json among the files, so it is no model");
  }
  if (!has([](const SourceFile& file) { return file.path.ends_with(".safetensors"); })) {
    return FailedPrecondition("there are no weights as .safetensors among the files; other formats are "
                              "not served");
  }
  return Status::Ok();
}

Result<Fd> OpenRegular(int root, const std::string& path) {
  // Not waiting for the writer of a pipe.
  HEARTH_ASSIGN_OR_RETURN(Fd fd, OpenBeneath(root, path, O_RDONLY | O_NONBLOCK, Links::kInside));
  struct stat about {};
  if (::fstat(fd.get(), &about) != 0) return ErrnoStatus("cannot look at '" + path + "'", errno);
  if (!S_ISREG(about.st_mode)) return InvalidArgument("'" + path + "' is no regular file");
  return fd;
}

// A link that leads out is an error: who made the directory may have meant it.
Result<std::vector<SourceFile>> WantedIn(int root, const std::string& folder) {
  HEARTH_ASSIGN_OR_RETURN(const auto names, NamesIn(root, folder));
  std::vector<SourceFile> files;
  for (const std::string& name : names) {
    if (name == kManifestName || !IsWanted(name) || !CheckFilePath(name).ok()) continue;
    HEARTH_ASSIGN_OR_RETURN(const Fd fd, OpenRegular(root, folder + "/" + name));
    struct stat about {};
    if (::fstat(fd.get(), &about) != 0) return ErrnoStatus("cannot look at '" + name + "'", errno);
    files.push_back({name, static_cast<uint64_t>(about.st_size)});
  }
  HEARTH_RETURN_IF_ERROR(CheckComplete(files));
  return files;
}

void ShowFiles(Job& job, const std::vector<SourceFile>& files) {
  std::vector<FileView> views;
  for (const SourceFile& file : files) views.push_back({file.path, 0, file.size, "waiting"});
  job.SetFiles(std::move(views));
}

// Copies and hashes at once.
Result<ManifestFile> CopyFile(int from, int to, const SourceFile& file, size_t index,
                              const DiskGuard& disk, Job& job) {
  Hasher hasher = Hasher::Sha256();
  std::string piece(kCopyBytes, '\0');
  uint64_t at = 0;
  uint64_t look_at = 0;
  while (true) {
    if (job.stopped()) return Aborted("stopped");
    if (at >= look_at) {
      HEARTH_RETURN_IF_ERROR(disk.CheckRoomFor(std::min(kSpaceLookBytes, file.size - std::min(at, file.size))));
      look_at += kSpaceLookBytes;
    }
    const ssize_t count = ::pread(from, piece.data(), piece.size(), static_cast<off_t>(at));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoStatus("cannot read " + file.path, errno);
    if (count == 0) break;
    const std::string_view read(piece.data(), static_cast<size_t>(count));
    hasher.Add(read);
    HEARTH_RETURN_IF_ERROR(WriteAt(to, read, at));
    at += read.size();
    job.AddBytes(index, read.size());
  }
  if (at != file.size) return DataLoss(file.path + " changed while it was copied; import it again");
  HEARTH_RETURN_IF_ERROR(SyncFile(to, file.path));
  return ManifestFile{file.path, at, hasher.Hex()};
}

// The manifest that a source brings along, from another box, is believed as far as it must be true.
Status CheckAgainst(const std::optional<Manifest>& theirs, const ManifestFile& copied) {
  if (!theirs) return Status::Ok();
  for (const ManifestFile& file : theirs->files) {
    if (file.path == copied.path && file.sha256 != copied.sha256) {
      return DataLoss(copied.path + " does not have the hash that the manifest beside it says; the copy "
                      "is damaged, make it again");
    }
  }
  return Status::Ok();
}

Status PutOnShelf(const Shelf& shelf, const std::string& model, const std::string& source,
                  std::vector<ManifestFile> files) {
  Manifest manifest;
  manifest.model = model;
  manifest.source = source;
  manifest.files = std::move(files);
  manifest.added_ms = WallMillis();
  manifest.verified_ms = manifest.added_ms;
  SetContentHash(manifest);
  const std::string staged = shelf.IncomingPath(model);
  const bool is_name = model.find('/') == std::string::npos;
  // There is no commit, so the content names itself.
  const std::string commit = manifest.content_hash.substr(std::string("sha256:").size(), 40);
  if (!is_name) manifest.revision = commit;
  HEARTH_RETURN_IF_ERROR(WriteManifest(staged, manifest));
  HEARTH_RETURN_IF_ERROR(CheckPlaceFree(shelf, model));
  if (is_name) {
    return MoveDurably(staged, (fs::path(shelf.directory()) / model).string());
  }
  const std::string repository = shelf.RepositoryPath(model);
  std::error_code error;
  for (const char* folder : {"/snapshots", "/refs"}) {
    fs::create_directories(repository + folder, error);
    if (error) return ErrnoStatus("cannot make " + repository + folder, error.value());
  }
  const std::string snapshot = shelf.SnapshotPath(model, commit);
  if (fs::exists(snapshot, error)) HEARTH_RETURN_IF_ERROR(shelf.Discard(snapshot));
  HEARTH_RETURN_IF_ERROR(MoveDurably(staged, snapshot));
  return WriteDurably(repository + "/refs/main", commit);
}

Result<std::vector<ManifestFile>> HashFiles(int root, const std::vector<SourceFile>& files, Job& job) {
  ShowFiles(job, files);
  std::vector<ManifestFile> hashed;
  for (size_t i = 0; i < files.size(); ++i) {
    job.SetFile(i, "verifying", 0);
    HEARTH_ASSIGN_OR_RETURN(const Fd fd, OpenRegular(root, files[i].path));
    HEARTH_ASSIGN_OR_RETURN(const FileDigest digest,
                            DigestFile(fd.get(), GitOid::kSkipped, job.stop_flag(),
                                       [&](uint64_t bytes) { job.AddBytes(i, bytes); }));
    HEARTH_RETURN_IF_ERROR(SyncFile(fd.get(), files[i].path));
    job.SetFile(i, "done", digest.size);
    hashed.push_back({files[i].path, digest.size, digest.sha256});
  }
  return hashed;
}

}  // namespace

Status CheckPlaceFree(const Shelf& shelf, const std::string& model) {
  // A model in a folder of its own name is what is served under that name, whatever else there is.
  std::error_code error;
  const fs::path folder = fs::path(shelf.directory()) / model;
  const bool is_name = model.find('/') == std::string::npos;
  if (!fs::exists(is_name ? folder : folder / "config.json", error)) return Status::Ok();
  return FailedPrecondition("there is a model '" + model +
                            "' already; remove it first, or choose another name");
}

Status RunImport(const Shelf& shelf, const DiskGuard& disk, Job& job) {
  const JobRecord record = job.record();
  job.SetState(JobState::kRunning);
  HEARTH_ASSIGN_OR_RETURN(const Fd root, OpenFolder(record.path));
  auto folder = FilesFolderIn(root.get());
  if (!folder.ok()) return folder.status().WithContext(record.path);
  auto files = WantedIn(root.get(), *folder);
  if (!files.ok()) return files.status().WithContext(record.path);
  uint64_t bytes = 0;
  for (const SourceFile& file : *files) bytes += file.size;
  job.SetNeedsBytes(bytes);
  HEARTH_RETURN_IF_ERROR(disk.CheckRoomFor(bytes));
  const std::string staged = shelf.IncomingPath(record.model);
  std::error_code error;
  fs::remove_all(staged, error);
  fs::create_directories(staged, error);
  HEARTH_ASSIGN_OR_RETURN(const Fd to_folder, OpenFolder(staged));
  ShowFiles(job, *files);
  const auto theirs = ReadManifest((fs::path(record.path) / *folder).string());
  std::vector<ManifestFile> copied;
  for (size_t i = 0; i < files->size(); ++i) {
    const SourceFile& file = (*files)[i];
    job.SetFile(i, "running", 0);
    HEARTH_ASSIGN_OR_RETURN(const Fd from, OpenRegular(root.get(), *folder + "/" + file.path));
    HEARTH_ASSIGN_OR_RETURN(const Fd to, MakeBeneath(to_folder.get(), file.path));
    HEARTH_ASSIGN_OR_RETURN(ManifestFile one, CopyFile(from.get(), to.get(), file, i, disk, job));
    HEARTH_RETURN_IF_ERROR(CheckAgainst(theirs, one));
    copied.push_back(std::move(one));
    job.SetFile(i, "done", file.size);
  }
  return PutOnShelf(shelf, record.model, "import", std::move(copied));
}

Status RunUpload(const Shelf& shelf, Job& job) {
  const std::string model = job.record().model;
  job.SetState(JobState::kVerifying);
  HEARTH_ASSIGN_OR_RETURN(const Fd staged, OpenFolder(shelf.IncomingPath(model)));
  HEARTH_ASSIGN_OR_RETURN(const auto files, WantedIn(staged.get(), "."));
  HEARTH_ASSIGN_OR_RETURN(auto hashed, HashFiles(staged.get(), files, job));
  return PutOnShelf(shelf, model, "upload", std::move(hashed));
}

Status RunVerify(const Shelf& shelf, Job& job) {
  const std::string model = job.record().model;
  job.SetState(JobState::kVerifying);
  const auto view = shelf.Find(model);
  if (!view) return NotFound("there is no model '" + model + "' in " + shelf.directory());
  auto manifest = ReadManifest(view->path);
  if (!manifest) {
    return FailedPrecondition("nobody has written down the hashes of '" + model +
                              "': it was put there by hand. Import it to have them");
  }
  std::vector<FileView> views;
  for (const ManifestFile& file : manifest->files) views.push_back({file.path, 0, file.size, "waiting"});
  job.SetFiles(std::move(views));
  HEARTH_ASSIGN_OR_RETURN(const Fd root, OpenFolder(view->path));
  manifest->damaged.clear();
  for (size_t i = 0; i < manifest->files.size(); ++i) {
    const ManifestFile& file = manifest->files[i];
    job.SetFile(i, "verifying", 0);
    const auto fd = OpenRegular(root.get(), file.path);
    if (!fd.ok()) {
      manifest->damaged.push_back(file.path + " cannot be read: " + fd.status().message());
      continue;
    }
    const auto digest = DigestFile(fd->get(), GitOid::kSkipped, job.stop_flag(),
                                   [&](uint64_t bytes) { job.AddBytes(i, bytes); });
    if (!digest.ok() && digest.status().code() == StatusCode::kAborted) return digest.status();
    if (!digest.ok()) {
      manifest->damaged.push_back(file.path + ": " + digest.status().message());
    } else if (digest->sha256 != file.sha256) {
      manifest->damaged.push_back(file.path + " has other bytes than when it came");
    }
    job.SetFile(i, "done", file.size);
  }
  manifest->verified_ms = WallMillis();
  HEARTH_RETURN_IF_ERROR(WriteManifest(view->path, *manifest));
  if (manifest->damaged.empty()) return Status::Ok();
  std::string found = model + " is damaged: ";
  for (const std::string& one : manifest->damaged) found += one + "; ";
  return DataLoss(found + "remove it and get it again");
}

}  // namespace hearth::library
