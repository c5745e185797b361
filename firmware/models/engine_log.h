// What engines say on stderr: kept a model, for the page and for the record of a crash, and passed on
// to hearthd's own stderr.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/result.h"

namespace hearth::models {

struct EngineLogLine {
  int64_t time_ms = 0;  // Unix
  int replica = 0;
  std::string text;  // without journald's priority; at most EngineLog::kLineBytesMax, cut with "..."
};

// The last lines of all engines that served one model, whatever became of them. Any thread.
class EngineLog {
 public:
  static constexpr size_t kLinesMax = 500;
  static constexpr size_t kLineBytesMax = 1024;

  void Append(int replica, std::string_view text);
  // The newest `lines`, oldest first.
  std::vector<EngineLogLine> Tail(size_t lines) const;
  // The texts of the newest `lines` of one replica, oldest first.
  std::vector<std::string> TailOf(int replica, size_t lines) const;

  // The log of a model, made at the first call; as much the process's own as stderr is, so that it
  // outlives replicas and deployments. limits::kModelsMax bounds how many there are.
  static EngineLog& Of(const std::string& model_name);
  // Null for a model that never had an engine.
  static EngineLog* Find(const std::string& model_name);

 private:
  mutable std::mutex mutex_;
  std::deque<EngineLogLine> lines_;
};

// How many lines may pass in a second; whoever holds it says how many did not.
class LineRate {
 public:
  explicit LineRate(int per_second) : per_second_(per_second) {}
  // May a line pass at now_s (monotonic)? `suppressed` is set to how many did not in the second
  // before, once.
  bool Admit(double now_s, int& suppressed);

 private:
  const int per_second_;
  double second_began_s_ = 0;
  int num_passed_ = 0;
  int num_suppressed_ = 0;
};

// Reads one engine's stderr to its end.
class EngineStderr {
 public:
  static constexpr int kPassedPerSecond = 50;

  // log outlives this.
  static Result<std::unique_ptr<EngineStderr>> Start(EngineLog* log, int replica);
  // After the engine's end: what it wrote is read, what others hold the pipe open for is not.
  ~EngineStderr();
  EngineStderr(const EngineStderr&) = delete;
  EngineStderr& operator=(const EngineStderr&) = delete;

  int write_fd() const { return write_fd_; }  // for the engine
  void CloseWriteEnd();                       // when the engine has it

 private:
  EngineStderr(EngineLog* log, int replica, int read_fd, int write_fd);
  void Run();
  void Take(std::string_view bytes);
  void EndLine();

  EngineLog* const log_;
  const int replica_;
  const int read_fd_;
  int write_fd_;
  LineRate rate_{kPassedPerSecond};
  std::string line_;
  int over_fd_;  // readable when the engine has ended
  std::thread thread_;
};

}  // namespace hearth::models
