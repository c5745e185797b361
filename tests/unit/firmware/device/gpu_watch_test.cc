#include "firmware/device/gpu_watch.h"

#include <gtest/gtest.h>

#include <future>

#include "tests/unit/firmware/device/driver_script.h"

namespace hearth::device {
namespace {

using std::chrono::milliseconds;

GpuWatch::Options FastOptions(const char* library = FAKE_NVML) {
  GpuWatch::Options options;
  options.library = library;
  options.interval = milliseconds(5);
  options.retry_interval = milliseconds(5);
  options.stop_grace = std::chrono::hours(1);  // an end that hangs is seen
  return options;
}

// Waits without a limit of its own for what must come; the test runner has one.
template <typename Condition>
GpuState Until(const GpuWatch& watch, Condition condition) {
  while (true) {
    GpuState state = watch.Latest();
    if (condition(state)) return state;
    std::this_thread::sleep_for(milliseconds(2));
  }
}

// For a driver that hangs: the end does not wait.
GpuWatch::Options HungOptions() {
  GpuWatch::Options options = FastOptions();
  options.stop_grace = milliseconds(10);
  return options;
}

bool HasReadings(const GpuState& state) { return !state.readings.empty(); }

TEST(GpuWatch, ShowsTheReadingsOfTheLastPass) {
  DriverScript script;
  script.Set("utilization 40\n");
  const GpuWatch watch(FastOptions());
  const GpuState first = Until(watch, HasReadings);
  EXPECT_EQ(first.readings[0].utilization_ratio, 0.4);
  EXPECT_TRUE(first.age_seconds.has_value());
  EXPECT_EQ(first.identities.at(0).name, "NVIDIA A10G");
  script.Set("utilization 70\n");
  Until(watch, [](const GpuState& state) {
    return HasReadings(state) && state.readings[0].utilization_ratio == 0.7;
  });
}

TEST(GpuWatch, RepeatsThePcieThroughputBetweenItsReadings) {
  DriverScript script;
  GpuWatch::Options options = FastOptions();
  options.passes_per_pcie_reading = 1 << 30;  // the first pass only
  const GpuWatch watch(options);
  Until(watch, HasReadings);
  script.Set("utilization 70\n");
  const GpuState state = Until(watch, [](const GpuState& later) {
    return HasReadings(later) && later.readings[0].utilization_ratio == 0.7;
  });
  EXPECT_TRUE(state.readings[0].pcie_transmit_bytes_per_second.has_value());
  EXPECT_TRUE(state.readings[0].pcie_receive_bytes_per_second.has_value());
}

TEST(GpuWatch, IsEmptyWithoutADriver) {
  const GpuWatch watch(FastOptions("/nonexistent/libnvidia-ml.so.1"));
  const GpuState state = watch.Latest();
  EXPECT_TRUE(state.readings.empty());
  EXPECT_TRUE(state.identities.empty());
  EXPECT_TRUE(state.xids.empty());
  EXPECT_FALSE(state.age_seconds.has_value());
}

TEST(GpuWatch, FindsADriverThatStartsLater) {
  DriverScript script;
  script.Set("fail nvmlInit_v2 9\n");
  const GpuWatch watch(FastOptions());
  EXPECT_TRUE(watch.Latest().readings.empty());
  script.Set("");
  Until(watch, [](const GpuState& state) { return HasReadings(state) && state.xids.contains(0); });
}

TEST(GpuWatch, WithdrawsReadingsThatAreStale) {
  DriverScript script;
  const GpuWatch watch(FastOptions());
  Until(watch, HasReadings);
  script.Set("fail nvmlDeviceGetCount_v2 15\n");
  const GpuState later = watch.Latest(GpuWatch::Clock::now() + std::chrono::hours(1));
  EXPECT_TRUE(later.readings.empty());
  EXPECT_GE(later.age_seconds, 3600);
  EXPECT_EQ(later.identities.size(), 1u);
}

TEST(GpuWatch, CountsXidsByGpuAndCode) {
  DriverScript script;
  script.Set("gpus 2\n");
  const GpuWatch watch(FastOptions());
  const GpuState quiet = Until(watch, [](const GpuState& state) { return state.xids.size() == 2; });
  EXPECT_EQ(quiet.xids.at(0).last, 0u);
  script.FireXid(1, 31);
  script.FireXid(1, 79);
  script.FireXid(1, 31);
  const GpuState state = Until(watch, [](const GpuState& later) {
    const auto& codes = later.xids.at(1).by_code;
    return codes.contains(31) && codes.at(31) == 2;
  });
  EXPECT_EQ(state.xids.at(1).by_code, (std::map<uint64_t, uint64_t>{{31, 2}, {79, 1}}));
  EXPECT_EQ(state.xids.at(1).last, 31u);
  EXPECT_TRUE(state.xids.at(0).by_code.empty());
}

TEST(GpuWatch, BoundsTheCodesItTellsApart) {
  DriverScript script;
  const GpuWatch watch(FastOptions());
  Until(watch, [](const GpuState& state) { return state.xids.contains(0); });
  const int codes = static_cast<int>(kXidsMax) + 3;
  for (int code = 1; code <= codes; ++code) script.FireXid(0, code);
  const GpuState state = Until(watch, [&](const GpuState& later) {
    return later.xids.at(0).last == static_cast<uint64_t>(codes);
  });
  EXPECT_EQ(state.xids.at(0).by_code.size(), kXidsMax);
  EXPECT_EQ(state.xids.at(0).uncounted, 3u);
}

size_t CountThreads() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<size_t>(std::distance(begin(tasks), end(tasks)));
}

// Lets the hung calls go and waits for the threads that were left behind: they must not meet the
// next test.
void LetGo(const DriverScript& script, size_t threads_before) {
  script.Set("");
  while (CountThreads() > threads_before) std::this_thread::sleep_for(milliseconds(2));
}

void AwaitHang(const DriverScript& script) {
  while (!script.Hung()) std::this_thread::sleep_for(milliseconds(2));
}

class HungDriver : public testing::TestWithParam<const char*> {};

TEST_P(HungDriver, HoldsUpNeitherReadersNorTheEnd) {
  const size_t threads_before = CountThreads();
  DriverScript script;
  auto watch = std::make_unique<GpuWatch>(HungOptions());
  Until(*watch, [](const GpuState& state) { return HasReadings(state) && state.xids.contains(0); });
  script.Set(std::string("hang ") + GetParam() + "\n");
  if (std::string_view(GetParam()) != "nvmlShutdown") AwaitHang(script);
  EXPECT_TRUE(watch->Latest(GpuWatch::Clock::now() + std::chrono::hours(1)).readings.empty());
  watch.reset();  // returns, or the test runner's limit ends this
  AwaitHang(script);
  LetGo(script, threads_before);
}

INSTANTIATE_TEST_SUITE_P(Calls, HungDriver,
                         testing::Values("nvmlDeviceGetCount_v2", "nvmlDeviceGetPowerUsage",
                                         "nvmlEventSetWait_v2", "nvmlShutdown"),
                         [](const auto& test) { return std::string(test.param); });

TEST(GpuWatch, SurvivesADriverThatHangsFromTheStart) {
  const size_t threads_before = CountThreads();
  DriverScript script;
  script.Set("hang nvmlInit_v2\n");
  {
    const GpuWatch watch(HungOptions());
    AwaitHang(script);
    EXPECT_TRUE(watch.Latest().readings.empty());
  }
  LetGo(script, threads_before);
}

TEST(GpuWatch, ReadsOnWhileTheXidListenerHangs) {
  DriverScript script;
  script.Set("hang nvmlEventSetWait_v2\nutilization 40\n");
  const GpuWatch watch(FastOptions());
  Until(watch, HasReadings);
  script.Set("hang nvmlEventSetWait_v2\nutilization 70\n");
  Until(watch, [](const GpuState& state) {
    return HasReadings(state) && state.readings[0].utilization_ratio == 0.7;
  });
  script.Set("");
}

TEST(DriverThread, LeavesAStuckBodyWithWhatItOwns) {
  auto release = std::make_shared<std::promise<void>>();
  auto owned = std::make_shared<int>(1);
  std::weak_ptr<int> alive = owned;
  {
    const DriverThread thread(
        [release, owned = std::move(owned)](StopSignal*) { release->get_future().wait(); },
        milliseconds(1));
  }
  EXPECT_FALSE(alive.expired());
  release->set_value();
  while (!alive.expired()) std::this_thread::sleep_for(milliseconds(1));
}

TEST(DriverThread, EndsABodyThatListens) {
  std::atomic<bool> ended = false;
  {
    const DriverThread thread([&ended](StopSignal* stop) {
      while (!stop->WaitFor(std::chrono::hours(1))) {
      }
      ended = true;
    }, std::chrono::hours(1));
  }
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace hearth::device
