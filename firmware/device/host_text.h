// Parsers of the kernel's text files. A line that does not have the documented shape is left out.
// Formats: proc(5), Documentation/admin-guide/iostats.rst, Documentation/accounting/psi.rst.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "firmware/device/host_reading.h"

namespace hearth::device {

// A finite number that is the whole of `text`.
std::optional<double> ParseNumber(std::string_view text);

// /proc/stat. ticks_per_second: sysconf(_SC_CLK_TCK).
std::vector<CpuSeconds> ParseCpus(std::string_view stat, double ticks_per_second);
std::optional<double> ParseBootTime(std::string_view stat);

std::optional<LoadAverage> ParseLoadAverage(std::string_view loadavg);
std::map<std::string, double> ParseMemory(std::string_view meminfo);

// A mount of a file system that lives on this box's own disks: statvfs on it cannot wait for a
// network. Sizes are not filled. One entry per file system (bind mounts repeat it), in the order of
// mounting.
std::vector<Filesystem> ParseLocalMounts(std::string_view mountinfo);

// Whole disks of /proc/diskstats: without partitions, loop and RAM devices.
std::vector<Disk> ParseDisks(std::string_view diskstats);
// /proc/net/dev without veth pairs, whose names come and go with containers.
std::vector<NetworkDevice> ParseNetworks(std::string_view net_dev);

// The "some" total of /proc/pressure/<resource>, in seconds.
std::optional<double> ParsePressure(std::string_view pressure);

struct FileHandles {
  double allocated = 0, max = 0;
};
std::optional<FileHandles> ParseFileHandles(std::string_view file_nr);

// os-release(5): values without their quotes.
std::map<std::string, std::string> ParseOsRelease(std::string_view os_release);

// The label `chip` as node_exporter spells it: lower case, what is not a letter, digit, ':' or '_'
// as '_'.
std::string ChipLabel(std::string_view device_path);

}  // namespace hearth::device
