#include "storage/frame.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "storage/crc32c.h"

namespace hearth::storage {
namespace {

bool SameBits(double a, double b) {
  return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b);
}

void ExpectRoundTrip(const std::vector<Frame>& frames, FrameEncoder encoder = FrameEncoder()) {
  FrameDecoder decoder;
  for (const Frame& frame : frames) {
    const auto bytes = encoder.Encode(frame);
    const Status status = decoder.Decode(frame.time_ms, bytes);
    ASSERT_TRUE(status.ok()) << status.ToString();
    for (size_t slot = 0; slot < decoder.slot_count(); ++slot) {
      ASSERT_TRUE(SameBits(decoder.Value(slot), frame.At(slot)))
          << "slot " << slot << ": " << decoder.Value(slot) << " for " << frame.At(slot);
    }
  }
}

TEST(Frame, ASlotBeyondTheEndIsAbsent) {
  const Frame frame{1000, {1, 2}};
  EXPECT_EQ(frame.At(1), 2);
  EXPECT_TRUE(IsAbsent(frame.At(2)));
  EXPECT_TRUE(IsAbsent(FrameDecoder().Value(0)));
}

TEST(Crc32c, AgreesWithTheVectorsOfRfc3720) {
  const std::vector<uint8_t> zeros(32, 0);
  const std::vector<uint8_t> ones(32, 0xff);
  std::vector<uint8_t> ascending(32);
  for (uint8_t i = 0; i < 32; ++i) ascending[i] = i;
  EXPECT_EQ(Crc32c(zeros), 0x8a9136aau);
  EXPECT_EQ(Crc32c(ones), 0x62a8ab43u);
  EXPECT_EQ(Crc32c(ascending), 0x46dd794eu);
  const std::string_view digits = "123456789";
  EXPECT_EQ(Crc32c({reinterpret_cast<const uint8_t*>(digits.data()), digits.size()}), 0xe3069283u);
}

TEST(Frame, GivesBackAwkwardDoublesToTheBit) {
  using Limits = std::numeric_limits<double>;
  const std::vector<double> awkward = {
      0.0, -0.0, 1, -1, 0.1, 0.3, 1.0 / 3, 1e-6, 123456.789012, 9007199254740991.0,
      9007199254740992.0, 9007199254740993.0, -9007199254740994.0, 1e300, -1e300,
      Limits::denorm_min(), Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(), kAbsent};
  std::vector<Frame> frames;
  for (size_t shift = 0; shift < awkward.size(); ++shift) {
    Frame frame{static_cast<int64_t>(1000 + shift), {}};
    for (size_t i = 0; i < awkward.size(); ++i) {
      frame.values.push_back(awkward[(i + shift) % awkward.size()]);
    }
    frames.push_back(frame);
  }
  ExpectRoundTrip(frames);
  ExpectRoundTrip(frames, FrameEncoder(1));
}

TEST(Frame, GivesBackRandomSeriesThatComeAndGo) {
  std::mt19937_64 random(7);
  std::vector<Frame> frames;
  Frame frame{0, {}};
  for (int step = 0; step < 500; ++step) {
    frame.time_ms += 1 + static_cast<int64_t>(random() % 5000);
    if (random() % 10 == 0) frame.values.resize(frame.values.size() + random() % 20, kAbsent);
    for (double& value : frame.values) {
      switch (random() % 8) {
        case 0: value = kAbsent; break;
        case 1: value = static_cast<double>(random() % 1000); break;
        case 2: value = static_cast<double>(random() % 1000) / 1000; break;
        case 3: value = std::bit_cast<double>(random()); break;
        case 4: value += 0.25; break;
        default: break;
      }
    }
    frames.push_back(frame);
  }
  ExpectRoundTrip(frames);
}

TEST(Frame, OfUnchangedValuesIsAFewBytes) {
  FrameEncoder encoder;
  Frame frame{1000, std::vector<double>(400, 17.5)};
  (void)encoder.Encode(frame);
  frame.time_ms += 1000;
  EXPECT_LE(encoder.Encode(frame).size(), 10u);
}

TEST(Frame, WithAnyBitFlippedIsRefused) {
  FrameEncoder encoder;
  const auto key = encoder.Encode({1000, {1, 2.5, 1.0 / 3}});
  for (size_t bit = 0; bit < key.size() * 8; ++bit) {
    auto flipped = key;
    flipped[bit / 8] = static_cast<uint8_t>(flipped[bit / 8] ^ (1u << (bit % 8)));
    EXPECT_EQ(FrameDecoder().Decode(1000, flipped).code(), StatusCode::kDataLoss) << bit;
  }
}

TEST(Frame, OfRandomBytesWithAGoodChecksumNeverReadsBeyondItself) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 20'000; ++round) {
    std::vector<uint8_t> bytes = {1, static_cast<uint8_t>(random() % 2)};
    const size_t size = random() % 40;
    for (size_t i = 0; i < size; ++i) bytes.push_back(static_cast<uint8_t>(random() >> 13));
    const uint32_t crc = Crc32c(bytes);
    for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<uint8_t>(crc >> (8 * i)));
    FrameDecoder decoder;
    FrameEncoder encoder;
    ASSERT_TRUE(decoder.Decode(1000, encoder.Encode({1000, {1, 2, 0.1, 1.0 / 3}})).ok());
    (void)decoder.Decode(1000 + static_cast<int64_t>(random() % 128), bytes);
  }
}

TEST(Frame, WhosePredecessorIsMissingIsRefusedUntilTheNextKeyframe) {
  FrameEncoder encoder(3);
  std::vector<std::vector<uint8_t>> encoded;
  for (int i = 0; i < 4; ++i) encoded.push_back(encoder.Encode({1000 + i, {1.0 * i}}));
  FrameDecoder decoder;
  EXPECT_TRUE(decoder.Decode(1000, encoded[0]).ok());
  EXPECT_EQ(decoder.Decode(1002, encoded[2]).code(), StatusCode::kFailedPrecondition);
  EXPECT_TRUE(decoder.Decode(1003, encoded[3]).ok());
  EXPECT_EQ(decoder.Value(0), 3);
}

}  // namespace
}  // namespace hearth::storage
