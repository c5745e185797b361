#include "firmware/models/engine_log.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <utility>

#include "base/clock.h"
#include "base/log.h"

namespace hearth::models {
namespace {

struct Logs {
  std::mutex mutex;
  std::map<std::string, std::unique_ptr<EngineLog>> by_model;
};

Logs& AllLogs() {
  static Logs* const logs = new Logs;  // replicas may still end while statics are destroyed
  return *logs;
}

// "<6>engine demo: ..." as systemd's journal takes it.
std::string_view WithoutPriority(std::string_view line) {
  const bool has_priority = line.size() >= 3 && line[0] == '<' && line[2] == '>';
  return has_priority ? line.substr(3) : line;
}

}  // namespace

void EngineLog::Append(int replica, std::string_view text) {
  text = WithoutPriority(text);
  EngineLogLine line{WallMillis(), replica, std::string(text.substr(0, kLineBytesMax))};
  if (text.size() > kLineBytesMax) line.text += "...";
  // Whatever an engine writes, a page and JSON can show it.
  std::replace_if(
      line.text.begin(), line.text.end(),
      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; }, ' ');
  std::lock_guard lock(mutex_);
  lines_.push_back(std::move(line));
  if (lines_.size() > kLinesMax) lines_.pop_front();
}

std::vector<EngineLogLine> EngineLog::Tail(size_t lines) const {
  std::lock_guard lock(mutex_);
  const auto count = static_cast<std::ptrdiff_t>(std::min(lines, lines_.size()));
  return {lines_.end() - count, lines_.end()};
}

std::vector<std::string> EngineLog::TailOf(int replica, size_t lines) const {
  std::vector<std::string> texts;
  std::lock_guard lock(mutex_);
  for (auto it = lines_.rbegin(); it != lines_.rend() && texts.size() < lines; ++it) {
    if (it->replica == replica) texts.push_back(it->text);
  }
  std::reverse(texts.begin(), texts.end());
  return texts;
}

EngineLog& EngineLog::Of(const std::string& model_name) {
  Logs& logs = AllLogs();
  std::lock_guard lock(logs.mutex);
  auto& log = logs.by_model[model_name];
  if (log == nullptr) log = std::make_unique<EngineLog>();
  return *log;
}

EngineLog* EngineLog::Find(const std::string& model_name) {
  Logs& logs = AllLogs();
  std::lock_guard lock(logs.mutex);
  const auto it = logs.by_model.find(model_name);
  return it == logs.by_model.end() ? nullptr : it->second.get();
}

bool LineRate::Admit(double now_s, int& suppressed) {
  suppressed = 0;
  if (now_s >= second_began_s_ + 1) {
    second_began_s_ = now_s;
    num_passed_ = 0;
    suppressed = std::exchange(num_suppressed_, 0);
  }
  if (num_passed_ < per_second_) {
    ++num_passed_;
    return true;
  }
  ++num_suppressed_;
  return false;
}

Result<std::unique_ptr<EngineStderr>> EngineStderr::Start(EngineLog* log, int replica) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) {
    return ErrnoStatus("cannot make a pipe for an engine's stderr", errno);
  }
  fcntl(fds[0], F_SETFL, O_NONBLOCK);  // the engine's end blocks, as any stderr does
  return std::unique_ptr<EngineStderr>(new EngineStderr(log, replica, fds[0], fds[1]));
}

EngineStderr::EngineStderr(EngineLog* log, int replica, int read_fd, int write_fd)
    : log_(log),
      replica_(replica),
      read_fd_(read_fd),
      write_fd_(write_fd),
      over_fd_(eventfd(0, EFD_CLOEXEC)),
      thread_([this] { Run(); }) {}

EngineStderr::~EngineStderr() {
  CloseWriteEnd();
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(over_fd_, &one, sizeof one);
  thread_.join();
  close(over_fd_);
  close(read_fd_);
}

void EngineStderr::CloseWriteEnd() {
  if (write_fd_ >= 0) close(write_fd_);
  write_fd_ = -1;
}

void EngineStderr::Run() {
  std::array<char, 4096> buffer;
  while (true) {
    std::array<pollfd, 2> ready{{{read_fd_, POLLIN, 0}, {over_fd_, POLLIN, 0}}};
    if (poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR) break;
    const ssize_t count = read(read_fd_, buffer.data(), buffer.size());
    if (count > 0) {
      Take({buffer.data(), static_cast<size_t>(count)});
      continue;
    }
    if (count == 0) break;
    const bool is_empty = errno == EAGAIN || errno == EWOULDBLOCK;
    if (is_empty ? ready[1].revents != 0 : errno != EINTR) break;
  }
  if (!line_.empty()) EndLine();
}

void EngineStderr::Take(std::string_view bytes) {
  for (const char c : bytes) {
    if (c == '\n') {
      EndLine();
    } else if (line_.size() <= EngineLog::kLineBytesMax + 3) {  // the rest of a long line is dropped
      line_ += c;
    }
  }
}

void EngineStderr::EndLine() {
  log_->Append(replica_, line_);
  int suppressed = 0;
  const bool passes = rate_.Admit(MonotonicSeconds(), suppressed);
  if (suppressed > 0) {
    LOG(kWarning) << "suppressed " << suppressed << " lines of an engine that said more than "
                  << kPassedPerSecond << " in a second; GET /api/models/NAME/log has the last of them";
  }
  line_ += '\n';
  if (passes) {
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line_.data(), line_.size());
  }
  line_.clear();
}

}  // namespace hearth::models
