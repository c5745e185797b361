// A weight matrix in the order in which the linear kernel streams it (kernels.h, kPanelWidth).
#pragma once

#include <span>

#include "base/result.h"
#include "engine/backend/backend.h"
#include "engine/backend/cpu/huge_buffer.h"
#include "engine/backend/cpu/thread_pool.h"

namespace hearth::engine::cpu {

class PackedMatrix {
 public:
  // Stacks the parts along their rows (outputs) and converts them to `dtype` (bf16 or fp32).
  static Result<PackedMatrix> Pack(std::span<const HostTensor> parts, DType dtype,
                                   ThreadPool& pool);
  // Of the same shape and size, without contents; the parts' data are not touched.
  static PackedMatrix Measure(std::span<const HostTensor> parts, DType dtype);

  // Writes row `output` as fp32 [k].
  void ReadRow(int output, float* row) const;

  int n() const { return n_; }  // outputs
  int k() const { return k_; }  // inputs
  int num_panels() const;
  DType dtype() const { return dtype_; }
  const void* data() const { return buffer_.data(); }
  size_t size_bytes() const { return buffer_.size(); }

 private:
  PackedMatrix(int n, int k, DType dtype, HugeBuffer buffer)
      : n_(n), k_(k), dtype_(dtype), buffer_(std::move(buffer)) {}
  static PackedMatrix Shaped(std::span<const HostTensor> parts, DType dtype);
  int64_t PackedBytes() const;
  void FillPanel(std::span<const HostTensor> parts, int panel);

  int n_;
  int k_;
  DType dtype_;
  HugeBuffer buffer_;
};

// Element `index` of a host tensor as fp32.
float ReadElement(const HostTensor& tensor, int64_t index);

}  // namespace hearth::engine::cpu
