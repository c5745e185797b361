// The threads of the CPU backend. One job at a time, cut into tasks that are handed out one by one,
// so that a thread which loses its core to a neighbour delays one task rather than the job.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace hearth::engine {

class ThreadPool {
 public:
  // `num_threads` including the caller of ParallelFor; at least 1. beats: grows with every task that
  // the caller's own thread has done, and outlives the pool; may be null.
  explicit ThreadPool(int num_threads, std::atomic<uint64_t>* beats = nullptr);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int num_threads() const { return static_cast<int>(workers_.size()) + 1; }

  // Calls task(i, thread) for every i in [0, num_tasks), thread in [0, num_threads). Returns when
  // all are done. Must not be called from a task. Allocates nothing.
  template <typename Task>
  void ParallelFor(int num_tasks, const Task& task) {
    Run(
        num_tasks,
        [](const void* context, int i, int thread) {
          (*static_cast<const Task*>(context))(i, thread);
        },
        &task);
  }

 private:
  using TaskFn = void (*)(const void* context, int task, int thread);

  void Run(int num_tasks, TaskFn fn, const void* context);
  bool RunOneTask(int thread);
  bool HasTask() const;
  void Beat();
  void WorkerLoop(int thread);

  // Number of tasks of the job in the high half, the next one to hand out in the low half. A task
  // is claimed by compare-and-swap, so a late thread claims from whatever job is current.
  alignas(64) std::atomic<uint64_t> claims_{0};
  alignas(64) std::atomic<int> remaining_{0};   // tasks not finished
  alignas(64) std::atomic<uint32_t> epoch_{0};  // jobs begun: what sleeping workers wait on
  std::atomic<bool> stopping_{false};
  TaskFn fn_ = nullptr;
  const void* context_ = nullptr;
  std::atomic<uint64_t>* const beats_;
  std::vector<std::thread> workers_;
};

}  // namespace hearth::engine
