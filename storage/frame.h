// A frame: the values of all series at one time, and its compact stored form.
//
// Stored bytes: version, kind (0 keyframe, 1 delta), varint slot count, for a delta the varint
// milliseconds since the frame it builds upon, tokens, CRC-32C of all that (little endian).
// A keyframe is a delta against nothing. A token is a varint whose two low bits say what its upper
// part u is:
//   0  u + 1 slots are as before
//   1  the slot's scaled integer changed by zigzag u
//   2  the slot has a new form u: absent, an integer at one of the scales (zigzag varint follows),
//      or a double (8 bytes follow)
//   3  the slot's double changed: its XOR with the one before, less u zero bytes at the low end,
//      follows as a varint
// Slots after the last token are as before. Values come back to the bit: a decimal scale is used
// only where value * scale is an integer that divides back exactly.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"

namespace hearth::storage {

// "No sample": a NaN that arithmetic does not produce (the bits Prometheus uses for staleness).
inline constexpr uint64_t kAbsentBits = 0x7ff0000000000002;
inline constexpr double kAbsent = std::bit_cast<double>(kAbsentBits);
inline bool IsAbsent(double value) { return std::bit_cast<uint64_t>(value) == kAbsentBits; }

struct Frame {
  int64_t time_ms = 0;
  std::vector<double> values;  // by slot; a slot beyond the end is absent

  // Not `?:`: g++ 12 folds kAbsent into a quiet NaN there, which is another value.
  double At(size_t slot) const {
    if (slot < values.size()) return values[slot];
    return kAbsent;
  }
};

// How a slot's value was last written; encoder and decoder walk through the same states.
struct SlotState {
  uint64_t bits = kAbsentBits;  // of the double
  int64_t scaled = 0;           // the integer, in the integer forms
  uint8_t form = 0;
};

class FrameEncoder {
 public:
  // Frames must come in ascending time. Every `key_interval`th is a keyframe.
  explicit FrameEncoder(int key_interval = 60) : key_interval_(key_interval) {}
  std::vector<uint8_t> Encode(const Frame& frame);
  // Makes the next frame a keyframe; needed when an encoded frame was not stored.
  void Reset() { since_key_ = 0; }

 private:
  int key_interval_;
  int since_key_ = 0;  // frames since the last keyframe, that one included; 0: write one now
  int64_t last_ms_ = 0;
  std::vector<SlotState> slots_;
};

class FrameDecoder {
 public:
  static bool IsKeyframe(std::span<const uint8_t> bytes);

  // kDataLoss for bytes that are not a frame or fail their checksum, kFailedPrecondition for a
  // delta whose predecessor was not the last frame decoded. After either, only a keyframe decodes
  // again.
  Status Decode(int64_t time_ms, std::span<const uint8_t> bytes);

  // Of the last frame decoded.
  double Value(size_t slot) const {
    if (slot < slots_.size()) return std::bit_cast<double>(slots_[slot].bits);
    return kAbsent;
  }
  size_t slot_count() const { return slots_.size(); }
  Frame ToFrame() const;

 private:
  Status DecodeTokens(std::span<const uint8_t> bytes);

  bool valid_ = false;
  int64_t time_ms_ = 0;
  std::vector<SlotState> slots_;
};

}  // namespace hearth::storage
