#include "firmware/metrics/model_observer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "firmware/metrics/exposition.h"

namespace hearth::metrics {
namespace {

class ModelObserverTest : public ::testing::Test {
 protected:
  // The value of the recorded series whose text starts with `name`, NaN when there is none.
  double Value(const std::string& name) {
    const Snapshot snapshot = registry_.TakeSnapshot();
    for (size_t i = 0; i < snapshot.series.size(); ++i) {
      if (SeriesText(snapshot.series[i]->labels).rfind(name, 0) == 0) return snapshot.values[i];
    }
    return std::nan("");
  }

  static protocol::Ready Engine(int num_blocks) {
    protocol::Ready ready;
    ready.architecture = "Qwen2ForCausalLM";
    ready.device = "cpu";
    ready.block_size = 16;
    ready.num_blocks = num_blocks;
    ready.weight_bytes = 1000;
    return ready;
  }

  Registry registry_;
  ModelObserver observer_{&registry_, "m"};
};

TEST_F(ModelObserverTest, AddsUpWhatItsEnginesHold) {
  observer_.OnReading({.state = "ready", .engines = {Engine(10), Engine(5)}});
  EXPECT_EQ(Value("hearth_kv_cache_capacity_tokens"), 240);
  EXPECT_EQ(Value("hearth_model_memory_bytes{kind=\"weights\""), 2000);
  EXPECT_EQ(Value("hearth_model_info"), 1);
  EXPECT_EQ(Value("hearth_model_state{model_name=\"m\",state=\"ready\""), 1);
  observer_.OnReading({.state = "ready", .engines = {Engine(5)}});
  EXPECT_EQ(Value("hearth_kv_cache_capacity_tokens"), 80);
}

TEST_F(ModelObserverTest, WithdrawsWhatIsOnlyTrueOfAModelInMemory) {
  observer_.OnReading({.state = "ready", .engines = {Engine(10)}});
  observer_.OnReading({.state = "asleep", .engines = {}});
  EXPECT_TRUE(std::isnan(Value("hearth_kv_cache_capacity_tokens")));
  EXPECT_TRUE(std::isnan(Value("hearth_model_info")));
  EXPECT_EQ(Value("hearth_model_state{model_name=\"m\",state=\"asleep\""), 1);
  EXPECT_EQ(Value("hearth_model_state{model_name=\"m\",state=\"ready\""), 0);
}

TEST_F(ModelObserverTest, CountsWakesAndHowLongTheyTook) {
  EXPECT_EQ(Value("hearth_model_wakes_total"), 0);
  observer_.OnWakeBegun();
  observer_.OnAwake(0.3);
  observer_.OnGaveWay();
  EXPECT_EQ(Value("hearth_model_wakes_total"), 1);
  EXPECT_DOUBLE_EQ(Value("hearth_model_wake_duration_seconds_sum"), 0.3);
  EXPECT_EQ(Value("hearth_model_evictions_total"), 1);
}

}  // namespace
}  // namespace hearth::metrics
