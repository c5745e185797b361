// Integers in blocks of 32: each block is its least value (zigzag varint), a width in bits (a byte),
// and every value above the least in so many bits, low bits first. A block is decoded in some tens
// of nanoseconds; a block of equal values takes two bytes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace hearth::storage {

// Appends to `out`.
void PackIntegers(std::span<const int64_t> values, std::vector<uint8_t>& out);

// Fills `values` from what PackIntegers() wrote; false when the bytes are not such, or not all used.
bool UnpackIntegers(std::span<const uint8_t> bytes, std::span<int64_t> values);

}  // namespace hearth::storage
