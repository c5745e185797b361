#include "engine/backend/cpu/huge_buffer.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace hearth::engine {

Result<HugeBuffer> HugeBuffer::Allocate(size_t bytes) {
  if (bytes == 0) return HugeBuffer();
  void* data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) {
    return ResourceExhausted("the system refused " + std::to_string(bytes >> 20) +
                             " MiB of memory: " + std::strerror(errno));
  }
  madvise(data, bytes, MADV_HUGEPAGE);  // a wish; without it the buffer is slower, not wrong
  return HugeBuffer(data, bytes);
}

HugeBuffer::~HugeBuffer() {
  if (data_ != nullptr) munmap(data_, size_);
}

}  // namespace hearth::engine
