#include "firmware/models/engine_log.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace hearth::models {
namespace {

TEST(EngineLog, KeepsTheLastFiveHundredLines) {
  EngineLog log;
  for (int i = 0; i < 600; ++i) log.Append(i % 2, "line " + std::to_string(i));
  const auto all = log.Tail(1000);
  ASSERT_EQ(all.size(), EngineLog::kLinesMax);
  EXPECT_EQ(all.front().text, "line 100");
  EXPECT_EQ(all.back().text, "line 599");
  EXPECT_EQ(all.back().replica, 1);
  EXPECT_GT(all.back().time_ms, 0);
  EXPECT_EQ(log.Tail(2).front().text, "line 598");
  EXPECT_EQ(log.TailOf(0, 2), (std::vector<std::string>{"line 596", "line 598"}));
}

TEST(EngineLog, CutsWhatIsTooLongAndShowsNoControlBytes) {
  EngineLog log;
  log.Append(0, std::string(5000, 'x'));
  EXPECT_EQ(log.Tail(1)[0].text, std::string(EngineLog::kLineBytesMax, 'x') + "...");
  log.Append(0, "<4>a\tb\x1b[31m");
  EXPECT_EQ(log.Tail(1)[0].text, "a b [31m");
}

TEST(EngineLog, IsFoundByTheNameOfItsModel) {
  EXPECT_EQ(EngineLog::Find("a model of this test"), nullptr);
  EngineLog& log = EngineLog::Of("a model of this test");
  EXPECT_EQ(EngineLog::Find("a model of this test"), &log);
  EXPECT_EQ(&EngineLog::Of("a model of this test"), &log);
}

TEST(LineRate, SaysOnceHowManyItHeldBack) {
  LineRate rate(3);
  int suppressed = -1;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(rate.Admit(10, suppressed));
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(rate.Admit(10.5, suppressed));
  EXPECT_EQ(suppressed, 0);
  EXPECT_TRUE(rate.Admit(11.1, suppressed));
  EXPECT_EQ(suppressed, 4);
  EXPECT_TRUE(rate.Admit(11.2, suppressed));
  EXPECT_EQ(suppressed, 0);
}

TEST(EngineStderr, ReadsWhatWasWrittenBeforeTheEngineEnded) {
  EngineLog log;
  {
    auto output = EngineStderr::Start(&log, 4);
    ASSERT_TRUE(output.ok()) << output.status().ToString();
    const int fd = dup((*output)->write_fd());  // as a grandchild that stays would
    const std::string text = "first\nsecond\nwithout an end";
    ASSERT_EQ(write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    output->reset();
    close(fd);
  }
  EXPECT_EQ(log.TailOf(4, 10),
            (std::vector<std::string>{"first", "second", "without an end"}));
}

}  // namespace
}  // namespace hearth::models
