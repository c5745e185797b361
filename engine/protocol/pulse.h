// Pulse: what an engine is doing right now, in one page of memory that it shares with hearthd.
//
// The thread that computes writes it, and nobody else does: a counter that stands still is a thread
// that stands still, and one that was stopped (SIGSTOP) or froze cannot hide behind another thread's
// signs of life. It outlives the engine, so that hearthd sees what it died of.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hearth::protocol {

enum class Phase : int32_t {
  kStarting,
  kLoading,
  kIdle,        // waits for requests, and says so once a second
  kScheduling,  // takes the inbox, picks the batch
  kForward,
  kSampling,
  kPublishing,  // hands the step's tokens on
};

std::string_view PhaseName(Phase phase);

// One look at an engine; nothing of it is believed further than it can be shown.
struct PulseReading {
  uint64_t beats = 0;  // grows with anything that is done, within a step too
  uint64_t steps = 0;  // that were finished
  double time_s = 0;   // of the last change of phase; monotonic
  Phase phase = Phase::kStarting;
  int num_running = 0;
  int num_waiting = 0;
  int num_batched_tokens = 0;    // of the step under way, or the last one
  int num_in_batch = 0;          // requests of that step, as far as they fit
  std::vector<uint64_t> batch;   // their ids; only Read has them
  uint64_t reading_prompt = 0;   // the request whose prompt is being tokenized; 0: none
};

class Pulse {
 public:
  static constexpr int kBatchMax = 256;

  // For hearthd: a page whose size nobody can change. kUnavailable without memory or descriptors.
  static Result<std::unique_ptr<Pulse>> Create();
  // For the engine: the page behind an inherited descriptor, which is closed. kInvalidArgument when
  // it is none.
  static Result<std::unique_ptr<Pulse>> Open(int fd);
  // For one that nobody watches.
  Pulse();
  ~Pulse();
  Pulse(const Pulse&) = delete;
  Pulse& operator=(const Pulse&) = delete;

  int fd() const { return fd_; }  // of Create; -1 otherwise
  PulseReading Read() const;
  PulseReading ReadWithoutIds() const;  // allocates nothing

  // ---- By the thread that computes

  // What is counted by everything that computes: see BeatCounter.
  void Beat() { page_->beats.store(page_->beats.load(kRelaxed) + 1, kRelaxed); }
  void Enter(Phase phase);
  // Before the forward of a step.
  void BeginBatch(int num_tokens);
  void AddToBatch(uint64_t request_id);
  void EndStep(uint64_t steps, int num_running, int num_waiting);

  // The counter of Beat, for code below that knows no Pulse; outlived by this.
  std::atomic<uint64_t>* beats() { return &page_->beats; }

  // ---- By the thread that reads prompts

  void ReadsPrompt(uint64_t request_id) { page_->reading_prompt.store(request_id, kRelaxed); }

 private:
  static constexpr std::memory_order kRelaxed = std::memory_order_relaxed;

  struct Page {
    std::atomic<uint64_t> beats;
    std::atomic<uint64_t> steps;
    std::atomic<double> time_s;
    std::atomic<int32_t> phase;
    std::atomic<int32_t> num_running;
    std::atomic<int32_t> num_waiting;
    std::atomic<int32_t> num_batched_tokens;
    std::atomic<int32_t> num_in_batch;
    std::array<std::atomic<uint64_t>, kBatchMax> batch;
    alignas(64) std::atomic<uint64_t> reading_prompt;  // another thread's
  };
  static_assert(std::atomic<uint64_t>::is_always_lock_free &&
                std::atomic<double>::is_always_lock_free);

  Pulse(Page* page, int fd) : page_(page), fd_(fd) {}
  static Result<std::unique_ptr<Pulse>> Map(int fd, bool keep);

  std::unique_ptr<Page> own_;  // of one that nobody watches
  Page* page_;
  int fd_ = -1;
};

}  // namespace hearth::protocol
