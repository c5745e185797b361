#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "firmware/metrics/process_metrics.h"

namespace hearth::metrics {
namespace {

namespace fs = std::filesystem;

class Proc {
 public:
  Proc() {
    std::string pattern = (fs::temp_directory_path() / "proc-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
    fs::create_directories(path_ / "4711/fd");
  }
  ~Proc() { fs::remove_all(path_); }

  const fs::path& path() const { return path_; }
  void Put(const fs::path& file, const std::string& text) const {
    std::ofstream(path_ / file) << text;
  }

 private:
  fs::path path_;
};

TEST(ProcessReading, TakesAnEngineApart) {
  const Proc proc;
  proc.Put("stat", "cpu 1 2\nbtime 1000\n");
  // The name holds what else ends it.
  proc.Put("4711/stat",
           "4711 (an ) engine) S 1 2 3 4 5 6 7 8 9 10 250 150 13 14 15 16 9 18 500 4096000 25\n");
  proc.Put("4711/status", "Name:\tx\nVmRSS:\t9 kB\nRssAnon:\t     12 kB\n");
  proc.Put("4711/limits",
           "Limit                     Soft Limit           Hard Limit           Units     \n"
           "Max open files            1024                 1048576              files     \n"
           "Max address space         unlimited            unlimited            bytes     \n");
  proc.Put("4711/fd/0", "");
  proc.Put("4711/fd/1", "");
  const ProcessReading reading = ReadProcess("4711", proc.path());
  const double ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  EXPECT_EQ(reading.cpu_seconds, 400 / ticks);
  EXPECT_EQ(reading.threads, 9);
  EXPECT_EQ(reading.start_time_seconds, 1000 + 500 / ticks);
  EXPECT_EQ(reading.virtual_bytes, 4096000);
  EXPECT_EQ(reading.resident_bytes, 25 * static_cast<double>(sysconf(_SC_PAGESIZE)));
  EXPECT_EQ(reading.anonymous_bytes, 12 * 1024);
  EXPECT_EQ(reading.open_fds, 2);
  EXPECT_EQ(reading.max_fds, 1024);
  EXPECT_EQ(reading.virtual_max_bytes, std::nullopt);
}

TEST(ProcessReading, IsEmptyForAProcessThatEnded) {
  const Proc proc;
  const ProcessReading reading = ReadProcess("1", proc.path());
  EXPECT_FALSE(reading.cpu_seconds || reading.resident_bytes || reading.anonymous_bytes ||
               reading.virtual_bytes || reading.virtual_max_bytes || reading.start_time_seconds ||
               reading.threads || reading.open_fds || reading.max_fds);
}

TEST(ProcessReading, CountsOurOwnDescriptors) {
  const auto open_fds = [] { return *ReadProcess("self").open_fds; };
  const double before = open_fds();
  const int fd = open("/dev/null", O_RDONLY);
  ASSERT_GE(fd, 0);
  EXPECT_EQ(open_fds(), before + 1);
  close(fd);
  EXPECT_EQ(open_fds(), before);
}

}  // namespace
}  // namespace hearth::metrics
