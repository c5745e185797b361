#include "firmware/models/fit_estimate.h"

#include <gtest/gtest.h>

#include <numeric>

namespace hearth::models {
namespace {

constexpr int64_t kMiB = int64_t{1} << 20;

// 100 MiB of weights, 10 of workspace, a KV cache of 1 MiB a block: a sequence of 320 tokens is 20
// MiB.
StartingModel Starting(const std::string& name) {
  StartingModel start;
  start.model_name = name;
  start.plan.weight_bytes = 100 * kMiB;
  start.plan.workspace_bytes = 10 * kMiB;
  start.plan.block_size = 16;
  start.plan.kv_bytes_per_token = kMiB / 16;
  start.plan.max_model_len = 320;
  start.plan.max_position_embeddings = 4096;
  start.plan.max_num_seqs = 2;
  return start;
}

RunningModel Running(const std::string& name, bool goes) {
  RunningModel run;
  run.model_name = name;
  run.ready.weight_bytes = 100 * kMiB;
  run.ready.workspace_bytes = 10 * kMiB;
  run.ready.kv_cache_bytes = 40 * kMiB;
  run.ready.load_time_s = 10;
  run.goes = goes;
  run.drain_timeout_s = 30;
  return run;
}

FitInput Box(int64_t total, int64_t free) {
  FitInput input;
  input.memory_total_bytes = total;
  input.memory_free_bytes = free;
  return input;
}

int64_t Sum(const FitEstimate& estimate, FitSegment::State state) {
  return std::accumulate(estimate.segments.begin(), estimate.segments.end(), int64_t{0},
                         [&](int64_t sum, const FitSegment& each) {
                           const bool counts =
                               each.state == state && each.kind != FitSegment::Kind::kOther;
                           return sum + (counts ? each.bytes : 0);
                         });
}

TEST(FitEstimate, GivesAnEmptyBoxAllThatAModelCanUse) {
  FitInput input = Box(1000 * kMiB, 900 * kMiB);
  input.starts.push_back(Starting("m"));
  const FitEstimate estimate = EstimateFit(input);
  EXPECT_TRUE(estimate.fits);
  EXPECT_TRUE(estimate.fits_together);
  EXPECT_EQ(estimate.announced_wait_s, 0);
  EXPECT_EQ(estimate.bytes_free, 900 * kMiB);
  ASSERT_EQ(estimate.models.size(), 1u);
  EXPECT_EQ(estimate.models[0].kv_cache_bytes, 40 * kMiB) << "two sequences, not half of the rest";
  EXPECT_EQ(estimate.models[0].kv_cache_tokens, 640);
  EXPECT_EQ(estimate.needed_bytes, 150 * kMiB);
  EXPECT_EQ(Sum(estimate, FitSegment::State::kStarts), estimate.needed_bytes);
  EXPECT_EQ(estimate.models[0].largest_max_model_len, 4096) << "the model's own limit";
}

TEST(FitEstimate, ChoosesHalfOfWhatIsLeftForAKvCacheThatCouldUseMore) {
  FitInput input = Box(1000 * kMiB, 170 * kMiB);
  input.starts.push_back(Starting("m"));
  const FitEstimate estimate = EstimateFit(input);
  EXPECT_TRUE(estimate.fits);
  EXPECT_EQ(estimate.models[0].kv_cache_bytes, 30 * kMiB);
  EXPECT_EQ(estimate.models[0].largest_max_model_len, 480);
}

TEST(FitEstimate, AnnouncesTheWaitWhereTheOldMustEndFirst) {
  FitInput input = Box(400 * kMiB, 250 * kMiB);
  input.runs.push_back(Running("m", true));
  input.runs.back().resident_bytes = 150 * kMiB;
  input.starts.push_back(Starting("m"));
  input.memory_limit_bytes = 200 * kMiB;
  const FitEstimate estimate = EstimateFit(input);
  EXPECT_TRUE(estimate.fits);
  EXPECT_FALSE(estimate.fits_together);
  EXPECT_EQ(estimate.announced_wait_s, 30 + 10 + 10) << "drain, load at the measured rate, start";
  EXPECT_EQ(estimate.load_wait_s, 10 + 10);
  EXPECT_EQ(Sum(estimate, FitSegment::State::kGoes), 150 * kMiB);
  EXPECT_NE(estimate.sentences.at(0).find("at most 50 s"), std::string::npos);
}

TEST(FitEstimate, SaysWhatACacheBesideTheOldEngineLoses) {
  FitInput input = Box(400 * kMiB, 250 * kMiB);
  input.runs.push_back(Running("m", true));
  input.runs.back().resident_bytes = 150 * kMiB;
  input.starts.push_back(Starting("m"));
  input.memory_limit_bytes = 310 * kMiB;
  FitEstimate estimate = EstimateFit(input);
  ASSERT_TRUE(estimate.fits_together);
  EXPECT_EQ(estimate.models[0].kv_cache_bytes, 25 * kMiB) << "half of what 160 MiB leave";
  ASSERT_EQ(estimate.sentences.size(), 2u);
  EXPECT_NE(estimate.sentences[0].find("160.0 MiB that the limit leaves"), std::string::npos);
  EXPECT_NE(estimate.sentences[1].find("25.0 MiB; alone it would be 40.0 MiB"), std::string::npos);
  EXPECT_EQ(estimate.sentences[1].find("ends first"), std::string::npos);
  input.starts[0].kv_cache_memory_bytes = 40 * kMiB;
  estimate = EstimateFit(input);
  EXPECT_TRUE(estimate.fits_together) << "what was advised works";
  EXPECT_EQ(estimate.sentences.size(), 1u);

  input.starts[0].kv_cache_memory_bytes = 0;
  input.starts[0].plan.max_num_seqs = 8;
  EXPECT_NE(EstimateFit(input).sentences.at(1).find("ends first"), std::string::npos);
}

TEST(FitEstimate, LeavesTheMemoryOfWhatStaysAlone) {
  FitInput input = Box(400 * kMiB, 250 * kMiB);
  input.runs.push_back(Running("other", false));
  input.runs.back().resident_bytes = 150 * kMiB;
  input.starts.push_back(Starting("m"));
  input.memory_limit_bytes = 260 * kMiB;
  const FitEstimate estimate = EstimateFit(input);
  EXPECT_FALSE(estimate.fits) << "110 MiB are left of the limit";
  EXPECT_NE(estimate.sentences.at(0).find("'m'"), std::string::npos);
  input.memory_limit_bytes = 0;
  EXPECT_TRUE(EstimateFit(input).fits_together);
}

TEST(FitEstimate, CountsReservedBytesThatWereNeverTouched) {
  FitInput input = Box(400 * kMiB, 290 * kMiB);  // of the engine, the 110 MiB without its KV cache
  input.runs.push_back(Running("other", false));
  input.runs.back().resident_bytes = 110 * kMiB;
  const FitEstimate estimate = EstimateFit(input);
  EXPECT_EQ(estimate.bytes_free, 250 * kMiB);
  EXPECT_EQ(estimate.segments.back().kind, FitSegment::Kind::kOther);
  EXPECT_EQ(estimate.segments.back().bytes, 0);
  EXPECT_EQ(estimate.bytes_free + Sum(estimate, FitSegment::State::kRuns), 400 * kMiB);
}

TEST(FitEstimate, NamesTheLongestContextThatFits) {
  FitInput input = Box(1000 * kMiB, 150 * kMiB);
  input.starts.push_back(Starting("m"));
  input.starts[0].plan.max_model_len = 4096;
  const FitEstimate estimate = EstimateFit(input);
  EXPECT_FALSE(estimate.fits);
  EXPECT_EQ(estimate.models[0].largest_max_model_len, 320) << "half of 40 MiB are 20 blocks";
  EXPECT_NE(estimate.sentences.at(0).find("max_model_len to at most 320"), std::string::npos)
      << estimate.sentences[0];
  input.starts[0].plan.max_model_len = 320;
  EXPECT_TRUE(EstimateFit(input).fits) << "what was advised works";
}

TEST(FitEstimate, NamesAKvCacheThatIsSetTooSmall) {
  FitInput input = Box(1000 * kMiB, 900 * kMiB);
  input.starts.push_back(Starting("m"));
  input.starts[0].kv_cache_memory_bytes = 5 * kMiB;
  const FitEstimate estimate = EstimateFit(input);
  EXPECT_FALSE(estimate.fits);
  EXPECT_EQ(estimate.models[0].largest_max_model_len, 80);
  EXPECT_NE(estimate.sentences.at(0).find("raise kv_cache_memory_bytes"), std::string::npos);
  input.starts[0].plan.max_model_len = 80;
  EXPECT_TRUE(EstimateFit(input).fits);
}

TEST(FitEstimate, LetsEachModelTakeFromWhatTheOnesBeforeLeft) {
  FitInput input = Box(1000 * kMiB, 320 * kMiB);
  input.starts = {Starting("a"), Starting("b")};
  FitEstimate estimate = EstimateFit(input);
  EXPECT_TRUE(estimate.fits);
  EXPECT_EQ(estimate.models[0].kv_cache_bytes, 40 * kMiB);
  EXPECT_EQ(estimate.models[1].kv_cache_bytes, 30 * kMiB);
  input.memory_free_bytes = 280 * kMiB;
  estimate = EstimateFit(input);
  EXPECT_FALSE(estimate.fits);
  EXPECT_NE(estimate.sentences.at(0).find("'b'"), std::string::npos);
}

TEST(FitEstimate, SaysSoWhereNothingIsStarted) {
  FitInput input = Box(1000 * kMiB, 900 * kMiB);
  input.runs.push_back(Running("m", true));
  const FitEstimate estimate = EstimateFit(input);
  EXPECT_TRUE(estimate.fits && estimate.fits_together);
  EXPECT_EQ(estimate.needed_bytes, 0);
  EXPECT_EQ(estimate.sentences.size(), 1u);
}

}  // namespace
}  // namespace hearth::models
