// A chunk: one column of a tier, i.e. the values of one slot at the times of one group of frames
// (chunk_table.h), or those times themselves.
//
// Stored bytes: version, form, varint count, an arithmetic-coded body, CRC-32C of all that (little
// endian). The form's low three bits are 0 (times), 1..4 (integers at a decimal scale, decimal.h)
// or 5 (doubles); bit 3 says that second differences are coded instead of first ones, bit 4 that
// some values are absent.
//
// The body codes each value against the one before: "absent" if any is; then, of integers, whether
// the difference is 0, its sign, its number of bits and those bits; of doubles the XOR, as its
// zeros at both ends and what is between. Every decision goes through a binary arithmetic coder
// that learns its odds within the chunk: a steady column costs its header, a counter about the
// entropy of its increments. Values come back to the bit.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"

namespace hearth::storage {

// A longer chunk is refused by both sides, which bounds what a few hostile bytes can ask for.
inline constexpr size_t kChunkValuesMax = size_t{1} << 14;

std::vector<uint8_t> EncodeTimes(std::span<const int64_t> times_ms);
// kAbsent (frame.h) is a gap.
std::vector<uint8_t> EncodeValues(std::span<const double> values);

// kDataLoss for bytes that are no such chunk or fail their checksum.
Result<std::vector<int64_t>> DecodeTimes(std::span<const uint8_t> bytes);
Result<std::vector<double>> DecodeValues(std::span<const uint8_t> bytes);

}  // namespace hearth::storage
