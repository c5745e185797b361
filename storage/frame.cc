#include "storage/frame.h"

#include <algorithm>
#include <string>

#include "base/check.h"
#include "storage/crc32c.h"
#include "storage/decimal.h"

namespace hearth::storage {

namespace {

constexpr uint8_t kVersion = 1;
constexpr uint8_t kKeyframe = 0;
constexpr uint8_t kDelta = 1;
constexpr size_t kSlotsMax = size_t{1} << 20;  // 8 MiB a frame: beyond any set of series kept here

constexpr uint64_t kOpUnchanged = 0;
constexpr uint64_t kOpIntegerDelta = 1;
constexpr uint64_t kOpNewForm = 2;
constexpr uint64_t kOpXor = 3;

// Forms: 0 absent, 1..4 an integer (decimal.h), 5 a double.
constexpr uint8_t kFormAbsent = 0;
constexpr uint8_t kFormDouble = 5;
static_assert(kFormDouble == kForms + 1);

bool IsInteger(uint8_t form) { return form > kFormAbsent && form < kFormDouble; }

uint64_t ZigZag(int64_t value) {
  return static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
}
int64_t UnZigZag(uint64_t value) {
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}

// `preferred` keeps a gauge at 10^-3 from changing its form whenever it passes a whole number.
SlotState Represent(double value, uint8_t preferred) {
  const uint64_t bits = std::bit_cast<uint64_t>(value);
  if (IsAbsent(value)) return {};
  if (IsInteger(preferred)) {
    if (const auto scaled = Scale(value, preferred)) return {bits, *scaled, preferred};
  }
  for (uint8_t form = 1; form < kFormDouble; ++form) {
    if (const auto scaled = Scale(value, form)) return {bits, *scaled, form};
  }
  return {bits, 0, kFormDouble};
}

void PutVarint(std::vector<uint8_t>& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<uint8_t>(value | 0x80));
  out.push_back(static_cast<uint8_t>(value));
}

template <typename T>
void PutFixed(std::vector<uint8_t>& out, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) out.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

void PutToken(std::vector<uint8_t>& out, uint64_t op, uint64_t upper) {
  PutVarint(out, upper << 2 | op);
}

void PutChange(std::vector<uint8_t>& out, const SlotState& before, const SlotState& now) {
  if (now.form == before.form && IsInteger(now.form)) {
    PutToken(out, kOpIntegerDelta, ZigZag(now.scaled - before.scaled));
  } else if (now.form == before.form && now.form == kFormDouble) {
    const uint64_t change = now.bits ^ before.bits;
    const auto zero_bytes = static_cast<uint64_t>(std::countr_zero(change) / 8);
    PutToken(out, kOpXor, zero_bytes);
    PutVarint(out, change >> (8 * zero_bytes));
  } else {
    PutToken(out, kOpNewForm, now.form);
    if (IsInteger(now.form)) PutVarint(out, ZigZag(now.scaled));
    if (now.form == kFormDouble) PutFixed(out, now.bits);
  }
}

// Reads within bounds; `ok` turns false for good at the first read beyond the end.
struct Reader {
  std::span<const uint8_t> bytes;
  size_t at = 0;
  bool ok = true;

  bool AtEnd() const { return at >= bytes.size(); }
  uint64_t Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (AtEnd()) break;
      const uint8_t byte = bytes[at++];
      value |= uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
    ok = false;
    return 0;
  }
  template <typename T>
  T Fixed() {
    if (bytes.size() - at < sizeof(T)) {
      ok = false;
      return 0;
    }
    T value = 0;
    for (size_t i = 0; i < sizeof(T); ++i) value |= T{bytes[at++]} << (8 * i);
    return value;
  }
};

// Applies one token other than "unchanged" to a slot. False for a token that no encoder writes.
bool ApplyChange(uint64_t op, uint64_t upper, Reader& reader, SlotState& slot) {
  if (op == kOpIntegerDelta) {
    if (!IsInteger(slot.form)) return false;
    slot.scaled = static_cast<int64_t>(static_cast<uint64_t>(slot.scaled) +
                                       static_cast<uint64_t>(UnZigZag(upper)));
    slot.bits = std::bit_cast<uint64_t>(Unscale(slot.scaled, slot.form));
    return true;
  }
  if (op == kOpXor) {
    if (slot.form != kFormDouble || upper > 7) return false;
    slot.bits ^= reader.Varint() << (8 * upper);
    return reader.ok;
  }
  if (upper > kFormDouble) return false;
  slot = {};
  slot.form = static_cast<uint8_t>(upper);
  if (IsInteger(slot.form)) {
    slot.scaled = UnZigZag(reader.Varint());
    slot.bits = std::bit_cast<uint64_t>(Unscale(slot.scaled, slot.form));
  } else if (slot.form == kFormDouble) {
    slot.bits = reader.Fixed<uint64_t>();
  }
  return reader.ok;
}

}  // namespace

std::vector<uint8_t> FrameEncoder::Encode(const Frame& frame) {
  const bool key = since_key_ == 0 || since_key_ >= key_interval_;
  CHECK(key || frame.time_ms > last_ms_) << "frames are encoded in ascending time";
  since_key_ = key ? 1 : since_key_ + 1;
  const size_t count = std::max(slots_.size(), frame.values.size());
  CHECK(count <= kSlotsMax) << count << " slots";
  slots_.resize(count);

  std::vector<uint8_t> out = {kVersion, key ? kKeyframe : kDelta};
  PutVarint(out, count);
  if (!key) PutVarint(out, static_cast<uint64_t>(frame.time_ms - last_ms_));
  uint64_t unchanged = 0;
  for (size_t slot = 0; slot < count; ++slot) {
    const double value = frame.At(slot);
    const SlotState before = key ? SlotState{} : slots_[slot];
    if (std::bit_cast<uint64_t>(value) == before.bits) {
      if (key) slots_[slot] = {};
      ++unchanged;
      continue;
    }
    if (unchanged > 0) PutToken(out, kOpUnchanged, unchanged - 1);
    unchanged = 0;
    slots_[slot] = Represent(value, slots_[slot].form);
    PutChange(out, before, slots_[slot]);
  }
  PutFixed(out, Crc32c(out));
  last_ms_ = frame.time_ms;
  return out;
}

bool FrameDecoder::IsKeyframe(std::span<const uint8_t> bytes) {
  return bytes.size() >= 2 && bytes[0] == kVersion && bytes[1] == kKeyframe;
}

Status FrameDecoder::Decode(int64_t time_ms, std::span<const uint8_t> bytes) {
  const auto broken = [&](const char* what) {
    valid_ = false;
    return DataLoss("frame of " + std::to_string(time_ms) + " ms, " + std::to_string(bytes.size()) +
                    " bytes: " + what);
  };
  if (bytes.size() < 7) return broken("too short");
  const auto body = bytes.first(bytes.size() - 4);
  Reader checksum{bytes.last(4)};
  if (checksum.Fixed<uint32_t>() != Crc32c(body)) return broken("its checksum does not agree");
  if (body[0] != kVersion || body[1] > kDelta) return broken("of an unknown version");

  Reader reader{body, 2};
  const uint64_t count = reader.Varint();
  if (!reader.ok || count > kSlotsMax) return broken("too many slots");
  if (body[1] == kKeyframe) {
    slots_.assign(count, SlotState{});
  } else {
    const uint64_t since = reader.Varint();
    if (!valid_ || static_cast<uint64_t>(time_ms) - since != static_cast<uint64_t>(time_ms_)) {
      valid_ = false;
      return FailedPrecondition("the frame before that of " + std::to_string(time_ms) +
                                " ms is missing");
    }
    if (count < slots_.size()) return broken("slots disappeared");
    slots_.resize(count);
  }
  if (!reader.ok || !DecodeTokens(body.subspan(reader.at)).ok()) return broken("malformed");
  valid_ = true;
  time_ms_ = time_ms;
  return Status::Ok();
}

Status FrameDecoder::DecodeTokens(std::span<const uint8_t> bytes) {
  Reader reader{bytes};
  size_t slot = 0;
  while (!reader.AtEnd()) {
    const uint64_t token = reader.Varint();
    const uint64_t op = token & 3;
    const uint64_t upper = token >> 2;
    if (!reader.ok || slot >= slots_.size()) return DataLoss("a token too many");
    if (op == kOpUnchanged) {
      if (upper >= slots_.size() - slot) return DataLoss("a run beyond the last slot");
      slot += static_cast<size_t>(upper) + 1;
    } else if (!ApplyChange(op, upper, reader, slots_[slot++])) {
      return DataLoss("a token that fits no slot");
    }
  }
  return Status::Ok();
}

Frame FrameDecoder::ToFrame() const {
  Frame frame{time_ms_, {}};
  frame.values.reserve(slots_.size());
  for (const SlotState& slot : slots_) frame.values.push_back(std::bit_cast<double>(slot.bits));
  return frame;
}

}  // namespace hearth::storage
