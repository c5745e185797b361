#include "firmware/usage/usage_reporter.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "base/durable_file.h"

namespace hearth::usage {
namespace {

namespace fs = std::filesystem;

class SteppedClock : public Clock {
 public:
  double MonotonicSeconds() const override { return now_s; }
  int64_t WallMillis() const override { return static_cast<int64_t>(now_s * 1000); }
  double now_s = 1000;
};

class UsageReporterTest : public testing::Test {
 protected:
  UsageReporterTest() {
    std::string pattern = (fs::temp_directory_path() / "usage-XXXXXX").string();
    options_.state_directory = ::mkdtemp(pattern.data());
    options_.receiver = "http://receiver";
    options_.interval_s = 100;
  }
  ~UsageReporterTest() override {
    reporter_.reset();
    fs::remove_all(options_.state_directory);
  }

  void Start() {
    reporter_ = std::make_unique<UsageReporter>(
        options_, [this] { return facts_; },
        [this](const std::string& url, const std::string& body, const std::atomic<bool>*) {
          EXPECT_EQ(url, options_.receiver);
          sent_.push_back(body);
          if (while_sending_) while_sending_();
          return answer_;
        },
        &clock_);
  }
  void Pass(double seconds) {
    for (const double until_s = clock_.now_s + seconds; clock_.now_s < until_s; ++clock_.now_s) {
      reporter_->Step();
    }
  }
  std::optional<std::string> OnDisk() const {
    return ReadSmallFile(options_.state_directory + "/usage_stats.json");
  }

  UsageReporterOptions options_;
  UsageFacts facts_;
  SteppedClock clock_;
  Result<int> answer_ = 200;
  std::vector<std::string> sent_;
  std::function<void()> while_sending_;
  std::unique_ptr<UsageReporter> reporter_;
};

TEST_F(UsageReporterTest, RecordsAndSendsNothingUntilSomebodyAnswers) {
  Start();
  Pass(1000);
  EXPECT_TRUE(sent_.empty());
  EXPECT_EQ(OnDisk(), std::nullopt);
  EXPECT_EQ(reporter_->state().next_report, "");
  EXPECT_EQ(reporter_->state().example["source"], "hearth") << "what it would be is shown";
}

TEST_F(UsageReporterTest, SendsWhatItShowedByteForByte) {
  Start();
  ASSERT_TRUE(reporter_->Answer(true).ok());
  for (int i = 0; i < 3; ++i) {
    Pass(50);
    const std::string shown = reporter_->state().next_report;
    EXPECT_NE(OnDisk()->find(shown), std::string::npos) << "the file holds it, too";
    facts_.num_cpus = i + 2;  // what changes meanwhile is for the next report
    Pass(51);
    ASSERT_EQ(sent_.size(), static_cast<size_t>(i) + 1);
    EXPECT_EQ(sent_.back(), shown);
    EXPECT_EQ(ParseJson(shown)->at("seq_number"), i);
    EXPECT_NE(reporter_->state().next_report, shown);
  }
}

TEST_F(UsageReporterTest, TriesOncePerIntervalAndNeverAgain) {
  answer_ = Unavailable("no route to it");
  Start();
  ASSERT_TRUE(reporter_->Answer(true).ok());
  Pass(250);
  EXPECT_EQ(sent_.size(), 2u) << "one for each interval that passed";
  EXPECT_EQ(reporter_->state().last.error, "no route to it");
  EXPECT_EQ(ParseJson(*OnDisk())->at("success"), false);
  EXPECT_EQ(ParseJson(reporter_->state().next_report)->at("total_failed"), 2);
}

TEST_F(UsageReporterTest, TakesARefusalForAFailure) {
  answer_ = 503;
  Start();
  ASSERT_TRUE(reporter_->Answer(true).ok());
  Pass(150);
  EXPECT_EQ(reporter_->state().last.status, 503);
  EXPECT_NE(reporter_->state().last.error.find("503"), std::string::npos);
}

TEST_F(UsageReporterTest, RecordsWithoutAReceiverAndSendsNothing) {
  options_.receiver = "";
  Start();
  ASSERT_TRUE(reporter_->Answer(true).ok());
  Pass(250);
  EXPECT_TRUE(sent_.empty());
  EXPECT_NE(reporter_->state().next_report, "");
  EXPECT_EQ(reporter_->state().due_ms, 0);
}

TEST_F(UsageReporterTest, ForgetsWhatItRecordedWhenItIsSwitchedOff) {
  Start();
  ASSERT_TRUE(reporter_->Answer(true).ok());
  Pass(10);
  ASSERT_NE(OnDisk(), std::nullopt);
  ASSERT_TRUE(reporter_->Answer(false).ok());
  EXPECT_EQ(OnDisk(), std::nullopt);
  EXPECT_EQ(reporter_->state().next_report, "");
  Pass(1000);
  EXPECT_TRUE(sent_.empty());
  EXPECT_EQ(OnDisk(), std::nullopt);
}

TEST_F(UsageReporterTest, RecordsNothingOfASendingThatWasSwitchedOffMeanwhile) {
  Start();
  ASSERT_TRUE(reporter_->Answer(true).ok());
  while_sending_ = [this] { EXPECT_TRUE(reporter_->Answer(false).ok()); };
  Pass(150);
  EXPECT_EQ(sent_.size(), 1u);
  EXPECT_EQ(OnDisk(), std::nullopt);
  EXPECT_EQ(reporter_->state().next_report, "");
}

TEST_F(UsageReporterTest, KeepsTheAnswerAcrossStarts) {
  Start();
  ASSERT_TRUE(reporter_->Answer(true).ok());
  Start();
  EXPECT_EQ(reporter_->state().consent.enabled, true);
  ASSERT_TRUE(reporter_->Answer(false).ok());
  Start();
  EXPECT_EQ(reporter_->state().consent.enabled, false);
}

TEST_F(UsageReporterTest, RemovesAtTheStartWhatIsNotAllowedAnyMore) {
  Start();
  ASSERT_TRUE(reporter_->Answer(true).ok());
  Pass(10);
  ASSERT_NE(OnDisk(), std::nullopt);
  options_.sources.opt_out = "DO_NOT_TRACK=1";
  Start();
  EXPECT_EQ(OnDisk(), std::nullopt);
  const Status refused = reporter_->Answer(true);
  EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition);
  EXPECT_NE(refused.message().find("DO_NOT_TRACK=1"), std::string::npos);
  EXPECT_TRUE(reporter_->Answer(false).ok()) << "a no is always taken";
}

TEST_F(UsageReporterTest, TakesADamagedAnswerForNone) {
  ASSERT_TRUE(WriteDurably(options_.state_directory + "/usage_consent.json", "{\"enabl").ok());
  Start();
  EXPECT_FALSE(reporter_->state().consent.enabled.has_value());
}

TEST_F(UsageReporterTest, WaitsForModelsThatLoadButNotForEver) {
  facts_.settled = false;
  Start();
  ASSERT_TRUE(reporter_->Answer(true).ok());
  Pass(30);
  EXPECT_EQ(reporter_->state().next_report, "");
  Pass(40);
  EXPECT_NE(reporter_->state().next_report, "");
}

}  // namespace
}  // namespace hearth::usage
