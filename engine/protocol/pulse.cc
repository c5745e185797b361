#include "engine/protocol/pulse.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>

#include "base/clock.h"

namespace hearth::protocol {

std::string_view PhaseName(Phase phase) {
  switch (phase) {
    case Phase::kStarting:
      return "starting";
    case Phase::kLoading:
      return "loading";
    case Phase::kIdle:
      return "idle";
    case Phase::kScheduling:
      return "scheduling";
    case Phase::kForward:
      return "forward";
    case Phase::kSampling:
      return "sampling";
    case Phase::kPublishing:
      return "publishing";
  }
  return "unknown";
}

Result<std::unique_ptr<Pulse>> Pulse::Create() {
  const int fd = memfd_create("hearth-pulse", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return ErrnoStatus("cannot make the page that an engine shows its progress in", errno);
  // A page that the engine could cut short would end hearthd with SIGBUS.
  if (ftruncate(fd, sizeof(Page)) != 0 ||
      fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    const int error = errno;
    close(fd);
    return ErrnoStatus("cannot size the page that an engine shows its progress in", error);
  }
  return Map(fd, /*keep=*/true);
}

Result<std::unique_ptr<Pulse>> Pulse::Open(int fd) {
  struct stat file {};
  if (fstat(fd, &file) != 0 || file.st_size < static_cast<off_t>(sizeof(Page))) {
    return InvalidArgument("descriptor " + std::to_string(fd) + " holds no page for a pulse");
  }
  return Map(fd, /*keep=*/false);
}

Result<std::unique_ptr<Pulse>> Pulse::Map(int fd, bool keep) {
  void* const memory = mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  const int error = errno;
  if (!keep || memory == MAP_FAILED) close(fd);
  if (memory == MAP_FAILED) return ErrnoStatus("cannot map the page of a pulse", error);
  // A fresh page is zeroes, which is what every member begins with.
  return std::unique_ptr<Pulse>(new Pulse(static_cast<Page*>(memory), keep ? fd : -1));
}

Pulse::Pulse() : own_(new Page{}), page_(own_.get()) {}

Pulse::~Pulse() {
  if (own_ == nullptr) munmap(page_, sizeof(Page));
  if (fd_ >= 0) close(fd_);
}

PulseReading Pulse::Read() const {
  PulseReading reading = ReadWithoutIds();
  for (int i = 0; i < reading.num_in_batch; ++i) {
    reading.batch.push_back(page_->batch[static_cast<size_t>(i)].load(kRelaxed));
  }
  return reading;
}

PulseReading Pulse::ReadWithoutIds() const {
  PulseReading reading;
  reading.beats = page_->beats.load(kRelaxed);
  reading.steps = page_->steps.load(kRelaxed);
  reading.time_s = page_->time_s.load(kRelaxed);
  const int32_t phase = page_->phase.load(kRelaxed);
  reading.phase = static_cast<Phase>(
      std::clamp(phase, int32_t{0}, static_cast<int32_t>(Phase::kPublishing)));
  reading.num_running = page_->num_running.load(kRelaxed);
  reading.num_waiting = page_->num_waiting.load(kRelaxed);
  reading.num_batched_tokens = page_->num_batched_tokens.load(kRelaxed);
  reading.num_in_batch = std::clamp(page_->num_in_batch.load(kRelaxed), 0, kBatchMax);
  reading.reading_prompt = page_->reading_prompt.load(kRelaxed);
  return reading;
}

void Pulse::Enter(Phase phase) {
  page_->phase.store(static_cast<int32_t>(phase), kRelaxed);
  page_->time_s.store(MonotonicSeconds(), kRelaxed);
  Beat();
}

void Pulse::BeginBatch(int num_tokens) {
  page_->num_in_batch.store(0, kRelaxed);
  page_->num_batched_tokens.store(num_tokens, kRelaxed);
  Enter(Phase::kForward);
}

void Pulse::AddToBatch(uint64_t request_id) {
  const int32_t at = page_->num_in_batch.load(kRelaxed);
  if (at >= kBatchMax) return;
  page_->batch[static_cast<size_t>(at)].store(request_id, kRelaxed);
  page_->num_in_batch.store(at + 1, kRelaxed);
}

void Pulse::EndStep(uint64_t steps, int num_running, int num_waiting) {
  page_->steps.store(steps, kRelaxed);
  page_->num_running.store(num_running, kRelaxed);
  page_->num_waiting.store(num_waiting, kRelaxed);
  if (num_running + num_waiting == 0) page_->num_in_batch.store(0, kRelaxed);
  Beat();
}

}  // namespace hearth::protocol
