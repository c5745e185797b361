// A binary arithmetic coder with odds that adapt to what was coded: the entropy stage of the
// chunks. Encoder and decoder have one interface, so that a model is written once for both
// directions: Code(odds, bit) returns the bit that was written or read.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>
#include <vector>

namespace hearth::storage {

// The odds of one decision, learnt quickly at first.
class Odds {
 public:
  uint32_t one() const { return one_; }  // of 2^16, never 0 and never all
  void Learn(bool bit) {
    const int shift = std::min(1 + std::bit_width(seen_), 5);
    const uint32_t target = bit ? 0xffff : 0;
    one_ = static_cast<uint16_t>(bit ? one_ + ((target - one_) >> shift) : one_ - (one_ >> shift));
    one_ = std::clamp<uint16_t>(one_, 32, 0xffff - 32);
    if (seen_ < 8) ++seen_;
  }

 private:
  uint16_t one_ = 0x8000;
  uint16_t seen_ = 0;
};

// The interval [low, high] shared by both sides; its leading bytes are settled when they agree.
class CoderInterval {
 protected:
  uint32_t Split(uint32_t one) const {
    return low_ + static_cast<uint32_t>(uint64_t{high_ - low_} * one >> 16);
  }
  void Take(bool bit, uint32_t split) {
    if (bit) {
      high_ = split;
    } else {
      low_ = split + 1;
    }
  }
  bool Settled() const { return ((low_ ^ high_) >> 24) == 0; }
  void Shift() {
    low_ <<= 8;
    high_ = high_ << 8 | 0xff;
  }

  uint32_t low_ = 0;
  uint32_t high_ = 0xffffffff;
};

class BinaryEncoder : CoderInterval {
 public:
  static constexpr bool kEncodes = true;
  explicit BinaryEncoder(std::vector<uint8_t>* out) : out_(out) {}

  bool Code(Odds& odds, bool bit) {
    Put(odds.one(), bit);
    odds.Learn(bit);
    return bit;
  }
  // Even odds, most significant bit first.
  uint64_t Plain(int bits, uint64_t value) {
    while (bits-- > 0) Put(0x8000, (value >> bits & 1) != 0);
    return value;
  }
  // The decoder reads zeros beyond the end, so that one byte settles the interval.
  void Finish() { out_->push_back(static_cast<uint8_t>(high_ >> 24)); }

 private:
  void Put(uint32_t one, bool bit) {
    Take(bit, Split(one));
    for (; Settled(); Shift()) out_->push_back(static_cast<uint8_t>(high_ >> 24));
  }

  std::vector<uint8_t>* out_;
};

class BinaryDecoder : CoderInterval {
 public:
  static constexpr bool kEncodes = false;
  explicit BinaryDecoder(std::span<const uint8_t> bytes) : bytes_(bytes) {
    for (int i = 0; i < 4; ++i) code_ = code_ << 8 | Next();
  }

  bool Code(Odds& odds, bool) {
    const bool bit = Get(odds.one());
    odds.Learn(bit);
    return bit;
  }
  uint64_t Plain(int bits, uint64_t) {
    uint64_t value = 0;
    while (bits-- > 0) value = value << 1 | (Get(0x8000) ? 1 : 0);
    return value;
  }

 private:
  uint32_t Next() { return at_ < bytes_.size() ? bytes_[at_++] : 0u; }
  bool Get(uint32_t one) {
    const uint32_t split = Split(one);
    const bool bit = code_ <= split;
    Take(bit, split);
    for (; Settled(); Shift()) code_ = code_ << 8 | Next();
    return bit;
  }

  std::span<const uint8_t> bytes_;
  size_t at_ = 0;
  uint32_t code_ = 0;
};

}  // namespace hearth::storage
