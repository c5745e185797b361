#include "firmware/metrics/process_metrics.h"

#include <unistd.h>

#include <charconv>
#include <fstream>
#include <iterator>
#include <sstream>
#include <vector>

namespace hearth::metrics {
namespace {

namespace fs = std::filesystem;
using Value = ProcessReading::Value;

std::string ReadText(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Value ParseNumber(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Value Divide(const Value& value, double by) { return value ? Value(*value / by) : std::nullopt; }

// proc(5): /proc/<pid>/stat is one line of words; the name in the second may hold blanks and
// brackets.
class Stat {
 public:
  explicit Stat(const std::string& text) {
    const size_t name_end = text.rfind(')');
    if (name_end == std::string::npos) return;
    std::istringstream rest(text.substr(name_end + 1));
    words_.assign(std::istream_iterator<std::string>(rest), {});
  }

  // number: of the field in proc(5), from 3 on.
  Value Field(size_t number) const {
    return number - 3 < words_.size() ? ParseNumber(words_[number - 3]) : std::nullopt;
  }

 private:
  std::vector<std::string> words_;
};

// The number behind `key` in the first line that begins with it; `scale` is its unit.
Value FindLine(const std::string& text, const std::string& key, double scale = 1) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(key)) continue;
    std::istringstream words(line.substr(key.size()));
    std::string number;  // "unlimited" in /proc/<pid>/limits
    words >> number;
    const Value value = ParseNumber(number);
    return value ? Value(*value * scale) : std::nullopt;
  }
  return std::nullopt;
}

Value CountOpenFds(const fs::path& process) {
  std::error_code error;
  double count = 0;
  for (fs::directory_iterator it(process / "fd", error), end; !error && it != end;
       it.increment(error)) {
    ++count;
  }
  if (error) return std::nullopt;
  return count;
}

}  // namespace

ProcessReading ReadProcess(const std::string& pid, const fs::path& proc) {
  const fs::path process = proc / pid;
  const double ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  const Stat stat(ReadText(process / "stat"));
  const std::string limits = ReadText(process / "limits");

  ProcessReading reading;
  const Value user = stat.Field(14), system = stat.Field(15);
  if (user && system) reading.cpu_seconds = (*user + *system) / ticks;
  reading.threads = stat.Field(20);
  const Value boot = FindLine(ReadText(proc / "stat"), "btime ");
  if (const Value start = Divide(stat.Field(22), ticks); start && boot) {
    reading.start_time_seconds = *boot + *start;
  }
  reading.virtual_bytes = stat.Field(23);
  if (const Value pages = stat.Field(24)) {
    reading.resident_bytes = *pages * static_cast<double>(sysconf(_SC_PAGESIZE));
  }
  reading.anonymous_bytes = FindLine(ReadText(process / "status"), "RssAnon:", 1024);
  reading.virtual_max_bytes = FindLine(limits, "Max address space");
  reading.open_fds = CountOpenFds(process);
  if (reading.open_fds && pid == "self") --*reading.open_fds;  // the descriptor of the listing
  reading.max_fds = FindLine(limits, "Max open files");
  return reading;
}

ProcessMetrics::ProcessMetrics(Registry* registry) : registry_(registry) { Update(); }

void ProcessMetrics::Update() {
  const auto set = [this](MetricId id, const Value& value) {
    Metric* const metric = registry_->Get(id);
    registry_->SetExposed(metric, value.has_value());
    if (value) registry_->Set(metric, *value);
  };
  const ProcessReading reading = ReadProcess("self");
  set(MetricId::kProcessCpuSeconds, reading.cpu_seconds);
  set(MetricId::kProcessResidentMemory, reading.resident_bytes);
  set(MetricId::kProcessVirtualMemory, reading.virtual_bytes);
  set(MetricId::kProcessVirtualMemoryMax, reading.virtual_max_bytes);
  set(MetricId::kProcessStartTime, reading.start_time_seconds);
  set(MetricId::kProcessOpenFds, reading.open_fds);
  set(MetricId::kProcessMaxFds, reading.max_fds);
  set(MetricId::kProcessThreads, reading.threads);
}

}  // namespace hearth::metrics
