// A disk in memory, under SQLite in place of the operating system's, that can lose power and fail.
//
// What was written is "now" for the process, but on the disk only after a sync. A power loss may
// leave each 512-byte sector of what was not synced as it was or as it should have become, or torn
// in between; the same holds of truncations, of a file's growth, and of files made and deleted.
// What was synced always stays. An Image is one such disk; the process goes on after it was taken,
// so one run yields as many as are wanted. Shared memory is memory: an image has none.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace hearth::fault {

inline constexpr size_t kSectorBytes = 512;

// What a power loss left, by the name of the file within its directory.
struct Image {
  std::map<std::string, std::vector<uint8_t>> files;
  int64_t mark = 0;    // what SetMark() said last: what was promised by then
  uint64_t op = 0;     // the operation before which the power went
};

enum Operation : unsigned {
  kRead = 1,
  kWrite = 2,
  kSync = 4,
  kTruncate = 8,
  kOpen = 16,
  kDelete = 32,
  kAnyOperation = 63,
};

// Which calls fail: the `at`-th (from 1) of the named kinds, and with `sticky` all after it.
struct FaultPlan {
  unsigned operations = 0;
  int64_t at = 0;
  bool sticky = false;
  bool no_space = false;  // writes say SQLITE_FULL instead of an I/O error
};

// Files are named by their absolute path; those of one directory belong to one image. Any thread.
class CrashVfs {
 public:
  // SQLite's default from the first call on, for the whole process; also puts FailMalloc's
  // allocator under SQLite, so the first call must come before SQLite is used.
  static CrashVfs& Install();

  // ---- losing power
  // Before each changing operation on a file of `directory` an image is taken with this probability.
  void TakeImagesOf(const std::string& directory, double probability, uint64_t seed);
  void SetMark(int64_t mark);
  // One image now.
  Image TakeImage(const std::string& directory, uint64_t seed);
  std::vector<Image> TakenImages();  // hands them over
  // Makes `directory` hold what the image has, all of it synced. No file of it may be open.
  void Restore(const std::string& directory, const Image& image);
  // A disk whose syncs do nothing: what is older than some hundred writes is on it, the rest is not.
  void IgnoreSyncs(bool ignore);

  // ---- failing
  void Fail(const FaultPlan& plan);
  void FailNothing() { Fail({}); }
  int64_t fired() const;       // times the plan made a call fail
  uint64_t operations() const;  // changing ones so far

  // SQLite's n-th allocation from now on fails (from 1), and with `sticky` all after it; 0: none.
  static void FailMalloc(int64_t at, bool sticky);
  static int64_t malloc_fired();

  struct Inode;
  struct Handle;
  struct Calls;  // what SQLite calls

 private:
  CrashVfs();
  void BeforeChange(const std::string& path);
  bool Fires(Operation operation);
  Image MakeImage(const std::string& directory);
  void Sync(Handle& handle);

  mutable std::mutex mutex_;
  // What the process sees, and what the disk surely has. A name in one of them only is a file whose
  // making or deletion was not synced; only a sync of the directory does that.
  std::map<std::string, std::shared_ptr<Inode>> now_, durable_;
  std::string directory_;
  double probability_ = 0;
  std::mt19937_64 random_{1};
  std::vector<Image> images_;
  int64_t mark_ = 0;
  uint64_t operations_ = 0;
  bool ignore_syncs_ = false;
  FaultPlan plan_;
  int64_t matching_ = 0;
  int64_t fired_ = 0;
};

}  // namespace hearth::fault
