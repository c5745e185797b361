// The box as a node of a cluster: what Ray's dashboard agent and the production stack's router call it.
#include <array>

#include "firmware/metrics/name_view_rows.h"

namespace hearth::metrics {
namespace {

using enum MetricId;
constexpr View kRay = View::kRay;
constexpr View kRouter = View::kRouter;

constexpr double kPercent = 100;
constexpr double kMegabytes = 1e-6;

// Ray labels a GPU's readings with its index and name alone.
void ToRayGpu(promql::Labels& labels) {
  labels.Set("GpuIndex", labels.Get("gpu"));
  labels.Set("GpuDeviceName", ViewFact("gpu" + labels.Get("gpu") + ".name"));
  labels.Set("gpu", "");
  labels.Set("uuid", "");
}

constexpr std::string_view kRayGpuTouched[] = {"GpuIndex", "GpuDeviceName", "gpu", "uuid"};
constexpr LabelChange kRayGpuLabels{&ToRayGpu, kRayGpuTouched};

constexpr std::array kRows = {
    ViewRow{kRay, kHostCpuUtilization, "ray_node_cpu_utilization", nullptr, kPercent, {},
            "CPU utilization of the node, in percent."},
    ViewRow{kRay, kHostMemoryUsed, "ray_node_mem_used", nullptr, 1, {}, "Memory used, in bytes."},
    ViewRow{kRay, kHostMemoryTotal, "ray_node_mem_total", nullptr, 1, {},
            "Memory installed, in bytes."},
    ViewRow{kRay, kHostDiskUsed, "ray_node_disk_usage", nullptr, 1, {}, "Disk used, in bytes."},
    ViewRow{kRay, kHostDiskFree, "ray_node_disk_free", nullptr, 1, {}, "Disk free, in bytes."},
    ViewRow{kRay, kHostNetworkReceiveRate, "ray_node_network_receive_speed", nullptr, 1, {},
            "Network receive speed, in bytes per second."},
    ViewRow{kRay, kHostNetworkTransmitRate, "ray_node_network_send_speed", nullptr, 1, {},
            "Network send speed, in bytes per second."},
    ViewRow{kRay, kGpuUtilization, "ray_node_gpus_utilization", &kRayGpuLabels, kPercent, {},
            "GPU utilization, in percent."},
    ViewRow{kRay, kGpuMemoryUsed, "ray_node_gram_used", &kRayGpuLabels, kMegabytes, {},
            "GPU memory used, in MB."},
    ViewRow{kRay, kGpuMemoryFree, "ray_node_gram_available", &kRayGpuLabels, kMegabytes, {},
            "GPU memory available, in MB."},
    ViewRow{kRay, kHostProcessors, "autoscaler_cluster_resources", nullptr, 1, {},
            "Resources of the cluster, which is this box."},
    ViewRow{kRouter, kHostCpuUtilization, "router_cpu_usage_percent", nullptr, kPercent, {},
            "CPU usage, in percent."},
    ViewRow{kRouter, kHostMemoryUsedRatio, "router_memory_usage_percent", nullptr, kPercent, {},
            "Memory usage, in percent."},
    ViewRow{kRouter, kHostDiskUsedRatio, "router_disk_usage_percent", nullptr, kPercent, {},
            "Disk usage, in percent."},
};

}  // namespace

std::span<const ViewRow> ClusterViewRows() { return kRows; }

}  // namespace hearth::metrics
