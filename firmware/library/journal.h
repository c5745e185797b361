// The journal of a pull: which bytes of which file are on the disk. What it says has been synced
// before it was written, so a power loss costs what came since, and never a wrong byte.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "firmware/library/files.h"
#include "firmware/library/transfer.h"

namespace hearth::library {

// Disjoint ranges of bytes, joined where they touch.
class RangeSet {
 public:
  void Add(ByteRange range);
  void Clear() { ranges_.clear(); }
  uint64_t bytes() const;
  const std::map<uint64_t, uint64_t>& ranges() const { return ranges_; }  // begin: end
  // What is missing of [0, size), in pieces of at most `piece_bytes`.
  std::vector<ByteRange> Missing(uint64_t size, uint64_t piece_bytes) const;

 private:
  std::map<uint64_t, uint64_t> ranges_;
};

// Any thread.
class Journal {
 public:
  // Of the `num_files` files of the plan with this tag. What was written before counts, but for a last
  // line that was torn; that of another plan does not.
  static Result<std::unique_ptr<Journal>> Open(const std::string& path, const std::string& plan_tag,
                                               size_t num_files);
  // A journal that begins with what another one knew; durable.
  static Status Write(const std::string& path, const std::string& plan_tag,
                      const std::vector<RangeSet>& done);

  // The file's bytes are synced. On the disk when this returns Ok.
  Status Record(size_t file, ByteRange range);
  // Nothing of the file is good.
  Status StartOver(size_t file);

  RangeSet Done(size_t file) const;

 private:
  Journal(Fd fd, std::vector<RangeSet> done) : fd_(std::move(fd)), done_(std::move(done)) {}
  Status Append(const std::string& line);

  const Fd fd_;
  mutable std::mutex mutex_;
  std::vector<RangeSet> done_;  // by file of the plan
};

}  // namespace hearth::library
