#include "engine/backend/cpu/packed_matrix.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "engine/backend/cpu/kernels.h"

namespace hearth::engine::cpu {

float ReadElement(const HostTensor& tensor, int64_t index) {
  if (tensor.dtype == DType::kFloat32) {
    float value;
    std::memcpy(&value, tensor.data + index * 4, 4);
    return value;
  }
  uint16_t bits;
  std::memcpy(&bits, tensor.data + index * 2, 2);
  return tensor.dtype == DType::kBFloat16 ? BFloat16ToFloat(bits) : Float16ToFloat(bits);
}

int PackedMatrix::num_panels() const { return (n_ + kPanelWidth - 1) / kPanelWidth; }

int64_t PackedMatrix::PackedBytes() const {
  return int64_t{num_panels()} * kPanelWidth * k_ * DTypeBytes(dtype_);
}

PackedMatrix PackedMatrix::Shaped(std::span<const HostTensor> parts, DType dtype) {
  CHECK(!parts.empty() && dtype != DType::kFloat16);
  int64_t n = 0;
  for (const HostTensor& part : parts) {
    CHECK(part.cols == parts[0].cols) << part.cols << " and " << parts[0].cols << " columns";
    n += part.rows;
  }
  return PackedMatrix(static_cast<int>(n), static_cast<int>(parts[0].cols), dtype, HugeBuffer());
}

Result<PackedMatrix> PackedMatrix::Pack(std::span<const HostTensor> parts, DType dtype,
                                        ThreadPool& pool) {
  PackedMatrix matrix = Shaped(parts, dtype);
  HEARTH_ASSIGN_OR_RETURN(matrix.buffer_,
                          HugeBuffer::Allocate(static_cast<size_t>(matrix.PackedBytes())));
  pool.ParallelFor(matrix.num_panels(), [&](int panel, int) { matrix.FillPanel(parts, panel); });
  return matrix;
}

PackedMatrix PackedMatrix::Measure(std::span<const HostTensor> parts, DType dtype) {
  PackedMatrix matrix = Shaped(parts, dtype);
  matrix.buffer_ = HugeBuffer::Measure(static_cast<size_t>(matrix.PackedBytes()));
  return matrix;
}

void PackedMatrix::FillPanel(std::span<const HostTensor> parts, int panel) {
  const int64_t panel_start = static_cast<int64_t>(panel) * k_ * kPanelWidth;
  const int first = panel * kPanelWidth;
  const HostTensor* part = parts.data();
  int64_t part_start = 0;
  for (int j = 0; j < std::min(kPanelWidth, n_ - first); ++j) {
    while (first + j - part_start >= part->rows) part_start += (part++)->rows;
    const int64_t row = (first + j - part_start) * k_;
    if (dtype_ == DType::kFloat32) {
      float* out = buffer_.floats() + panel_start + j;
      for (int k = 0; k < k_; ++k)
        out[static_cast<int64_t>(k) * kPanelWidth] = ReadElement(*part, row + k);
      continue;
    }
    uint16_t* out = static_cast<uint16_t*>(buffer_.data()) + panel_start + (j % 16) * 2 + j / 16;
    for (int k = 0; k < k_; ++k) {
      uint16_t& slot = out[static_cast<int64_t>(k) * kPanelWidth];
      if (part->dtype == DType::kBFloat16) {
        std::memcpy(&slot, part->data + (row + k) * 2, 2);
      } else {
        slot = FloatToBFloat16(ReadElement(*part, row + k));
      }
    }
  }
}

void PackedMatrix::ReadRow(int output, float* row) const {
  const int j = output % kPanelWidth;
  const int64_t panel_start = static_cast<int64_t>(output / kPanelWidth) * k_ * kPanelWidth;
  if (dtype_ == DType::kFloat32) {
    const float* in = buffer_.floats() + panel_start + j;
    for (int k = 0; k < k_; ++k) row[k] = in[static_cast<int64_t>(k) * kPanelWidth];
    return;
  }
  const auto* in =
      static_cast<const uint16_t*>(buffer_.data()) + panel_start + (j % 16) * 2 + j / 16;
  for (int k = 0; k < k_; ++k) row[k] = BFloat16ToFloat(in[static_cast<int64_t>(k) * kPanelWidth]);
}

}  // namespace hearth::engine::cpu
