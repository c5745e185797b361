#include "firmware/library/journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <sstream>

#include "base/durable_file.h"

namespace hearth::library {
namespace {

// One line: "done FILE BEGIN END" or "over FILE". False: it is none of these.
bool Apply(const std::string& line, std::vector<RangeSet>& done) {
  std::istringstream words(line);
  std::string what;
  size_t file = 0;
  if (!(words >> what >> file) || file >= done.size()) return false;
  if (what == "over") {
    done[file].Clear();
    return true;
  }
  ByteRange range;
  if (what != "done" || !(words >> range.begin >> range.end) || range.begin >= range.end) return false;
  done[file].Add(range);
  return true;
}

std::string Head(const std::string& plan_tag) { return "plan " + plan_tag + "\n"; }

std::string DoneLine(size_t file, const ByteRange& range) {
  return "done " + std::to_string(file) + " " + std::to_string(range.begin) + " " +
         std::to_string(range.end) + "\n";
}

}  // namespace

void RangeSet::Add(ByteRange range) {
  auto it = ranges_.upper_bound(range.begin);
  if (it != ranges_.begin() && std::prev(it)->second >= range.begin) --it;
  while (it != ranges_.end() && it->first <= range.end) {
    range.begin = std::min(range.begin, it->first);
    range.end = std::max(range.end, it->second);
    it = ranges_.erase(it);
  }
  if (range.begin < range.end) ranges_[range.begin] = range.end;
}

uint64_t RangeSet::bytes() const {
  uint64_t sum = 0;
  for (const auto& [begin, end] : ranges_) sum += end - begin;
  return sum;
}

std::vector<ByteRange> RangeSet::Missing(uint64_t size, uint64_t piece_bytes) const {
  std::vector<ByteRange> missing;
  uint64_t at = 0;
  const auto add_until = [&](uint64_t end) {
    for (; at < end; at = std::min(end, at + piece_bytes)) {
      missing.push_back({at, std::min(end, at + piece_bytes)});
    }
  };
  for (const auto& [begin, end] : ranges_) {
    add_until(std::min(begin, size));
    at = std::max(at, end);
  }
  add_until(size);
  return missing;
}

Status Journal::Write(const std::string& path, const std::string& plan_tag,
                      const std::vector<RangeSet>& done) {
  std::string text = Head(plan_tag);
  for (size_t file = 0; file < done.size(); ++file) {
    for (const auto& [begin, end] : done[file].ranges()) text += DoneLine(file, {begin, end});
  }
  return WriteDurably(path, text);
}

Result<std::unique_ptr<Journal>> Journal::Open(const std::string& path, const std::string& plan_tag,
                                               size_t num_files) {
  std::vector<RangeSet> done(num_files);
  std::string text = ReadSmallFile(path).value_or("");
  if (!text.starts_with(Head(plan_tag))) {
    HEARTH_RETURN_IF_ERROR(Write(path, plan_tag, {}));
    text = Head(plan_tag);
  }
  size_t good = Head(plan_tag).size();
  for (size_t end; (end = text.find('\n', good)) != std::string::npos; good = end + 1) {
    if (!Apply(text.substr(good, end - good), done)) break;
  }
  Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (fd.get() < 0) return ErrnoStatus("cannot open the journal " + path, errno);
  // What is behind the last whole line would otherwise run into the next one.
  if (::ftruncate(fd.get(), static_cast<off_t>(good)) != 0) {
    return ErrnoStatus("cannot cut the journal " + path, errno);
  }
  return std::unique_ptr<Journal>(new Journal(std::move(fd), std::move(done)));
}

Status Journal::Append(const std::string& line) {
  const ssize_t written = ::write(fd_.get(), line.data(), line.size());
  if (written == static_cast<ssize_t>(line.size())) return SyncFile(fd_.get(), "the journal");
  const int error = written < 0 ? errno : ENOSPC;
  // A part of a line must not stay in front of the next.
  const off_t end = ::lseek(fd_.get(), 0, SEEK_END);
  if (written > 0 && ::ftruncate(fd_.get(), end - written) != 0) {
    return ErrnoStatus("cannot cut the journal", errno);
  }
  return ErrnoStatus("cannot write the journal", error);
}

Status Journal::Record(size_t file, ByteRange range) {
  if (range.begin >= range.end) return Status::Ok();
  const std::lock_guard lock(mutex_);
  HEARTH_RETURN_IF_ERROR(Append(DoneLine(file, range)));
  done_[file].Add(range);
  return Status::Ok();
}

Status Journal::StartOver(size_t file) {
  const std::lock_guard lock(mutex_);
  HEARTH_RETURN_IF_ERROR(Append("over " + std::to_string(file) + "\n"));
  done_[file].Clear();
  return Status::Ok();
}

RangeSet Journal::Done(size_t file) const {
  const std::lock_guard lock(mutex_);
  return done_[file];
}

}  // namespace hearth::library
