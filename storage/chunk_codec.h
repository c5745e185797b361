// A chunk: one column of a tier, i.e. the values of one slot at the times of one group of frames
// (chunk_table.h), or those times themselves.
//
// Stored bytes: version, form, varint count, a body, CRC-32C of all that (little endian). The form's
// low three bits are 0 (times), 1..4 (integers at a decimal scale, decimal.h) or 5 (doubles); bit 3
// says that second differences are coded instead of first ones, bit 4 that some values are absent,
// bit 5 that the body is packed instead of arithmetic-coded.
//
// A packed body is a bit for each value, when some are absent, and the differences of those that are
// there (packed_integers.h). It is about half as large again as the other and decoded forty times as
// fast.
//
// An arithmetic-coded body codes each value against the one before: "absent" if any is; then, of integers, whether
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

enum class ChunkCoding { kSmallest, kFastest };

std::vector<uint8_t> EncodeTimes(std::span<const int64_t> times_ms);
// kAbsent (frame.h) is a gap. Doubles that are not decimal are always coded the small way.
std::vector<uint8_t> EncodeValues(std::span<const double> values, ChunkCoding coding);

// kDataLoss for bytes that are no such chunk or fail their checksum.
Result<std::vector<int64_t>> DecodeTimes(std::span<const uint8_t> bytes);
// Into `values`, whatever they were; after a failure they mean nothing.
Status DecodeValues(std::span<const uint8_t> bytes, std::vector<double>& values);

}  // namespace hearth::storage
