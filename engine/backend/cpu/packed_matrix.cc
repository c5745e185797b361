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

Result<PackedMatrix> PackedMatrix::Pack(std::span<const HostTensor> parts, DType dtype,
                                        ThreadPool& pool) {
  CHECK(!parts.empty() && dtype != DType::kFloat16);
  int64_t n = 0;
  for (const HostTensor& part : parts) {
    CHECK(part.cols == parts[0].cols) << part.cols << " and " << parts[0].cols << " columns";
    n += part.rows;
  }
  const int64_t k = parts[0].cols;
  const int64_t panels = (n + kPanelWidth - 1) / kPanelWidth;
  const int64_t bytes = panels * kPanelWidth * k * DTypeBytes(dtype);
  HEARTH_ASSIGN_OR_RETURN(HugeBuffer buffer, HugeBuffer::Allocate(static_cast<size_t>(bytes)));
  PackedMatrix matrix(static_cast<int>(n), static_cast<int>(k), dtype, std::move(buffer));
  pool.ParallelFor(static_cast<int>(panels),
                   [&](int panel, int) { matrix.FillPanel(parts, panel); });
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
