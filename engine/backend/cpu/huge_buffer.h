// Zeroed memory from the kernel, aligned to a page and backed by huge pages where there are any:
// half a gigabyte of weights is walked once per token, and 4 KiB pages would cost a TLB miss each.
#pragma once

#include <cstddef>
#include <utility>

#include "base/result.h"

namespace hearth::engine {

class HugeBuffer {
 public:
  HugeBuffer() = default;
  // kResourceExhausted when the kernel has no such memory. Pages are committed on first write.
  static Result<HugeBuffer> Allocate(size_t bytes);
  // As large as one that is allocated, but without memory.
  static HugeBuffer Measure(size_t bytes) { return HugeBuffer(nullptr, bytes); }

  ~HugeBuffer();
  HugeBuffer(HugeBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  HugeBuffer& operator=(HugeBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }

  void* data() const { return data_; }
  float* floats() const { return static_cast<float*>(data_); }
  size_t size() const { return size_; }  // bytes

 private:
  HugeBuffer(void* data, size_t size) : data_(data), size_(size) {}

  void* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace hearth::engine
