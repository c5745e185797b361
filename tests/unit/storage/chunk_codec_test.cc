#include "storage/chunk_codec.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "storage/crc32c.h"
#include "storage/frame.h"

namespace hearth::storage {
namespace {

constexpr auto kCodings = {ChunkCoding::kFastest, ChunkCoding::kSmallest};

// Bytes of the smallest coding.
size_t ExpectRoundTrip(const std::vector<double>& values) {
  size_t size = 0;
  for (const ChunkCoding coding : kCodings) {
    const auto bytes = EncodeValues(values, coding);
    std::vector<double> decoded = {1, 2, 3};
    const Status status = DecodeValues(bytes, decoded);
    EXPECT_TRUE(status.ok()) << status.ToString();
    EXPECT_EQ(decoded.size(), values.size());
    for (size_t i = 0; i < std::min(values.size(), decoded.size()); ++i) {
      EXPECT_EQ(std::bit_cast<uint64_t>(decoded[i]), std::bit_cast<uint64_t>(values[i]))
          << "value " << i << ": " << decoded[i] << " for " << values[i];
    }
    size = bytes.size();
  }
  return size;
}

StatusCode CodeOfDecoding(std::span<const uint8_t> bytes) {
  std::vector<double> values;
  return DecodeValues(bytes, values).code();
}

void AppendChecksum(std::vector<uint8_t>& bytes) {
  const uint32_t crc = Crc32c(bytes);
  for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<uint8_t>(crc >> (8 * i)));
}

TEST(ChunkCodec, GivesBackAwkwardDoublesToTheBit) {
  using Limits = std::numeric_limits<double>;
  const std::vector<double> awkward = {
      0.0, -0.0, 1, -1, 0.1, 0.3, 1.0 / 3, 1e-6, 123456.789012, 9007199254740991.0,
      9007199254740992.0, -9007199254740994.0, 1e300, -1e300, Limits::denorm_min(),
      Limits::max(), Limits::lowest(), Limits::infinity(), -Limits::infinity(),
      Limits::quiet_NaN(), std::bit_cast<double>(uint64_t{0xfff0000000000001}),
      std::bit_cast<double>(uint64_t{0x7ff8dead0000beef}), kAbsent};
  ExpectRoundTrip({});
  ExpectRoundTrip(awkward);
  for (const double a : awkward) {
    ExpectRoundTrip({a});
    for (const double b : awkward) ExpectRoundTrip({a, b, b, a, kAbsent, b});
  }
}

TEST(ChunkCodec, GivesBackRandomColumnsOfEveryKind) {
  std::mt19937_64 random(17);
  for (int round = 0; round < 400; ++round) {
    std::vector<double> values(1 + random() % 700);
    const double scale = std::pow(10, static_cast<double>(random() % 8));
    const bool gaps = random() % 2 == 0;
    const bool bits = random() % 4 == 0;
    const uint64_t span = uint64_t{1} << random() % 54;
    double total = 0;
    for (double& value : values) {
      total += static_cast<double>(random() % span) * (random() % 3 == 0 ? 1 : 0);
      value = bits ? std::bit_cast<double>(random()) : total / scale;
      if (gaps && random() % 5 == 0) value = kAbsent;
    }
    ExpectRoundTrip(values);
  }
}

TEST(ChunkCodec, GivesBackAnyTimes) {
  std::mt19937_64 random(23);
  const auto expect = [](const std::vector<int64_t>& times) {
    const auto bytes = EncodeTimes(times);
    const auto decoded = DecodeTimes(bytes);
    EXPECT_TRUE(decoded.ok()) << decoded.status().ToString();
    EXPECT_EQ(*decoded, times);
    return bytes.size();
  };
  std::vector<int64_t> regular, jittered, wild;
  for (int64_t i = 0; i < 600; ++i) {
    regular.push_back(1'800'000'000'000 + i * 1000);
    jittered.push_back(regular.back() + static_cast<int64_t>(random() % 3));
    wild.push_back(static_cast<int64_t>(random()));
  }
  wild.push_back(std::numeric_limits<int64_t>::min());
  wild.push_back(std::numeric_limits<int64_t>::max());
  EXPECT_LE(expect(regular), 24u);
  EXPECT_LE(expect(jittered), 350u);
  expect(wild);
  expect({});
}

TEST(ChunkCodec, PaysNextToNothingForASteadyColumn) {
  EXPECT_LE(ExpectRoundTrip(std::vector<double>(600, 17.5)), 14u);
  std::vector<double> ramp, gaps;
  for (int i = 0; i < 600; ++i) {
    ramp.push_back(1e9 + 250.0 * i);
    gaps.push_back(3);
    if (i >= 200 && i < 400) gaps.back() = kAbsent;
  }
  EXPECT_LE(ExpectRoundTrip(ramp), 22u);
  EXPECT_LE(ExpectRoundTrip(gaps), 20u);
}

TEST(ChunkCodec, TakesAboutTheEntropyOfACountersIncrements) {
  std::mt19937_64 random(29);
  std::vector<double> values;
  double total = 0;
  for (int i = 0; i < 6000; ++i) {
    total += random() % 8 == 0 ? 1 : 0;
    values.push_back(total);
  }
  // H(1/8) = 0.544 bits.
  EXPECT_LE(static_cast<double>(ExpectRoundTrip(values)) * 8 / 6000, 0.62);
}

TEST(ChunkCodec, RefusesEveryTruncationAndEveryFlippedBit) {
  std::vector<double> values;
  for (int i = 0; i < 100; ++i) {
    values.push_back(std::sqrt(i));
    if (i % 7 == 0) values.back() = kAbsent;
  }
  std::vector<std::vector<uint8_t>> chunks = {EncodeValues(values, ChunkCoding::kSmallest)};
  for (double& value : values) {
    if (!IsAbsent(value)) value = std::round(value * 100);
  }
  for (const ChunkCoding coding : kCodings) chunks.push_back(EncodeValues(values, coding));
  for (const auto& bytes : chunks) {
    for (size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_EQ(CodeOfDecoding(std::span(bytes).first(size)), StatusCode::kDataLoss);
    }
    for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      auto flipped = bytes;
      flipped[bit / 8] = static_cast<uint8_t>(flipped[bit / 8] ^ (1u << (bit % 8)));
      EXPECT_EQ(CodeOfDecoding(flipped), StatusCode::kDataLoss) << bit;
    }
    EXPECT_EQ(DecodeTimes(bytes).status().code(), StatusCode::kDataLoss);
  }
}

// A checksum proves no good will: bytes that carry a right one stay within bounds all the same.
TEST(ChunkCodec, StaysWithinBoundsOnHostileBytes) {
  std::mt19937_64 random(31);
  std::vector<double> odd, plain;
  for (int i = 0; i < 60; ++i) {
    odd.push_back(1.0 / (i + 1));
    plain.push_back(i * i);
    if (i % 5 == 0) odd.back() = plain.back() = kAbsent;
  }
  std::vector<double> values;
  for (const auto& honest : {EncodeValues(odd, ChunkCoding::kSmallest),
                             EncodeValues(plain, ChunkCoding::kFastest)}) {
    for (size_t size = 0; size + 4 <= honest.size(); ++size) {
      std::vector<uint8_t> cut(honest.begin(), honest.begin() + static_cast<std::ptrdiff_t>(size));
      AppendChecksum(cut);
      EXPECT_TRUE(!DecodeValues(cut, values).ok() || values.size() <= kChunkValuesMax);
    }
  }
  size_t decoded_count = 0;
  for (int round = 0; round < 6000; ++round) {
    std::vector<uint8_t> bytes = {1, static_cast<uint8_t>(random() % 64)};
    for (size_t i = 0, size = random() % 40; i < size; ++i) {
      bytes.push_back(static_cast<uint8_t>(random() >> 13));
    }
    AppendChecksum(bytes);
    const bool decoded = DecodeValues(bytes, values).ok();
    const auto times = DecodeTimes(bytes);
    EXPECT_TRUE(!decoded || values.size() <= kChunkValuesMax);
    EXPECT_TRUE(!times.ok() || times->size() <= kChunkValuesMax);
    if (decoded || times.ok()) ++decoded_count;
  }
  EXPECT_GT(decoded_count, 0u);  // the bytes do get beyond the header
}

}  // namespace
}  // namespace hearth::storage
