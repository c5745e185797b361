#include "storage/packed_integers.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace hearth::storage {

namespace {

constexpr size_t kBlock = 32;
// A value of more bits may begin so far into a byte that eight bytes do not hold it.
constexpr int kShiftedWidthMax = 57;
constexpr int kWidthMax = 64;

void PutVarint(uint64_t value, std::vector<uint8_t>& out) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<uint8_t>(value | 0x80));
  out.push_back(static_cast<uint8_t>(value));
}

// False when the bytes end before the number does.
bool TakeVarint(std::span<const uint8_t>& bytes, uint64_t& value) {
  value = 0;
  for (size_t i = 0; i < bytes.size() && i < 10; ++i) {
    value |= uint64_t{bytes[i] & 0x7fu} << (7 * i);
    if (bytes[i] >= 0x80) continue;
    bytes = bytes.subspan(i + 1);
    return true;
  }
  return false;
}

size_t BytesOf(size_t count, int width) {
  return (count * static_cast<size_t>(width) + 7) / 8;
}

// `count` values of `width` bits above `least`. Reads up to 8 bytes from wherever a value begins.
void UnpackBlock(const uint8_t* bytes, size_t count, int width, uint64_t least, int64_t* values) {
  const uint64_t mask = width == kWidthMax ? ~uint64_t{0} : (uint64_t{1} << width) - 1;
  size_t bit = 0;
  for (size_t i = 0; i < count; ++i, bit += static_cast<size_t>(width)) {
    uint64_t word;
    std::memcpy(&word, bytes + bit / 8, sizeof word);  // little endian, as all we run on
    values[i] = static_cast<int64_t>(least + (word >> bit % 8 & mask));
  }
}

static_assert(std::endian::native == std::endian::little);

}  // namespace

void PackIntegers(std::span<const int64_t> values, std::vector<uint8_t>& out) {
  while (!values.empty()) {
    const auto block = values.first(std::min(kBlock, values.size()));
    const auto [least, greatest] = std::minmax_element(block.begin(), block.end());
    const auto base = static_cast<uint64_t>(*least);
    auto width = static_cast<int>(std::bit_width(static_cast<uint64_t>(*greatest) - base));
    if (width > kShiftedWidthMax) width = kWidthMax;
    PutVarint(base << 1 ^ static_cast<uint64_t>(*least >> 63), out);
    out.push_back(static_cast<uint8_t>(width));
    const size_t begin = out.size();
    out.resize(begin + BytesOf(block.size(), width));
    size_t bit = 0;
    for (const int64_t value : block) {
      const uint64_t above = static_cast<uint64_t>(value) - base;
      for (size_t done = 0; done < static_cast<size_t>(width);) {
        const size_t at = bit + done;
        out[begin + at / 8] |= static_cast<uint8_t>(above >> done << at % 8);
        done += 8 - at % 8;
      }
      bit += static_cast<size_t>(width);
    }
    values = values.subspan(block.size());
  }
}

bool UnpackIntegers(std::span<const uint8_t> bytes, std::span<int64_t> values) {
  while (!values.empty()) {
    const size_t count = std::min(kBlock, values.size());
    uint64_t coded;
    if (!TakeVarint(bytes, coded) || bytes.empty()) return false;
    const uint64_t least = coded >> 1 ^ -(coded & 1);
    const int width = bytes[0];
    bytes = bytes.subspan(1);
    const size_t size = BytesOf(count, width);
    if (width > kWidthMax || (width > kShiftedWidthMax && width != kWidthMax)) return false;
    if (size > bytes.size()) return false;
    if (bytes.size() >= size + sizeof(uint64_t)) {
      UnpackBlock(bytes.data(), count, width, least, values.data());
    } else {
      uint8_t padded[kBlock * sizeof(uint64_t) + sizeof(uint64_t)] = {};
      std::copy_n(bytes.data(), size, padded);
      UnpackBlock(padded, count, width, least, values.data());
    }
    bytes = bytes.subspan(size);
    values = values.subspan(count);
  }
  return bytes.empty();
}

}  // namespace hearth::storage
