#include "firmware/device/device_metrics.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <map>
#include <thread>

#include "firmware/metrics/name_views.h"
#include "tests/unit/firmware/device/driver_script.h"

namespace hearth::device {
namespace {

// "name{label="value",...}" -> value, of everything the registry shows.
std::map<std::string, double> Shown(const metrics::Registry& registry) {
  std::map<std::string, double> shown;
  const metrics::Snapshot snapshot = registry.TakeSnapshot();
  for (size_t i = 0; i < snapshot.series.size(); ++i) {
    std::string name, labels;
    for (const auto& [label, value] : snapshot.series[i]->labels.pairs()) {
      if (label == "__name__") {
        name = value;
      } else {
        labels += (labels.empty() ? "" : ",") + label + "=\"" + value + "\"";
      }
    }
    shown[name + "{" + labels + "}"] = snapshot.values[i];
  }
  return shown;
}

GpuState TwoGpus() {
  GpuState state;
  state.age_seconds = 0.5;
  for (const int index : {0, 1}) {
    GpuReading gpu;
    gpu.identity = {index,   "GPU-" + std::to_string(index), "NVIDIA A10G", "00000000:00:1E.0",
                    "570.1", static_cast<unsigned>(index)};
    gpu.utilization_ratio = 0.5;
    gpu.memory_used_bytes = 1e9;
    state.identities[index] = gpu.identity;
    state.readings.push_back(gpu);
  }
  return state;
}

TEST(GpuMetrics, NameWhatTheDriverSays) {
  metrics::Registry registry;
  Readings readings(&registry);
  GpuState state = TwoGpus();
  state.readings[1].clocks_event_reasons = 0x24;
  state.readings[1].violation_seconds[1] = 2.5;
  SetGpuMetrics(state, {}, &readings);
  const auto shown = Shown(registry);
  EXPECT_EQ(shown.at("hearth_gpu_reading_age_seconds{}"), 0.5);
  EXPECT_EQ(shown.at("hearth_gpu_utilization_ratio{gpu=\"0\",uuid=\"GPU-0\"}"), 0.5);
  EXPECT_EQ(shown.at("hearth_gpu_info{device=\"nvidia1\",driver_version=\"570.1\",gpu=\"1\","
                     "name=\"NVIDIA A10G\",pci_bus_id=\"00000000:00:1E.0\",uuid=\"GPU-1\"}"),
            1);
  const auto reason = [&](const std::string& name) {
    return shown.at("hearth_gpu_clocks_event_reason{gpu=\"1\",reason=\"" + name +
                    "\",uuid=\"GPU-1\"}");
  };
  EXPECT_EQ(reason("sw_power_cap"), 1);
  EXPECT_EQ(reason("sw_thermal_slowdown"), 1);
  EXPECT_EQ(reason("gpu_idle"), 0);
  const std::string thermal = "{gpu=\"1\",reason=\"thermal\",uuid=\"GPU-1\"}";
  EXPECT_EQ(shown.at("hearth_gpu_violation_seconds_total" + thermal), 2.5);
  // What it does not say has no series.
  EXPECT_FALSE(shown.contains("hearth_gpu_power_watts{gpu=\"0\",uuid=\"GPU-0\"}"));
  EXPECT_EQ(metrics::ViewFact("gpu1.device"), "nvidia1");
}

TEST(GpuMetrics, AreWithdrawnWhenStaleButForIdentityAndXids) {
  metrics::Registry registry;
  Readings readings(&registry);
  GpuState state = TwoGpus();
  state.xids[1] = {{{79, 1}}, 2, 79};
  SetGpuMetrics(state, {}, &readings);
  readings.EndRound();
  state.readings.clear();
  state.age_seconds = 6;
  SetGpuMetrics(state, {}, &readings);
  readings.EndRound();
  const auto shown = Shown(registry);
  EXPECT_FALSE(shown.contains("hearth_gpu_utilization_ratio{gpu=\"0\",uuid=\"GPU-0\"}"));
  EXPECT_EQ(shown.at("hearth_gpu_reading_age_seconds{}"), 6);
  EXPECT_EQ(shown.at("hearth_gpu_xid_errors_total{gpu=\"1\",uuid=\"GPU-1\",xid=\"79\"}"), 1);
  EXPECT_EQ(shown.at("hearth_gpu_xid_errors_total{gpu=\"1\",uuid=\"GPU-1\",xid=\"other\"}"), 2);
  EXPECT_EQ(shown.at("hearth_gpu_last_xid{gpu=\"1\",uuid=\"GPU-1\"}"), 79);
}

TEST(GpuMetrics, GiveEachEngineItsMemory) {
  metrics::Registry registry;
  Readings readings(&registry);
  GpuState state = TwoGpus();
  state.readings[0].processes = {{4711, 3e9}, {1, 5e9}};
  const EngineProcess engines[] = {{"demo", "0", 4711}};
  SetGpuMetrics(state, engines, &readings);
  const auto shown = Shown(registry);
  EXPECT_EQ(shown.at("hearth_engine_gpu_memory_bytes{engine=\"0\",gpu=\"0\",model_name=\"demo\","
                     "uuid=\"GPU-0\"}"),
            3e9);
}

TEST(GpuMetrics, AreShownUnderTheNamesOfDcgm) {
  metrics::Registry registry;
  Readings readings(&registry);
  GpuState state = TwoGpus();
  state.readings[1].memory_used_bytes = 3.0 * 1024 * 1024;
  state.readings[1].energy_joules = 2;
  SetGpuMetrics(state, {}, &readings);
  const std::map<metrics::MetricId, std::pair<std::string, double>> expected = {
      {metrics::MetricId::kGpuUtilization, {"DCGM_FI_DEV_GPU_UTIL", 50}},
      {metrics::MetricId::kGpuMemoryUsed, {"DCGM_FI_DEV_FB_USED", 3}},
      {metrics::MetricId::kGpuEnergy, {"DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", 2000}},
  };
  size_t found = 0;
  const metrics::Snapshot snapshot = registry.TakeSnapshot();
  for (const metrics::NameView& view : metrics::NameViews()) {
    const auto want = expected.find(view.id);
    if (view.view != metrics::View::kDcgm || want == expected.end()) continue;
    for (size_t i = 0; i < snapshot.series.size(); ++i) {
      const auto& labels = snapshot.series[i]->labels;
      const bool is_it = labels.Get("__name__") == metrics::DefOf(view.id).name;
      if (!is_it || labels.Get("gpu") != "1") continue;
      const auto shown = metrics::ViewLabels(view, labels, view.name);
      EXPECT_EQ(shown.Get("__name__"), want->second.first);
      EXPECT_EQ(snapshot.values[i] * view.scale, want->second.second);
      EXPECT_EQ(shown.Get("UUID"), "GPU-1");
      EXPECT_EQ(shown.Get("uuid"), "");
      EXPECT_EQ(shown.Get("modelName"), "NVIDIA A10G");
      EXPECT_EQ(shown.Get("device"), "nvidia1");
      EXPECT_EQ(shown.Get("pci_bus_id"), "00000000:00:1E.0");
      EXPECT_EQ(shown.Get("DCGM_FI_DRIVER_VERSION"), "570.1");
      EXPECT_NE(shown.Get("hostname"), "");
      ++found;
    }
  }
  EXPECT_EQ(found, expected.size());
}

TEST(HostMetrics, NameWhatTheKernelSays) {
  metrics::Registry registry;
  Readings readings(&registry);
  HostReading host;
  host.cpus = {{"0", {1, 2, 3, 4, 5, 6, 7, 8}}};
  host.memory_bytes = {{"MemAvailable", 4096}};
  host.filesystems = {{"/dev/sda1", "ext4", "/", true, 100, 50, 40, 10, 5}};
  host.disks = {{"sda", 1, 2, 3, 4, 5}};
  host.networks = {{"eth0", {1, 2, 3, 4}, {5, 6, 7, 8}}};
  host.hwmon = {{"platform_coretemp_0", "temp1", "coretemp", "Package id 0", 45}};
  host.io_waiting_seconds = 2.5;
  host.os_release = {{"ID", "debian"}};
  SetHostMetrics(host, &readings);
  const auto shown = Shown(registry);
  EXPECT_EQ(shown.at("hearth_host_cpu_seconds_total{cpu=\"0\",mode=\"steal\"}"), 8);
  EXPECT_EQ(shown.at("hearth_host_memory_available_bytes{}"), 4096);
  EXPECT_FALSE(shown.contains("hearth_host_memory_total_bytes{}"));
  const std::string filesystem = "{device=\"/dev/sda1\",fstype=\"ext4\",mountpoint=\"/\"}";
  EXPECT_EQ(shown.at("hearth_host_filesystem_avail_bytes" + filesystem), 40);
  EXPECT_EQ(shown.at("hearth_host_filesystem_readonly" + filesystem), 1);
  EXPECT_EQ(shown.at("hearth_host_disk_written_bytes_total{device=\"sda\"}"), 4);
  EXPECT_EQ(shown.at("hearth_host_network_transmit_drop_total{device=\"eth0\"}"), 8);
  EXPECT_EQ(shown.at("hearth_host_hwmon_temperature_celsius{chip=\"platform_coretemp_0\",sensor="
                     "\"temp1\"}"),
            45);
  EXPECT_EQ(shown.at("hearth_host_pressure_io_waiting_seconds_total{}"), 2.5);
  EXPECT_FALSE(shown.contains("hearth_host_load1{}"));
}

TEST(EngineProcessMetrics, FollowTheProcess) {
  metrics::Registry registry;
  Readings readings(&registry);
  const EngineProcess engines[] = {{"demo", "0", getpid()}};
  SetEngineProcessMetrics(engines, &readings);
  readings.EndRound();
  const std::string threads = "hearth_engine_process_threads{engine=\"0\",model_name=\"demo\"}";
  EXPECT_GE(Shown(registry).at(threads), 1);
  SetEngineProcessMetrics({}, &readings);
  readings.EndRound();
  EXPECT_FALSE(Shown(registry).contains(threads));
}

TEST(Readings, ComeBackAfterTheyWereWithdrawn) {
  metrics::Registry registry;
  Readings readings(&registry);
  using metrics::MetricId;
  for (const bool there : {true, false, false, true}) {
    if (there) readings.Set(MetricId::kHostLoad1, {}, 1);
    readings.EndRound();
    EXPECT_EQ(Shown(registry).contains("hearth_host_load1{}"), there);
  }
}

TEST(Readings, AreBoundedInTheirNumber) {
  metrics::Registry registry;
  Readings readings(&registry);
  using metrics::MetricId;
  for (size_t i = 0; i < kSeriesMax + 10; ++i) {
    readings.Set(MetricId::kHostDiskReadBytes, {"disk" + std::to_string(i)}, 1);
  }
  EXPECT_EQ(Shown(registry).size(), kSeriesMax);
  readings.Set(MetricId::kHostDiskReadBytes, {"disk0"}, 2);  // those known go on
  EXPECT_EQ(Shown(registry).at("hearth_host_disk_read_bytes_total{device=\"disk0\"}"), 2);
}

TEST(DeviceMetrics, ShowDriverAndHost) {
  DriverScript script;
  script.Set("process 0 " + std::to_string(getpid()) + " 1048576\n");
  metrics::Registry registry;
  DeviceMetrics::Options options;
  options.gpus.library = FAKE_NVML;
  DeviceMetrics device(&registry, options);
  const EngineProcess engines[] = {{"demo", "0", getpid()}};
  const std::string uuid = "uuid=\"GPU-00000000-0000-4000-8000-000000000000\"";
  const std::string memory =
      "hearth_engine_gpu_memory_bytes{engine=\"0\",gpu=\"0\",model_name=\"demo\"," + uuid + "}";
  while (!Shown(registry).contains(memory) || !Shown(registry).contains("hearth_host_load1{}")) {
    device.Update(engines);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_EQ(Shown(registry).at(memory), 1048576);
}

}  // namespace
}  // namespace hearth::device
