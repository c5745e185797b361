#include "firmware/device/nvml.h"

#include <gtest/gtest.h>

#include "tests/unit/firmware/device/driver_script.h"

namespace hearth::device {
namespace {

std::vector<GpuReading> ReadAll(const char* library = FAKE_NVML) {
  auto nvml = Nvml::Load(library);
  EXPECT_TRUE(nvml.ok()) << nvml.status().message();
  auto readings = (*nvml)->Read({});
  EXPECT_TRUE(readings.ok()) << readings.status().message();
  return *readings;
}

TEST(Nvml, ReadsWhatTheDriverSaysInBaseUnits) {
  DriverScript script;
  script.Set("utilization 40\nprocess 0 4711 1073741824\n");
  const std::vector<GpuReading> readings = ReadAll();
  ASSERT_EQ(readings.size(), 1u);
  const GpuReading& gpu = readings[0];
  EXPECT_EQ(gpu.identity.index, 0);
  EXPECT_EQ(gpu.identity.name, "NVIDIA A10G");
  EXPECT_EQ(gpu.identity.uuid, "GPU-00000000-0000-4000-8000-000000000000");
  EXPECT_EQ(gpu.identity.pci_bus_id, "00000000:00:1E.0");
  EXPECT_EQ(gpu.identity.driver_version, "570.86.15");
  EXPECT_EQ(gpu.identity.minor_number, 0u);
  EXPECT_EQ(gpu.utilization_ratio, 0.4);
  EXPECT_EQ(gpu.memory_utilization_ratio, 0.3);
  EXPECT_EQ(gpu.encoder_utilization_ratio, 0);
  EXPECT_EQ(gpu.decoder_utilization_ratio, 0);
  EXPECT_EQ(gpu.sm_clock_hertz, 1710e6);
  EXPECT_EQ(gpu.memory_clock_hertz, 6251e6);
  EXPECT_EQ(gpu.temperature_celsius, 42);
  EXPECT_EQ(gpu.power_watts, 96);
  EXPECT_EQ(gpu.power_limit_watts, 300);
  EXPECT_GE(gpu.energy_joules, 5e6);
  EXPECT_EQ(gpu.performance_state, 0);
  EXPECT_EQ(gpu.pcie_link_generation, 4);
  EXPECT_EQ(gpu.pcie_link_width, 16);
  EXPECT_EQ(gpu.pcie_replays, 0);
  EXPECT_EQ(gpu.pcie_transmit_bytes_per_second, 6e6);
  EXPECT_EQ(gpu.pcie_receive_bytes_per_second, 48e6);
  EXPECT_EQ(gpu.remapped_rows_correctable, 2);
  EXPECT_EQ(gpu.remapped_rows_uncorrectable, 1);
  EXPECT_EQ(gpu.row_remap_pending, 0);
  EXPECT_EQ(gpu.row_remap_failed, 0);
  EXPECT_EQ(gpu.ecc_volatile_corrected, 0);
  EXPECT_EQ(gpu.ecc_aggregate_corrected, 3);
  EXPECT_EQ(gpu.ecc_aggregate_uncorrected, 0);
  EXPECT_EQ(gpu.clocks_event_reasons, 0x4u);
}

TEST(Nvml, SplitsMemoryIntoFreeUsedAndReserved) {
  DriverScript script;
  script.Set("process 0 4711 1073741824\n");
  const GpuReading gpu = ReadAll().at(0);
  EXPECT_EQ(gpu.memory_used_bytes, 1028.0 * 1024 * 1024);
  EXPECT_EQ(gpu.memory_reserved_bytes, 512.0 * 1024 * 1024);
  EXPECT_EQ(*gpu.memory_free_bytes + *gpu.memory_used_bytes + *gpu.memory_reserved_bytes,
            gpu.memory_total_bytes);
}

TEST(Nvml, TellsWhatHeldTheClocksDown) {
  DriverScript script;
  const GpuReading gpu = ReadAll().at(0);
  const std::array<GpuReading::Value, kViolations.size()> expected = {2.5, 0, 0, 0, 0, 1.5, 0};
  EXPECT_EQ(gpu.violation_seconds, expected);
}

TEST(Nvml, TakesTheSuccessorsOfAViolationStatusThatIsGone) {
  DriverScript script;
  script.Set("fail nvmlDeviceGetViolationStatus 13\n");
  const GpuReading gpu = ReadAll().at(0);
  EXPECT_EQ(gpu.violation_seconds[0], std::nullopt);  // this driver has no field 74 either
  EXPECT_EQ(gpu.violation_seconds[5], 1.5);
}

TEST(Nvml, LeavesOutWhatTheBoardCannotSay) {
  DriverScript script;
  script.Set("fail nvmlDeviceGetPowerUsage 3\nfail nvmlDeviceGetTotalEccErrors 3\n");
  const GpuReading gpu = ReadAll().at(0);
  EXPECT_EQ(gpu.power_watts, std::nullopt);
  EXPECT_EQ(gpu.ecc_volatile_uncorrected, std::nullopt);
  EXPECT_EQ(gpu.fan_ratio, std::nullopt);
  EXPECT_EQ(gpu.memory_temperature_celsius, std::nullopt);
  EXPECT_EQ(gpu.power_limit_watts, 300);
}

TEST(Nvml, LeavesOutWhatAnOldDriverDoesNotKnow) {
  DriverScript script;
  script.Set("utilization 40\nprocess 0 4711 1073741824\n");
  const GpuReading gpu = ReadAll(FAKE_NVML_OLD).at(0);
  EXPECT_EQ(gpu.memory_reserved_bytes, std::nullopt);
  EXPECT_EQ(gpu.remapped_rows_correctable, std::nullopt);
  EXPECT_EQ(*gpu.memory_free_bytes + *gpu.memory_used_bytes, gpu.memory_total_bytes);
  EXPECT_EQ(gpu.clocks_event_reasons, 0x4u);  // under its old name
  ASSERT_TRUE(gpu.processes.has_value());
  ASSERT_EQ(gpu.processes->size(), 1u);
  EXPECT_EQ(gpu.processes->at(0).pid, 4711);
}

TEST(Nvml, ReadsTheProcessListOfEveryDriver) {
  for (const int stride : {16, 24, 32}) {
    DriverScript script;
    script.Set("gpus 2\nprocess 0 4711 1073741824\nprocess 0 4712 2048\nprocess 1 4713 4096\n" +
               std::string("process_stride ") + std::to_string(stride) + "\n");
    const std::vector<GpuReading> readings = ReadAll();
    ASSERT_EQ(readings.size(), 2u);
    ASSERT_EQ(readings[0].processes->size(), 2u) << stride;
    EXPECT_EQ(readings[0].processes->at(0).pid, 4711);
    EXPECT_EQ(readings[0].processes->at(0).memory_bytes, 1073741824);
    EXPECT_EQ(readings[0].processes->at(1).pid, 4712);
    EXPECT_EQ(readings[0].processes->at(1).memory_bytes, 2048);
    ASSERT_EQ(readings[1].processes->size(), 1u);
    EXPECT_EQ(readings[1].processes->at(0).pid, 4713);
  }
}

TEST(Nvml, LeavesOutAProcessListOfAnUnknownShape) {
  DriverScript script;
  script.Set("process 0 4711 1073741824\nprocess_stride 28\n");
  EXPECT_EQ(ReadAll().at(0).processes, std::nullopt);
}

TEST(Nvml, LeavesOutMemoryThatTheDriverCallsNotAvailable) {
  DriverScript script;
  script.Set("process 0 4711 18446744073709551615\nprocess 0 4712 4096\n");
  const GpuReading gpu = ReadAll().at(0);
  ASSERT_EQ(gpu.processes->size(), 1u);
  EXPECT_EQ(gpu.processes->at(0).pid, 4712);
}

TEST(Nvml, ShowsTheOtherGpusWhenOneIsLost) {
  DriverScript script;
  script.Set("gpus 2\nlost 0\n");
  const std::vector<GpuReading> readings = ReadAll();
  ASSERT_EQ(readings.size(), 1u);
  EXPECT_EQ(readings[0].identity.index, 1);
}

TEST(Nvml, SaysWhyThereIsNoDriver) {
  const auto absent = Nvml::Load("/nonexistent/libnvidia-ml.so.1");
  EXPECT_EQ(absent.status().code(), StatusCode::kNotFound);

  DriverScript script;
  script.Set("fail nvmlInit_v2 9\n");
  const auto stopped = Nvml::Load(FAKE_NVML);
  EXPECT_EQ(stopped.status().code(), StatusCode::kUnavailable);
  EXPECT_NE(stopped.status().message().find("nvmlInit_v2 gave NVML error 9"), std::string::npos);
}

TEST(Nvml, SaysThatTheDriverStoppedAnswering) {
  DriverScript script;
  auto nvml = Nvml::Load(FAKE_NVML);
  ASSERT_TRUE(nvml.ok());
  script.Set("fail nvmlDeviceGetCount_v2 15\n");
  EXPECT_EQ((*nvml)->Read({}).status().code(), StatusCode::kUnavailable);
}

TEST(Nvml, DeliversXidEventsOfTheRightGpu) {
  DriverScript script;
  script.Set("gpus 2\n");
  script.FireXid(0, 13);  // before anybody listens
  auto nvml = Nvml::Load(FAKE_NVML);
  ASSERT_TRUE(nvml.ok());
  EXPECT_EQ((*nvml)->StartXidEvents(), (std::vector<int>{0, 1}));
  const auto nothing = (*nvml)->WaitForXid(std::chrono::milliseconds(0));
  ASSERT_TRUE(nothing.ok());
  EXPECT_FALSE(nothing->has_value());
  script.FireXid(1, 79);
  const auto event = (*nvml)->WaitForXid(std::chrono::milliseconds(10'000));
  ASSERT_TRUE(event.ok());
  ASSERT_TRUE(event->has_value());
  EXPECT_EQ((*event)->gpu, 1);
  EXPECT_EQ((*event)->xid, 79u);
}

}  // namespace
}  // namespace hearth::device
