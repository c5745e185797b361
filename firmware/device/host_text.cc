#include "firmware/device/host_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>

namespace hearth::device {
namespace {

using Words = std::vector<std::string_view>;

constexpr double kSectorBytes = 512;  // of /proc/diskstats, whatever the disk's own

Words SplitWords(std::string_view line) {
  constexpr std::string_view kBlank = " \t";
  Words words;
  while (true) {
    const size_t begin = line.find_first_not_of(kBlank);
    if (begin == std::string_view::npos) return words;
    const size_t end = std::min(line.find_first_of(kBlank, begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    line.remove_prefix(end);
  }
}

std::vector<std::string_view> SplitLines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// `count` numbers from words[first] on; nullopt when there are fewer.
std::optional<std::vector<double>> Numbers(const Words& words, size_t first, size_t count) {
  if (words.size() < first + count) return std::nullopt;
  std::vector<double> numbers;
  for (size_t i = first; i < first + count; ++i) {
    const auto number = ParseNumber(words[i]);
    if (!number) return std::nullopt;
    numbers.push_back(*number);
  }
  return numbers;
}

bool IsDigits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// The mount table writes blanks and backslashes of a path as \ooo.
std::string Unescape(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned code = 0;
    const char* const digits = text.data() + i + 1;
    if (text[i] == '\\' && i + 3 < text.size() &&
        std::from_chars(digits, digits + 3, code, 8).ptr == digits + 3) {
      plain += static_cast<char>(code);
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

// On disks of this box. overlay: the root of a container.
bool IsLocalType(std::string_view fstype) {
  constexpr std::string_view kLocalTypes[] = {"ext2", "ext3", "ext4",  "xfs",  "btrfs",
                                              "f2fs", "zfs",  "jfs",   "vfat", "bcachefs",
                                              "ntfs", "ntfs3", "exfat", "overlay"};
  return std::ranges::find(kLocalTypes, fstype) != std::end(kLocalTypes);
}

struct Mount {
  std::string_view file_system;  // "major:minor"
  std::string_view root;         // what of the file system is mounted; "/" is all
  Filesystem entry;

  // The mount that names a file system best: all of it, as near to the root as can be.
  bool NamesBetterThan(const Mount& other) const {
    if ((root == "/") != (other.root == "/")) return root == "/";
    return entry.mountpoint.size() < other.entry.mountpoint.size();
  }
};

// "36 35 98:0 /root /mount/point rw,noatime master:1 - ext4 /dev/sda1 rw,errors=continue"
std::optional<Mount> ParseMount(std::string_view line) {
  const Words words = SplitWords(line);
  const auto separator = std::ranges::find(words, "-");
  if (separator - words.begin() < 6 || words.end() - separator < 4) return std::nullopt;
  const std::string_view fstype = separator[1];
  const std::string_view super_options = separator[3];
  if (!IsLocalType(fstype)) return std::nullopt;
  Mount mount{words[2], words[3], {}};
  mount.entry.mountpoint = Unescape(words[4]);
  mount.entry.fstype = fstype;
  mount.entry.device = Unescape(separator[2]);
  mount.entry.readonly = super_options == "ro" || super_options.starts_with("ro,");
  return mount;
}

bool IsWholeDisk(std::string_view name) {
  for (const std::string_view prefix : {"loop", "ram", "zram", "fd", "sr"}) {
    if (name.starts_with(prefix) && IsDigits(name.substr(prefix.size()))) return false;
  }
  const size_t number = name.find_last_not_of("0123456789") + 1;
  if (number == name.size()) return true;
  const std::string_view stem = name.substr(0, number);
  // nvme0n1p1, mmcblk0p1, md0p1: a digit, p, a number.
  if (stem.size() >= 2 && stem.back() == 'p' && IsDigits(stem.substr(stem.size() - 2, 1))) {
    return false;
  }
  // sda1: letters, a number.
  for (const std::string_view prefix : {"sd", "hd", "vd", "xvd"}) {
    if (stem.starts_with(prefix)) return false;
  }
  return true;
}

}  // namespace

std::optional<double> ParseNumber(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

std::vector<CpuSeconds> ParseCpus(std::string_view stat, double ticks_per_second) {
  std::vector<CpuSeconds> cpus;
  for (const std::string_view line : SplitLines(stat)) {
    const Words words = SplitWords(line);
    if (words.empty() || !words[0].starts_with("cpu") || !IsDigits(words[0].substr(3))) continue;
    const auto ticks = Numbers(words, 1, kCpuModes.size());
    if (!ticks || cpus.size() == kCpusMax) continue;
    CpuSeconds& cpu = cpus.emplace_back();
    cpu.cpu = words[0].substr(3);
    std::ranges::transform(*ticks, cpu.modes.begin(),
                           [=](double count) { return count / ticks_per_second; });
  }
  return cpus;
}

std::optional<double> ParseBootTime(std::string_view stat) {
  for (const std::string_view line : SplitLines(stat)) {
    const Words words = SplitWords(line);
    if (words.size() == 2 && words[0] == "btime") return ParseNumber(words[1]);
  }
  return std::nullopt;
}

std::optional<LoadAverage> ParseLoadAverage(std::string_view loadavg) {
  const auto lines = SplitLines(loadavg);
  const auto numbers = lines.empty() ? std::nullopt : Numbers(SplitWords(lines[0]), 0, 3);
  if (!numbers) return std::nullopt;
  return LoadAverage{(*numbers)[0], (*numbers)[1], (*numbers)[2]};
}

std::map<std::string, double> ParseMemory(std::string_view meminfo) {
  std::map<std::string, double> bytes;
  for (const std::string_view line : SplitLines(meminfo)) {
    const Words words = SplitWords(line);  // "MemTotal:", "16316412", "kB"
    if (words.size() != 3 || words[2] != "kB" || !words[0].ends_with(":")) continue;
    const std::string_view word = words[0].substr(0, words[0].size() - 1);
    const auto kibibytes = ParseNumber(words[1]);
    if (kibibytes && std::ranges::find(kMemoryWords, word) != kMemoryWords.end()) {
      bytes[std::string(word)] = *kibibytes * 1024;
    }
  }
  return bytes;
}

std::vector<Filesystem> ParseLocalMounts(std::string_view mountinfo) {
  std::vector<Mount> mounts;
  for (const std::string_view line : SplitLines(mountinfo)) {
    auto mount = ParseMount(line);
    if (!mount) continue;
    const auto same = std::ranges::find(mounts, mount->file_system, &Mount::file_system);
    if (same == mounts.end()) {
      if (mounts.size() < kDevicesMax) mounts.push_back(std::move(*mount));
    } else if (mount->NamesBetterThan(*same)) {
      *same = std::move(*mount);
    }
  }
  std::vector<Filesystem> filesystems;
  for (Mount& mount : mounts) filesystems.push_back(std::move(mount.entry));
  return filesystems;
}

std::vector<Disk> ParseDisks(std::string_view diskstats) {
  std::vector<Disk> disks;
  for (const std::string_view line : SplitLines(diskstats)) {
    const Words words = SplitWords(line);
    // major minor name | reads merged sectors ms | writes merged sectors ms | in flight, io ms
    const auto fields = Numbers(words, 3, 10);
    if (!fields || !IsWholeDisk(words[2]) || disks.size() == kDevicesMax) continue;
    const std::vector<double>& f = *fields;
    disks.push_back({.device = std::string(words[2]),
                     .reads_completed = f[0],
                     .writes_completed = f[4],
                     .read_bytes = f[2] * kSectorBytes,
                     .written_bytes = f[6] * kSectorBytes,
                     .io_time_seconds = f[9] / 1000});
  }
  return disks;
}

std::vector<NetworkDevice> ParseNetworks(std::string_view net_dev) {
  std::vector<NetworkDevice> networks;
  for (const std::string_view line : SplitLines(net_dev)) {
    const size_t colon = line.rfind(':');  // an alias "eth0:1" has one of its own
    if (colon == std::string_view::npos) continue;
    const Words name = SplitWords(line.substr(0, colon));
    // bytes packets errs drop fifo frame compressed multicast, then the same eight for transmit
    const auto fields = Numbers(SplitWords(line.substr(colon + 1)), 0, 16);
    if (name.size() != 1 || name[0].starts_with("veth") || !fields ||
        networks.size() == kDevicesMax) {
      continue;
    }
    const std::vector<double>& f = *fields;
    networks.push_back({.device = std::string(name[0]),
                        .receive = {f[0], f[1], f[2], f[3]},
                        .transmit = {f[8], f[9], f[10], f[11]}});
  }
  return networks;
}

std::optional<double> ParsePressure(std::string_view pressure) {
  for (const std::string_view line : SplitLines(pressure)) {
    const Words words = SplitWords(line);  // some avg10=0.00 avg60=0.00 avg300=0.00 total=12345
    constexpr std::string_view kTotal = "total=";
    if (words.empty() || words[0] != "some" || !words.back().starts_with(kTotal)) continue;
    const auto microseconds = ParseNumber(words.back().substr(kTotal.size()));
    if (microseconds) return *microseconds / 1e6;
  }
  return std::nullopt;
}

std::optional<FileHandles> ParseFileHandles(std::string_view file_nr) {
  const auto lines = SplitLines(file_nr);
  const auto numbers = lines.empty() ? std::nullopt : Numbers(SplitWords(lines[0]), 0, 3);
  if (!numbers) return std::nullopt;
  return FileHandles{(*numbers)[0], (*numbers)[2]};
}

std::map<std::string, std::string> ParseOsRelease(std::string_view os_release) {
  std::map<std::string, std::string> values;
  for (const std::string_view line : SplitLines(os_release)) {
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos || equals == 0 || line[0] == '#') continue;
    std::string_view value = line.substr(equals + 1);
    if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
        value.back() == value.front()) {
      value = value.substr(1, value.size() - 2);
    }
    values[std::string(line.substr(0, equals))] = value;
  }
  return values;
}

std::string ChipLabel(std::string_view device_path) {
  const auto label = [](std::string_view name) {
    std::string clean;
    for (const char c : name) {
      const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      const bool kept = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9') ||
                        lower == ':' || lower == '_';
      clean += kept ? lower : '_';
    }
    const size_t begin = std::min(clean.find_first_not_of('_'), clean.size());
    return clean.substr(begin, clean.find_last_not_of('_') + 1 - begin);
  };
  const size_t slash = device_path.rfind('/');
  if (slash == std::string_view::npos) return label(device_path);
  const std::string name = label(device_path.substr(slash + 1));
  std::string_view parent = device_path.substr(0, slash);
  parent.remove_prefix(parent.rfind('/') + 1);  // npos + 1 is 0
  const std::string bus = label(parent);
  return bus.empty() ? name : bus + "_" + name;
}

}  // namespace hearth::device
