#include "crash_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <new>
#include <utility>

#include "base/check.h"

namespace hearth::fault {

namespace {

using Bytes = std::vector<uint8_t>;

// With syncs ignored the operating system still writes back what is so many writes old.
constexpr size_t kWriteBackOps = 300;
// Of the sectors that a power loss lets through one in so many is torn.
constexpr uint64_t kTornOneIn = 40;

// A change that the disk may not have yet: a write, or with `truncate` the new size in `offset`.
struct Change {
  size_t offset = 0;
  Bytes bytes;
  bool truncate = false;
};

void Apply(const Change& change, Bytes& content) {
  if (change.truncate) return content.resize(change.offset);
  content.resize(std::max(content.size(), change.offset + change.bytes.size()));
  std::copy(change.bytes.begin(), change.bytes.end(),
            content.begin() + static_cast<ptrdiff_t>(change.offset));
}

// The parts that lie in one sector each reach the disk with probability `kept`, or torn.
void ApplyPartly(const Change& change, double kept, std::mt19937_64& random, Bytes& content) {
  std::bernoulli_distribution keep(kept);
  if (change.truncate) {
    if (keep(random)) content.resize(change.offset);
    return;
  }
  const size_t end = change.offset + change.bytes.size();
  for (size_t at = change.offset; at < end;) {
    size_t next = std::min(end, (at / kSectorBytes + 1) * kSectorBytes);
    const size_t begin = at;
    at = next;
    if (!keep(random)) continue;
    if (random() % kTornOneIn == 0) next = begin + random() % (next - begin);
    content.resize(std::max(content.size(), next));  // what was not written before it is zeros
    std::copy(change.bytes.begin() + static_cast<ptrdiff_t>(begin - change.offset),
              change.bytes.begin() + static_cast<ptrdiff_t>(next - change.offset),
              content.begin() + static_cast<ptrdiff_t>(begin));
  }
}

// From nothing to everything, and all between: how much of its cache the system had written back.
double DrawKept(std::mt19937_64& random) {
  switch (random() % 4) {
    case 0:
      return 0;
    case 1:
      return 1;
    default:
      return std::uniform_real_distribution<double>(0, 1)(random);
  }
}

struct SharedMemory {
  static constexpr int kLocks = SQLITE_SHM_NLOCK;
  std::vector<std::unique_ptr<uint8_t[]>> regions;
  int users = 0;
  int shared[kLocks] = {};
  bool exclusive[kLocks] = {};
};

std::atomic<int64_t> malloc_countdown = 0;  // 0: no failure is planned
std::atomic<bool> malloc_sticky = false;
std::atomic<int64_t> malloc_failures = 0;
sqlite3_mem_methods real_malloc;

bool MallocFails() {
  if (malloc_countdown == 0) return false;
  if (malloc_countdown > 1) {
    --malloc_countdown;
    return false;
  }
  if (!malloc_sticky) malloc_countdown = 0;
  ++malloc_failures;
  return true;
}

void* Allocate(int bytes) { return MallocFails() ? nullptr : real_malloc.xMalloc(bytes); }
void* Reallocate(void* old, int bytes) {
  return MallocFails() ? nullptr : real_malloc.xRealloc(old, bytes);
}

void PutAllocatorUnderSqlite() {
  CHECK(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_malloc) == SQLITE_OK)
      << "SQLite was used before CrashVfs::Install";
  sqlite3_mem_methods methods = real_malloc;
  methods.xMalloc = Allocate;
  methods.xRealloc = Reallocate;
  CHECK(sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK);
  // Without it every allocation reaches the function above.
  CHECK(sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) == SQLITE_OK);
}

std::string DirectoryOf(const std::string& path) { return path.substr(0, path.rfind('/')); }

}  // namespace

struct CrashVfs::Inode {
  Bytes now;
  Bytes durable;
  std::vector<Change> pending;  // since the last sync, in order
  SharedMemory memory;
  int shared = 0;               // locks on the file
  Handle* reserved = nullptr;   // who holds that lock, a pending or an exclusive one
  bool pending_lock = false;

  void Add(Change change, bool write_back) {
    Apply(change, now);
    pending.push_back(std::move(change));
    if (!write_back || pending.size() < 2 * kWriteBackOps) return;
    for (size_t i = 0; i < kWriteBackOps; ++i) Apply(pending[i], durable);
    pending.erase(pending.begin(), pending.begin() + kWriteBackOps);
  }

  Bytes AfterPowerLoss(std::mt19937_64& random) const {
    const double kept = DrawKept(random);
    Bytes content = durable;
    for (const Change& change : pending) ApplyPartly(change, kept, random, content);
    return content;
  }
};

struct CrashVfs::Handle : sqlite3_file {
  CrashVfs* vfs = nullptr;
  std::shared_ptr<Inode> inode;
  std::string path;
  int lock = SQLITE_LOCK_NONE;
  bool syncs_directory = false;  // at its next sync
  bool has_memory = false;
  unsigned shm_shared = 0;  // bit by lock
  unsigned shm_exclusive = 0;
};

bool CrashVfs::Fires(Operation operation) {
  if ((plan_.operations & operation) == 0) return false;
  ++matching_;
  if (plan_.sticky ? matching_ < plan_.at : matching_ != plan_.at) return false;
  ++fired_;
  return true;
}

void CrashVfs::BeforeChange(const std::string& path) {
  ++operations_;
  if (probability_ <= 0 || DirectoryOf(path) != directory_) return;
  if (std::bernoulli_distribution(probability_)(random_)) images_.push_back(MakeImage(directory_));
}

Image CrashVfs::MakeImage(const std::string& directory) {
  Image image;
  image.mark = mark_;
  image.op = operations_;
  std::map<std::string, std::vector<std::shared_ptr<Inode>>> choices;
  for (const auto& [path, inode] : now_) choices[path].push_back(inode);
  for (const auto& [path, inode] : durable_) {
    if (choices[path].empty() || choices[path][0] != inode) choices[path].push_back(inode);
  }
  for (const auto& [path, inodes] : choices) {
    if (DirectoryOf(path) != directory) continue;
    const auto durable = durable_.find(path);
    const bool settled = inodes.size() == 1 && durable != durable_.end() && now_.contains(path);
    // Else the directory may say either of the two, or that there is no such file if it ever did.
    const size_t choice = settled ? 0 : random_() % (inodes.size() + 1);
    if (choice == inodes.size()) continue;
    image.files[path.substr(directory.size() + 1)] = inodes[choice]->AfterPowerLoss(random_);
  }
  return image;
}

void CrashVfs::Sync(Handle& handle) {
  if (ignore_syncs_) return;
  Inode& inode = *handle.inode;
  for (const Change& change : inode.pending) Apply(change, inode.durable);
  inode.pending.clear();
  if (!handle.syncs_directory) return;
  handle.syncs_directory = false;
  const auto within = [directory = DirectoryOf(handle.path)](const auto& entry) {
    return DirectoryOf(entry.first) == directory;
  };
  std::erase_if(durable_, within);
  std::copy_if(now_.begin(), now_.end(), std::inserter(durable_, durable_.end()), within);
}

// The functions SQLite calls, in the order of its documentation.
struct CrashVfs::Calls {
  static Handle& Of(sqlite3_file* file) { return *static_cast<Handle*>(file); }

  static int Close(sqlite3_file* file) {
    Unlock(file, SQLITE_LOCK_NONE);
    ShmUnmap(file, 0);
    Of(file).~Handle();
    return SQLITE_OK;
  }

  static int Read(sqlite3_file* file, void* to, int count, sqlite3_int64 offset) {
    Handle& handle = Of(file);
    std::lock_guard lock(handle.vfs->mutex_);
    if (handle.vfs->Fires(kRead)) return SQLITE_IOERR_READ;
    const Bytes& now = handle.inode->now;
    const auto begin = std::min(now.size(), static_cast<size_t>(offset));
    const auto bytes = std::min(now.size() - begin, static_cast<size_t>(count));
    if (bytes > 0) std::memcpy(to, now.data() + begin, bytes);
    if (bytes == static_cast<size_t>(count)) return SQLITE_OK;
    std::memset(static_cast<uint8_t*>(to) + bytes, 0, static_cast<size_t>(count) - bytes);
    return SQLITE_IOERR_SHORT_READ;
  }

  static int Write(sqlite3_file* file, const void* from, int count, sqlite3_int64 offset) {
    Handle& handle = Of(file);
    CrashVfs& vfs = *handle.vfs;
    std::lock_guard lock(vfs.mutex_);
    vfs.BeforeChange(handle.path);
    const bool fails = vfs.Fires(kWrite);
    const auto* bytes = static_cast<const uint8_t*>(from);
    if (fails) count /= 2;  // a write that fails may have begun
    handle.inode->Add({static_cast<size_t>(offset), Bytes(bytes, bytes + count)},
                      vfs.ignore_syncs_);
    if (!fails) return SQLITE_OK;
    return vfs.plan_.no_space ? SQLITE_FULL : SQLITE_IOERR_WRITE;
  }

  static int Truncate(sqlite3_file* file, sqlite3_int64 size) {
    Handle& handle = Of(file);
    std::lock_guard lock(handle.vfs->mutex_);
    handle.vfs->BeforeChange(handle.path);
    if (handle.vfs->Fires(kTruncate)) return SQLITE_IOERR_TRUNCATE;
    handle.inode->Add({static_cast<size_t>(size), {}, true}, handle.vfs->ignore_syncs_);
    return SQLITE_OK;
  }

  static int Sync(sqlite3_file* file, int) {
    Handle& handle = Of(file);
    CrashVfs& vfs = *handle.vfs;
    std::lock_guard lock(vfs.mutex_);
    vfs.BeforeChange(handle.path);
    if (!vfs.Fires(kSync)) {
      vfs.Sync(handle);
      return SQLITE_OK;
    }
    // As Linux does it: some of it was written, the rest is dropped yet counted as clean, so that
    // no later sync writes it, while the process goes on reading it.
    handle.inode->durable = handle.inode->AfterPowerLoss(vfs.random_);
    handle.inode->pending.clear();
    return SQLITE_IOERR_FSYNC;
  }

  static int FileSize(sqlite3_file* file, sqlite3_int64* size) {
    std::lock_guard lock(Of(file).vfs->mutex_);
    *size = static_cast<sqlite3_int64>(Of(file).inode->now.size());
    return SQLITE_OK;
  }

  static int Lock(sqlite3_file* file, int level) {
    Handle& handle = Of(file);
    std::lock_guard lock(handle.vfs->mutex_);
    Inode& inode = *handle.inode;
    const bool other_reserved = inode.reserved != nullptr && inode.reserved != &handle;
    if (handle.lock >= level) return SQLITE_OK;
    if (level == SQLITE_LOCK_SHARED) {
      if (inode.pending_lock) return SQLITE_BUSY;
      ++inode.shared;
    } else {
      if (other_reserved) return SQLITE_BUSY;
      inode.reserved = &handle;
      if (level == SQLITE_LOCK_EXCLUSIVE) {
        inode.pending_lock = true;
        handle.lock = SQLITE_LOCK_PENDING;
        if (inode.shared > 1) return SQLITE_BUSY;
      }
    }
    handle.lock = level;
    return SQLITE_OK;
  }

  static int Unlock(sqlite3_file* file, int level) {
    Handle& handle = Of(file);
    std::lock_guard lock(handle.vfs->mutex_);
    Inode& inode = *handle.inode;
    if (handle.lock <= level) return SQLITE_OK;
    if (inode.reserved == &handle) {
      inode.reserved = nullptr;
      inode.pending_lock = false;
    }
    if (level == SQLITE_LOCK_NONE) --inode.shared;
    handle.lock = level;
    return SQLITE_OK;
  }

  static int CheckReservedLock(sqlite3_file* file, int* reserved) {
    std::lock_guard lock(Of(file).vfs->mutex_);
    *reserved = Of(file).inode->reserved != nullptr;
    return SQLITE_OK;
  }

  static int FileControl(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
  static int SectorSize(sqlite3_file*) { return 4096; }  // what SQLite's own says on Linux
  static int DeviceCharacteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

  static int ShmMap(sqlite3_file* file, int region, int bytes, int extend, void volatile** at) {
    Handle& handle = Of(file);
    std::lock_guard lock(handle.vfs->mutex_);
    SharedMemory& memory = handle.inode->memory;
    if (!handle.has_memory) ++memory.users;
    handle.has_memory = true;
    *at = nullptr;
    while (extend != 0 && memory.regions.size() <= static_cast<size_t>(region)) {
      memory.regions.push_back(std::make_unique<uint8_t[]>(static_cast<size_t>(bytes)));
    }
    if (memory.regions.size() > static_cast<size_t>(region)) {
      *at = memory.regions[static_cast<size_t>(region)].get();
    }
    return SQLITE_OK;
  }

  static int ShmLock(sqlite3_file* file, int first, int count, int flags) {
    Handle& handle = Of(file);
    std::lock_guard lock(handle.vfs->mutex_);
    SharedMemory& memory = handle.inode->memory;
    const bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
    if ((flags & SQLITE_SHM_LOCK) != 0) {
      for (int i = first; i < first + count; ++i) {
        const bool mine = ((handle.shm_shared | handle.shm_exclusive) >> i & 1) != 0;
        if (memory.exclusive[i] && !mine) return SQLITE_BUSY;
        if (exclusive && memory.shared[i] > ((handle.shm_shared >> i & 1) != 0 ? 1 : 0)) {
          return SQLITE_BUSY;
        }
      }
    }
    for (int i = first; i < first + count; ++i) Mark(handle, i, flags);
    return SQLITE_OK;
  }

  static void Mark(Handle& handle, int i, int flags) {
    SharedMemory& memory = handle.inode->memory;
    const unsigned bit = 1u << i;
    const bool locks = (flags & SQLITE_SHM_LOCK) != 0;
    unsigned& held = (flags & SQLITE_SHM_EXCLUSIVE) != 0 ? handle.shm_exclusive : handle.shm_shared;
    if (((held & bit) != 0) == locks) return;
    held ^= bit;
    if (&held == &handle.shm_exclusive) {
      memory.exclusive[i] = locks;
    } else {
      memory.shared[i] += locks ? 1 : -1;
    }
  }

  static void ShmBarrier(sqlite3_file* file) { std::lock_guard lock(Of(file).vfs->mutex_); }

  static int ShmUnmap(sqlite3_file* file, int) {
    Handle& handle = Of(file);
    std::lock_guard lock(handle.vfs->mutex_);
    if (!handle.has_memory) return SQLITE_OK;
    for (int i = 0; i < SharedMemory::kLocks; ++i) {
      Mark(handle, i, SQLITE_SHM_UNLOCK | SQLITE_SHM_SHARED);
      Mark(handle, i, SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE);
    }
    handle.has_memory = false;
    if (--handle.inode->memory.users == 0) handle.inode->memory.regions.clear();
    return SQLITE_OK;
  }

  static int Open(sqlite3_vfs* self, const char* name, sqlite3_file* file, int flags,
                  int* out_flags) {
    auto& vfs = *static_cast<CrashVfs*>(self->pAppData);
    std::lock_guard lock(vfs.mutex_);
    file->pMethods = nullptr;
    if (vfs.Fires(kOpen)) return SQLITE_CANTOPEN;
    const std::string path = name == nullptr ? "" : name;
    std::shared_ptr<Inode> inode;
    if (const auto found = vfs.now_.find(path); found != vfs.now_.end() && name != nullptr) {
      inode = found->second;
    } else {
      if ((flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
      vfs.BeforeChange(path);
      inode = std::make_shared<Inode>();
      if (name != nullptr) vfs.now_[path] = inode;
    }
    Handle* const handle = new (file) Handle();
    handle->pMethods = &kMethods;
    handle->vfs = &vfs;
    handle->inode = std::move(inode);
    handle->path = path;
    // SQLite's own syncs the directory with the first sync of a log or journal, never else.
    constexpr int kLogs = SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL;
    handle->syncs_directory = (flags & SQLITE_OPEN_CREATE) != 0 && (flags & kLogs) != 0;
    if (out_flags != nullptr) *out_flags = flags;
    return SQLITE_OK;
  }

  static int Delete(sqlite3_vfs* self, const char* name, int sync_directory) {
    auto& vfs = *static_cast<CrashVfs*>(self->pAppData);
    std::lock_guard lock(vfs.mutex_);
    vfs.BeforeChange(name);
    if (vfs.Fires(kDelete)) return SQLITE_IOERR_DELETE;
    if (vfs.now_.erase(name) == 0) return SQLITE_IOERR_DELETE_NOENT;
    if (sync_directory != 0 && !vfs.ignore_syncs_) vfs.durable_.erase(name);
    return SQLITE_OK;
  }

  static int Access(sqlite3_vfs* self, const char* name, int, int* there) {
    auto& vfs = *static_cast<CrashVfs*>(self->pAppData);
    std::lock_guard lock(vfs.mutex_);
    const auto found = vfs.now_.find(name);
    *there = found != vfs.now_.end() && !found->second->now.empty();
    return SQLITE_OK;
  }

  static int FullPathname(sqlite3_vfs*, const char* name, int bytes, char* out) {
    const std::string path = std::filesystem::absolute(name).string();
    if (path.size() >= static_cast<size_t>(bytes)) return SQLITE_CANTOPEN;
    std::memcpy(out, path.c_str(), path.size() + 1);
    return SQLITE_OK;
  }

  static const sqlite3_io_methods kMethods;
};

const sqlite3_io_methods CrashVfs::Calls::kMethods = {
    2,
    Close,
    Read,
    Write,
    Truncate,
    Sync,
    FileSize,
    Lock,
    Unlock,
    CheckReservedLock,
    FileControl,
    SectorSize,
    DeviceCharacteristics,
    ShmMap,
    ShmLock,
    ShmBarrier,
    ShmUnmap,
    nullptr,
    nullptr,
};

CrashVfs::CrashVfs() {
  PutAllocatorUnderSqlite();
  static sqlite3_vfs vfs = *sqlite3_vfs_find(nullptr);  // time, randomness and sleep are the system's
  vfs.zName = "crash";
  vfs.pNext = nullptr;
  vfs.pAppData = this;
  vfs.szOsFile = sizeof(Handle);
  vfs.xOpen = Calls::Open;
  vfs.xDelete = Calls::Delete;
  vfs.xAccess = Calls::Access;
  vfs.xFullPathname = Calls::FullPathname;
  CHECK(sqlite3_vfs_register(&vfs, /*makeDflt=*/1) == SQLITE_OK);
}

CrashVfs& CrashVfs::Install() {
  static CrashVfs* const vfs = new CrashVfs();  // SQLite keeps it until the process ends
  return *vfs;
}

void CrashVfs::TakeImagesOf(const std::string& directory, double probability, uint64_t seed) {
  std::lock_guard lock(mutex_);
  directory_ = directory;
  probability_ = probability;
  random_.seed(seed);
}

void CrashVfs::SetMark(int64_t mark) {
  std::lock_guard lock(mutex_);
  mark_ = mark;
}

Image CrashVfs::TakeImage(const std::string& directory, uint64_t seed) {
  std::lock_guard lock(mutex_);
  random_.seed(seed);
  return MakeImage(directory);
}

std::vector<Image> CrashVfs::TakenImages() {
  std::lock_guard lock(mutex_);
  return std::exchange(images_, {});
}

void CrashVfs::Restore(const std::string& directory, const Image& image) {
  std::lock_guard lock(mutex_);
  const auto within = [&](const auto& entry) { return DirectoryOf(entry.first) == directory; };
  std::erase_if(now_, within);
  std::erase_if(durable_, within);
  for (const auto& [name, content] : image.files) {
    auto inode = std::make_shared<Inode>();
    inode->now = inode->durable = content;
    now_[directory + "/" + name] = durable_[directory + "/" + name] = std::move(inode);
  }
}

void CrashVfs::IgnoreSyncs(bool ignore) {
  std::lock_guard lock(mutex_);
  ignore_syncs_ = ignore;
}

void CrashVfs::Fail(const FaultPlan& plan) {
  std::lock_guard lock(mutex_);
  plan_ = plan;
  matching_ = fired_ = 0;
}

int64_t CrashVfs::fired() const {
  std::lock_guard lock(mutex_);
  return fired_;
}

uint64_t CrashVfs::operations() const {
  std::lock_guard lock(mutex_);
  return operations_;
}

void CrashVfs::FailMalloc(int64_t at, bool sticky) {
  malloc_failures = 0;
  malloc_sticky = sticky;
  malloc_countdown = at;
}

int64_t CrashVfs::malloc_fired() { return malloc_failures; }

}  // namespace hearth::fault
