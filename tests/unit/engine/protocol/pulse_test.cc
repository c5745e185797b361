#include "engine/protocol/pulse.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace hearth::protocol {
namespace {

TEST(Pulse, ShowsTheOtherProcessWhatThisOneDoes) {
  const auto watcher = Pulse::Create();
  ASSERT_TRUE(watcher.ok()) << watcher.status().ToString();
  EXPECT_EQ((*watcher)->Read().phase, Phase::kStarting);
  EXPECT_EQ((*watcher)->Read().beats, 0u);
  auto engine = Pulse::Open(dup((*watcher)->fd()));
  ASSERT_TRUE(engine.ok()) << engine.status().ToString();
  (*engine)->BeginBatch(512);
  (*engine)->AddToBatch(7);
  (*engine)->AddToBatch(9);
  (*engine)->ReadsPrompt(11);
  const PulseReading reading = (*watcher)->Read();
  EXPECT_EQ(reading.phase, Phase::kForward);
  EXPECT_EQ(reading.num_batched_tokens, 512);
  EXPECT_EQ(reading.batch, (std::vector<uint64_t>{7, 9}));
  EXPECT_EQ(reading.reading_prompt, 11u);
  EXPECT_GT(reading.time_s, 0);
  EXPECT_GT(reading.beats, 0u);
  engine->reset();  // as when the engine has died
  EXPECT_EQ((*watcher)->Read().batch.size(), 2u);
}

TEST(Pulse, ForgetsTheBatchOfAnEngineWithNothingToDo) {
  Pulse pulse;
  pulse.BeginBatch(1);
  pulse.AddToBatch(7);
  pulse.EndStep(1, /*num_running=*/1, /*num_waiting=*/0);
  EXPECT_EQ(pulse.Read().batch.size(), 1u) << "its next step has it again";
  pulse.EndStep(2, 0, 0);
  EXPECT_TRUE(pulse.Read().batch.empty());
  EXPECT_EQ(pulse.Read().steps, 2u);
}

TEST(Pulse, HoldsALargeBatchAsFarAsItFits) {
  Pulse pulse;
  pulse.BeginBatch(1000);
  for (uint64_t id = 1; id <= 1000; ++id) pulse.AddToBatch(id);
  EXPECT_EQ(pulse.Read().batch.size(), static_cast<size_t>(Pulse::kBatchMax));
}

TEST(Pulse, CannotBeCutShortUnderTheOneThatWatches) {
  const auto watcher = Pulse::Create();
  ASSERT_TRUE(watcher.ok());
  EXPECT_EQ(ftruncate((*watcher)->fd(), 0), -1);
}

TEST(Pulse, RefusesADescriptorThatHoldsNoPage) {
  EXPECT_EQ(Pulse::Open(-1).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Pulse::Open(open("/dev/null", O_RDWR)).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace hearth::protocol
