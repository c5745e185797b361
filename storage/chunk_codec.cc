#include "storage/chunk_codec.h"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <string>

#include "base/check.h"
#include "storage/binary_coder.h"
#include "storage/crc32c.h"
#include "storage/decimal.h"
#include "storage/frame.h"
#include "storage/packed_integers.h"

namespace hearth::storage {

namespace {

constexpr uint8_t kVersion = 1;
constexpr uint8_t kFormTimes = 0;
constexpr uint8_t kFormDouble = kForms + 1;
constexpr uint8_t kFormMask = 7;
constexpr uint8_t kSecondDifferences = 8;
constexpr uint8_t kSomeAbsent = 16;
constexpr uint8_t kPacked = 32;
constexpr uint8_t kFlags = kFormMask | kSecondDifferences | kSomeAbsent | kPacked;
constexpr size_t kBytesMin = 7;  // version, form, count, checksum

// A number of kBits bits, most significant first, each bit's odds under those before it.
template <int kBits>
class OddsTree {
 public:
  template <typename Coder>
  unsigned Code(Coder& coder, unsigned value) {
    unsigned node = 1;
    for (int bit = kBits - 1; bit >= 0; --bit) {
      node = node << 1 | (coder.Code(odds_[node], (value >> bit & 1) != 0) ? 1u : 0u);
    }
    return node - (1u << kBits);
  }

 private:
  std::array<Odds, size_t{1} << kBits> odds_;
};

// Differences of integers. Large ones tend to follow large ones, so that the odds are those under
// the size of the difference before.
class IntegerModel {
 public:
  template <typename Coder>
  uint64_t Code(Coder& coder, uint64_t difference) {
    const auto context =
        static_cast<size_t>(std::min<int>(std::bit_width(size_before_), kContexts - 1));
    if (!coder.Code(changed_[context], difference != 0)) {
      size_before_ = 0;
      return 0;
    }
    const bool negative = coder.Code(negative_[context], static_cast<int64_t>(difference) < 0);
    const uint64_t magnitude = negative ? -difference : difference;
    const unsigned below =
        size_[context].Code(coder, static_cast<unsigned>(std::bit_width(magnitude) - 1) & 63);
    size_before_ = below + 1;
    // The leading one is implied; the three bits after it are learnt, the rest is noise.
    uint64_t read = 1;
    const unsigned learnt = std::min(below, kLearntBits);
    for (unsigned i = 0; i < learnt; ++i) {
      Odds& odds = leading_[below][static_cast<size_t>(read)];
      read = read << 1 | (coder.Code(odds, (magnitude >> (below - 1 - i) & 1) != 0) ? 1u : 0u);
    }
    const unsigned rest = below - learnt;
    if (rest > 0) {
      const uint64_t low = magnitude & ((uint64_t{1} << rest) - 1);
      read = read << rest | coder.Plain(static_cast<int>(rest), low);
    }
    return negative ? -read : read;
  }

 private:
  static constexpr unsigned kLearntBits = 3;
  static constexpr int kContexts = 5;
  unsigned size_before_ = 0;  // in bits; 0: there was no change
  std::array<Odds, kContexts> changed_;
  std::array<Odds, kContexts> negative_;
  std::array<OddsTree<6>, kContexts> size_;
  std::array<std::array<Odds, size_t{1} << kLearntBits>, 64> leading_;
};

// The XOR of two doubles' bits.
class XorModel {
 public:
  // nullopt: what is read is no XOR that an encoder writes.
  template <typename Coder>
  std::optional<uint64_t> Code(Coder& coder, uint64_t change) {
    if (!coder.Code(changed_, change != 0)) return 0;
    const unsigned high = high_zeros_.Code(coder, static_cast<unsigned>(std::countl_zero(change)));
    const unsigned low = low_zeros_.Code(coder, static_cast<unsigned>(std::countr_zero(change)));
    if (high + low > 63) return std::nullopt;
    const int below = static_cast<int>(63 - high - low);  // bits after the leading one
    const uint64_t mask = (uint64_t{1} << below) - 1;
    const uint64_t middle = coder.Plain(below, change >> low & mask);
    return (uint64_t{1} << below | middle) << low;
  }

 private:
  Odds changed_;
  OddsTree<6> high_zeros_;
  OddsTree<6> low_zeros_;
};

// Whether a value is there, under whether the one before was.
class PresenceModel {
 public:
  template <typename Coder>
  bool Code(Coder& coder, bool present) {
    before_ = coder.Code(odds_[before_ ? 1 : 0], present);
    return before_;
  }

 private:
  std::array<Odds, 2> odds_;
  bool before_ = true;
};

// Predicts the next integer from those before. Arithmetic wraps: what was stored by others may be
// anything.
struct Predictor {
  bool second;  // differences
  uint64_t value = 0;
  uint64_t slope = 0;
  bool first = true;

  uint64_t Next() const { return second ? value + slope : value; }
  void Learn(uint64_t now) {
    slope = first ? 0 : now - value;
    value = now;
    first = false;
  }
};

std::vector<uint8_t> BeginChunk(uint8_t form, size_t count) {
  CHECK(count <= kChunkValuesMax) << count << " values in a chunk";
  std::vector<uint8_t> out = {kVersion, form};
  for (; count >= 0x80; count >>= 7) out.push_back(static_cast<uint8_t>(count | 0x80));
  out.push_back(static_cast<uint8_t>(count));
  return out;
}

std::vector<uint8_t> EndChunk(std::vector<uint8_t> out) {
  const uint32_t crc = Crc32c(out);
  for (int i = 0; i < 4; ++i) out.push_back(static_cast<uint8_t>(crc >> (8 * i)));
  return out;
}

// Bits that the differences take, about.
int64_t CostOf(std::span<const int64_t> integers, bool second) {
  Predictor predictor{second};
  int64_t bits = 0;
  for (const int64_t value : integers) {
    const auto difference = static_cast<int64_t>(static_cast<uint64_t>(value) - predictor.Next());
    bits += std::bit_width(static_cast<uint64_t>(difference < 0 ? ~difference : difference));
    if (difference != 0) ++bits;
    predictor.Learn(static_cast<uint64_t>(value));
  }
  return bits;
}

// `present` has one entry a value, or none when all are there.
std::vector<uint8_t> EncodeIntegers(uint8_t form, std::span<const int64_t> integers,
                                    const std::vector<bool>& present) {
  const bool second = CostOf(integers, true) < CostOf(integers, false);
  if (second) form |= kSecondDifferences;
  if (!present.empty()) form |= kSomeAbsent;
  std::vector<uint8_t> out = BeginChunk(form, present.empty() ? integers.size() : present.size());
  BinaryEncoder coder(&out);
  PresenceModel presence;
  IntegerModel model;
  Predictor predictor{second};
  size_t slot = 0;
  for (const int64_t value : integers) {
    while (!present.empty() && !presence.Code(coder, present[slot++])) continue;
    const auto now = static_cast<uint64_t>(value);
    model.Code(coder, now - predictor.Next());
    predictor.Learn(now);
  }
  for (; slot < present.size(); ++slot) presence.Code(coder, false);
  coder.Finish();
  return EndChunk(std::move(out));
}

std::vector<uint8_t> EncodePacked(uint8_t form, std::vector<int64_t> integers,
                                  const std::vector<bool>& present) {
  const bool second = CostOf(integers, true) < CostOf(integers, false);
  form |= kPacked;
  if (second) form |= kSecondDifferences;
  if (!present.empty()) form |= kSomeAbsent;
  std::vector<uint8_t> out = BeginChunk(form, present.empty() ? integers.size() : present.size());
  for (size_t slot = 0; slot < present.size(); ++slot) {
    if (slot % 8 == 0) out.push_back(0);
    if (present[slot]) out.back() |= static_cast<uint8_t>(1u << slot % 8);
  }
  Predictor predictor{second};
  for (int64_t& value : integers) {
    const auto now = static_cast<uint64_t>(value);
    value = static_cast<int64_t>(now - predictor.Next());
    predictor.Learn(now);
  }
  PackIntegers(integers, out);
  return EndChunk(std::move(out));
}

std::vector<uint8_t> EncodeDoubles(std::span<const double> values, bool some_absent) {
  const uint8_t form = some_absent ? kFormDouble | kSomeAbsent : kFormDouble;
  std::vector<uint8_t> out = BeginChunk(form, values.size());
  BinaryEncoder coder(&out);
  PresenceModel presence;
  XorModel model;
  uint64_t before = 0;
  for (const double value : values) {
    if (some_absent && !presence.Code(coder, !IsAbsent(value))) continue;
    const uint64_t bits = std::bit_cast<uint64_t>(value);
    model.Code(coder, bits ^ before);
    before = bits;
  }
  coder.Finish();
  return EndChunk(std::move(out));
}

// The present values as integers in the first form that has them all.
std::optional<std::vector<int64_t>> ScaleAll(std::span<const double> values, uint8_t form) {
  std::vector<int64_t> integers;
  integers.reserve(values.size());
  for (const double value : values) {
    if (IsAbsent(value)) continue;
    const auto scaled = Scale(value, form);
    if (!scaled) return std::nullopt;
    integers.push_back(*scaled);
  }
  return integers;
}

struct Header {
  uint8_t form;  // without its flags
  bool second;
  bool some_absent;
  bool packed;
  size_t count;
  std::span<const uint8_t> body;
};

Status Broken(std::span<const uint8_t> bytes, const char* what) {
  return DataLoss("chunk of " + std::to_string(bytes.size()) + " bytes: " + what);
}

Result<Header> ReadHeader(std::span<const uint8_t> bytes) {
  if (bytes.size() < kBytesMin) return Broken(bytes, "too short");
  const auto body = bytes.first(bytes.size() - 4);
  uint32_t crc = 0;
  for (size_t i = 0; i < 4; ++i) crc |= uint32_t{bytes[body.size() + i]} << (8 * i);
  if (crc != Crc32c(body)) return Broken(bytes, "its checksum does not agree");
  if (body[0] != kVersion || (body[1] & ~kFlags) != 0 || (body[1] & kFormMask) > kFormDouble) {
    return Broken(bytes, "of an unknown version or form");
  }
  size_t count = 0;
  size_t at = 2;
  for (int shift = 0;; shift += 7) {
    if (at >= body.size() || shift > 14) return Broken(bytes, "its count does not end");
    count |= size_t{body[at] & 0x7fu} << shift;
    if (body[at++] < 0x80) break;
  }
  if (count > kChunkValuesMax) return Broken(bytes, "too many values");
  return Header{static_cast<uint8_t>(body[1] & kFormMask), (body[1] & kSecondDifferences) != 0,
                (body[1] & kSomeAbsent) != 0, (body[1] & kPacked) != 0, count, body.subspan(at)};
}

// Calls take(bool present, int64_t value) for each.
template <typename Take>
void DecodeIntegers(const Header& header, const Take& take) {
  BinaryDecoder coder(header.body);
  PresenceModel presence;
  IntegerModel model;
  Predictor predictor{header.second};
  for (size_t i = 0; i < header.count; ++i) {
    if (header.some_absent && !presence.Code(coder, false)) {
      take(false, 0);
      continue;
    }
    const uint64_t now = predictor.Next() + model.Code(coder, 0);
    predictor.Learn(now);
    take(true, static_cast<int64_t>(now));
  }
}

bool DecodePacked(const Header& header, std::vector<double>& values) {
  const size_t mask_bytes = header.some_absent ? (header.count + 7) / 8 : 0;
  if (mask_bytes > header.body.size()) return false;
  const std::span<const uint8_t> mask = header.body.first(mask_bytes);
  const auto there = [&](size_t slot) { return (mask[slot / 8] >> slot % 8 & 1) != 0; };
  size_t integers = header.count;
  if (header.some_absent) {
    integers = 0;
    for (size_t slot = 0; slot < header.count; ++slot) integers += there(slot) ? 1 : 0;
  }
  std::vector<int64_t> differences(integers);
  if (!UnpackIntegers(header.body.subspan(mask_bytes), differences)) return false;
  Predictor predictor{header.second};
  auto difference = differences.cbegin();
  const double scale = kScales[header.form - 1];
  values.resize(header.count);
  for (size_t slot = 0; slot < header.count; ++slot) {
    if (header.some_absent && !there(slot)) {
      values[slot] = kAbsent;
      continue;
    }
    const uint64_t now = predictor.Next() + static_cast<uint64_t>(*difference++);
    predictor.Learn(now);
    values[slot] = static_cast<double>(static_cast<int64_t>(now)) / scale;
  }
  return true;
}

bool DecodeDoubles(const Header& header, std::vector<double>& values) {
  BinaryDecoder coder(header.body);
  PresenceModel presence;
  XorModel model;
  uint64_t bits = 0;
  for (size_t i = 0; i < header.count; ++i) {
    if (header.some_absent && !presence.Code(coder, false)) {
      values.push_back(kAbsent);
      continue;
    }
    const auto change = model.Code(coder, 0);
    if (!change) return false;
    bits ^= *change;
    values.push_back(std::bit_cast<double>(bits));
  }
  return true;
}

}  // namespace

std::vector<uint8_t> EncodeTimes(std::span<const int64_t> times_ms) {
  return EncodeIntegers(kFormTimes, times_ms, {});
}

std::vector<uint8_t> EncodeValues(std::span<const double> values, ChunkCoding coding) {
  std::vector<bool> present;
  const bool some_absent = std::any_of(values.begin(), values.end(), IsAbsent);
  if (some_absent) {
    for (const double value : values) present.push_back(!IsAbsent(value));
  }
  for (uint8_t form = 1; form <= kForms; ++form) {
    auto integers = ScaleAll(values, form);
    if (!integers) continue;
    if (coding == ChunkCoding::kFastest) return EncodePacked(form, *std::move(integers), present);
    return EncodeIntegers(form, *integers, present);
  }
  return EncodeDoubles(values, some_absent);
}

Result<std::vector<int64_t>> DecodeTimes(std::span<const uint8_t> bytes) {
  HEARTH_ASSIGN_OR_RETURN(const Header header, ReadHeader(bytes));
  if (header.form != kFormTimes || header.some_absent || header.packed) return Broken(bytes, "holds no times");
  std::vector<int64_t> times;
  times.reserve(header.count);
  DecodeIntegers(header, [&](bool, int64_t time_ms) { times.push_back(time_ms); });
  return times;
}

Status DecodeValues(std::span<const uint8_t> bytes, std::vector<double>& values) {
  values.clear();
  HEARTH_ASSIGN_OR_RETURN(const Header header, ReadHeader(bytes));
  if (header.form == kFormTimes) return Broken(bytes, "holds no values");
  if (header.packed || header.form == kFormDouble) {
    if (header.packed && header.form == kFormDouble) return Broken(bytes, "packed doubles");
    const bool decoded =
        header.packed ? DecodePacked(header, values) : DecodeDoubles(header, values);
    return decoded ? Status::Ok() : Broken(bytes, "malformed");
  }
  values.reserve(header.count);
  DecodeIntegers(header, [&](bool present, int64_t scaled) {
    values.push_back(kAbsent);
    if (present) values.back() = Unscale(scaled, header.form);
  });
  return Status::Ok();
}

}  // namespace hearth::storage
