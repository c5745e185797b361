#include "engine/backend/cpu/thread_pool.h"

#include <sched.h>

#include "base/check.h"

namespace hearth::engine {
namespace {

// The gap between two operations of a step is a few microseconds: spin about that long, then offer
// the core to whoever wants it, then sleep. (Barriers that only spin fall to a sixth of their speed
// as soon as a neighbour takes a core.)
constexpr int kSpins = 1000;
constexpr int kYields = 40;

void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// True as soon as `done()`; false when patience is at its end.
template <typename Done>
bool WaitBriefly(const Done& done) {
  for (int i = 0; i < kSpins; ++i) {
    if (done()) return true;
    Pause();
  }
  for (int i = 0; i < kYields; ++i) {
    if (done()) return true;
    sched_yield();
  }
  return done();
}

}  // namespace

ThreadPool::ThreadPool(int num_threads, std::atomic<uint64_t>* beats) : beats_(beats) {
  CHECK(num_threads >= 1) << num_threads;
  workers_.reserve(static_cast<size_t>(num_threads) - 1);
  for (int i = 1; i < num_threads; ++i) workers_.emplace_back([this, i] { WorkerLoop(i); });
}

ThreadPool::~ThreadPool() {
  stopping_.store(true);
  epoch_.fetch_add(1);
  epoch_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::Run(int num_tasks, TaskFn fn, const void* context) {
  if (num_tasks <= 1 || workers_.empty()) {
    for (int i = 0; i < num_tasks; ++i) {
      fn(context, i, 0);
      Beat();
    }
    return;
  }
  fn_ = fn;
  context_ = context;
  remaining_.store(num_tasks, std::memory_order_relaxed);
  claims_.store(static_cast<uint64_t>(num_tasks) << 32, std::memory_order_release);
  epoch_.fetch_add(1, std::memory_order_release);
  epoch_.notify_all();

  while (RunOneTask(0)) Beat();
  const auto done = [&] { return remaining_.load(std::memory_order_acquire) == 0; };
  if (WaitBriefly(done)) return;
  for (int left = remaining_.load(std::memory_order_acquire); left != 0;
       left = remaining_.load(std::memory_order_acquire)) {
    remaining_.wait(left, std::memory_order_acquire);
  }
}

// One thread writes it: no locked instruction beside those that hand out tasks.
void ThreadPool::Beat() {
  if (beats_ == nullptr) return;
  beats_->store(beats_->load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

bool ThreadPool::HasTask() const {
  const uint64_t claims = claims_.load(std::memory_order_acquire);
  return (claims & 0xffffffffu) < (claims >> 32);
}

bool ThreadPool::RunOneTask(int thread) {
  uint64_t claims = claims_.load(std::memory_order_acquire);
  do {
    if ((claims & 0xffffffffu) >= (claims >> 32)) return false;
  } while (!claims_.compare_exchange_weak(claims, claims + 1, std::memory_order_acq_rel));
  fn_(context_, static_cast<int>(claims & 0xffffffffu), thread);
  if (remaining_.fetch_sub(1, std::memory_order_acq_rel) == 1) remaining_.notify_one();
  return true;
}

void ThreadPool::WorkerLoop(int thread) {
  while (true) {
    const uint32_t epoch = epoch_.load(std::memory_order_acquire);
    while (RunOneTask(thread)) {
    }
    if (stopping_.load()) return;
    const auto called = [&] { return HasTask() || stopping_.load(std::memory_order_relaxed); };
    if (!WaitBriefly(called)) epoch_.wait(epoch, std::memory_order_acquire);
  }
}

}  // namespace hearth::engine
