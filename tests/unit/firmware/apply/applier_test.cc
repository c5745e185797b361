// The Applier over real engine processes that follow a script, and a real config.db.
#include "firmware/apply/applier.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "firmware/metrics/request_ledger.h"
#include "storage/sqlite.h"

namespace hearth::apply {
namespace {

namespace fs = std::filesystem;
using metrics::MetricId;

constexpr double kPatienceS = 60;

class ApplierTest : public testing::Test {
 protected:
  ApplierTest() {
    std::string pattern = (fs::temp_directory_path() / "applier-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    options_.validator.engine_executable = SCRIPTED_ENGINE;
    options_.validator.models_directory = directory_ + "/models";
    options_.times.ready_timeout_s = 0.5;
    options_.times.watch_s = 0.3;
    Boot();
  }
  ~ApplierTest() override {
    Halt();
    fs::remove_all(directory_);
  }

  // A start of hearthd.
  void Boot() {
    storage::HistoryOptions history;
    history.path = directory_ + "/history.db";
    history_ = storage::History::Open(history, Clock::System()).value();
    store_ = ConfigStore::Open(directory_ + "/config.db", Clock::System()).value();
    registry_ = std::make_unique<metrics::Registry>();
    ledger_ = std::make_unique<metrics::RequestLedger>(registry_.get());
    models_ =
        std::make_unique<models::ModelManager>(models::ModelManagerOptions{SCRIPTED_ENGINE},
                                               registry_.get(), ledger_.get());
    applier_ = std::make_unique<Applier>(store_.get(), models_.get(), registry_.get(),
                                         history_.get(), options_);
  }
  void Reboot() {
    Halt();
    Boot();
  }
  void Halt() {
    applier_.reset();
    if (models_ != nullptr) models_->Stop();
    models_.reset();
    ledger_.reset();
    registry_.reset();
    store_.reset();
    history_.reset();
  }

  // A configuration of the model "m" that behaves as `script` says.
  std::string DocumentOf(const std::string& script, const Json& deployment = Json::object()) {
    const std::string model = options_.validator.models_directory + "/" + script;
    fs::create_directories(model);
    std::ofstream(model + "/config.json") << "{}";
    return DumpJson(
        Json{{"llm_configs",
              {Json{{"model_loading_config", {{"model_id", "m"}, {"model_source", model}}},
                    {"deployment_config", deployment}}}}});
  }
  int64_t Save(const std::string& document) {
    return store_->Save(document, "ann", "", store_->newest().value()).value();
  }
  // Serves `script` as the active revision from the start on.
  void ServeFirst(const std::string& script) {
    ASSERT_TRUE(store_->Seed(DocumentOf(script), "the test", false).ok());
    applier_->Start();
    ASSERT_TRUE(WaitReady());
  }
  bool WaitReady() {
    return Eventually([&] {
      const auto statuses = models_->Statuses();
      return statuses.size() == 1 && statuses[0].replica.state == models::ReplicaState::kReady;
    });
  }
  static bool Eventually(const std::function<bool()>& condition) {
    for (const double until_s = MonotonicSeconds() + kPatienceS; MonotonicSeconds() < until_s;) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }
  ApplyStatus ApplyAndWait(const std::string& document) {
    const auto id = applier_->Apply(Save(document), "ann");
    EXPECT_TRUE(id.ok()) << id.status().ToString();
    EXPECT_TRUE(applier_->WaitForEnd(kPatienceS));
    return *applier_->status();
  }
  // "answers as B" serves beside what was active, and is watched for longer than any test takes.
  void WatchB() {
    options_.times.watch_s = 60;
    Reboot();
    ServeFirst("answers as A");
    ASSERT_TRUE(applier_->Apply(Save(DocumentOf("answers as B")), "ann").ok());
    ASSERT_TRUE(WaitWatching());
  }
  bool WaitWatching() {
    return Eventually([&] { return applier_->status()->state == "watching"; });
  }
  std::string Served() const {
    const auto statuses = models_->Statuses();
    return statuses.size() == 1 ? fs::path(statuses[0].path).filename().string() : "not one model";
  }
  double Count(const std::string& outcome, const std::string& reason) {
    const metrics::Snapshot snapshot = registry_->TakeSnapshot();
    for (size_t i = 0; i < snapshot.series.size(); ++i) {
      const promql::Labels& labels = snapshot.series[i]->labels;
      if (labels.Get("__name__") == "hearth_config_applies_total" &&
          labels.Get("outcome") == outcome && labels.Get("reason") == reason) {
        return snapshot.values[i];
      }
    }
    return -1;
  }
  void ExpectReturned(const ApplyStatus& status, const std::string& reason) {
    EXPECT_EQ(status.state, "returned");
    EXPECT_EQ(status.reason, reason) << status.message;
    EXPECT_EQ(store_->active().value(), 1);
    EXPECT_EQ(Served(), "answers as A");
    EXPECT_TRUE(WaitReady());
    EXPECT_EQ(Count("returned", reason), 1);
    for (const StepStatus& step : status.steps) EXPECT_NE(step.state, "running");
  }

  std::string directory_;
  ApplierOptions options_;
  std::unique_ptr<storage::History> history_;
  std::unique_ptr<ConfigStore> store_;
  std::unique_ptr<metrics::Registry> registry_;
  std::unique_ptr<metrics::RequestLedger> ledger_;
  std::unique_ptr<models::ModelManager> models_;
  std::unique_ptr<Applier> applier_;
};

TEST_F(ApplierTest, ConfirmsWhatAnswersAndOutlivesItsWatch) {
  ServeFirst("answers as A");
  const ApplyStatus status = ApplyAndWait(DocumentOf("answers as B"));
  EXPECT_EQ(status.state, "confirmed") << status.message;
  EXPECT_EQ(status.probe->text, "B");
  EXPECT_EQ(store_->active().value(), 2);
  EXPECT_EQ(Served(), "answers as B");
  EXPECT_EQ(Count("confirmed", ""), 1);
}

TEST_F(ApplierTest, ChangesALimitWithoutAnEngine) {
  ServeFirst("answers as A");
  const pid_t engine = models_->Statuses()[0].replica.engine_pid;
  const ApplyStatus status =
      ApplyAndWait(DocumentOf("answers as A", Json{{"max_ongoing_requests", 3}}));
  EXPECT_EQ(status.state, "confirmed") << status.message;
  EXPECT_EQ(models_->Statuses()[0].replica.engine_pid, engine);
  EXPECT_EQ(models_->Statuses()[0].options.max_ongoing_requests, 3);
}

TEST_F(ApplierTest, ReturnsFromWhatCannotBeLoaded) {
  ServeFirst("answers as A");
  ExpectReturned(ApplyAndWait(DocumentOf("fits but cannot-be-loaded")), "load_failed");
}

TEST_F(ApplierTest, ReturnsFromWhatDiesWhileItLoads) {
  ServeFirst("answers as A");
  ExpectReturned(ApplyAndWait(DocumentOf("fits but dies-while-loading")), "load_failed");
}

TEST_F(ApplierTest, ReturnsFromWhatMakesNoProgress) {
  ServeFirst("answers as A");
  ExpectReturned(ApplyAndWait(DocumentOf("fits but never-ready")), "not_ready");
}

TEST_F(ApplierTest, ReturnsFromWhatCannotAnswer) {
  ServeFirst("answers as A");
  ExpectReturned(ApplyAndWait(DocumentOf("computes-nonsense")), "probe_failed");
}

TEST_F(ApplierTest, ReturnsWhenTheEngineDiesInTheWatch) {
  WatchB();
  ASSERT_EQ(kill(models_->Statuses()[0].replica.engine_pid, SIGKILL), 0);
  ASSERT_TRUE(applier_->WaitForEnd(kPatienceS));
  ExpectReturned(*applier_->status(), "engine_crashed");
  EXPECT_NE(applier_->status()->message.find("signal 9"), std::string::npos);
}

TEST_F(ApplierTest, ReturnsWhenThatIsAskedFor) {
  WatchB();
  ASSERT_TRUE(applier_->Cancel("bob").ok());
  ASSERT_TRUE(applier_->WaitForEnd(kPatienceS));
  ExpectReturned(*applier_->status(), "cancelled");
  EXPECT_NE(applier_->status()->message.find("bob"), std::string::npos);
  EXPECT_EQ(applier_->Cancel("bob").code(), StatusCode::kFailedPrecondition);
}

TEST_F(ApplierTest, RunsOneAtATime) {
  WatchB();
  EXPECT_EQ(applier_->Apply(1, "bob").status().code(), StatusCode::kAborted);
  ASSERT_TRUE(applier_->Keep("ann").ok());
  ASSERT_TRUE(applier_->WaitForEnd(kPatienceS));
  EXPECT_EQ(applier_->status()->state, "confirmed");
  EXPECT_EQ(applier_->Keep("ann").code(), StatusCode::kFailedPrecondition);
}

TEST_F(ApplierTest, StopsTheOldEngineFirstWhereBothDoNotFit) {
  options_.validator.memory_limit_bytes = int64_t{12} << 20;  // an engine takes 9 and its cache
  Reboot();
  ServeFirst("answers as A");
  const ApplyStatus status = ApplyAndWait(DocumentOf("answers as B"));
  EXPECT_EQ(status.state, "confirmed") << status.message;
  EXPECT_GT(status.announced_wait_s, 0);
  EXPECT_EQ(Served(), "answers as B");
}

TEST_F(ApplierTest, StartsTheOldEngineAgainWhereTheNewOneCameToNothing) {
  options_.validator.memory_limit_bytes = int64_t{12} << 20;
  Reboot();
  ServeFirst("answers as A");
  ExpectReturned(ApplyAndWait(DocumentOf("fits but cannot-be-loaded")), "load_failed");
}

TEST_F(ApplierTest, RefusesWhatNeverFits) {
  options_.validator.memory_limit_bytes = int64_t{8} << 20;
  Reboot();
  ServeFirst("answers as A");
  ExpectReturned(ApplyAndWait(DocumentOf("answers as B")), "does_not_fit");
}

// What could not be written is not good: the box goes back, and the next apply is not in its way.
TEST_F(ApplierTest, ReturnsWhenTheDiskDoesNotTakeTheConfirmation) {
  WatchB();
  {
    auto other =
        storage::Connection::Open(directory_ + "/config.db", storage::Connection::Mode::kReadWrite)
            .value();
    ASSERT_TRUE(other.Execute("BEGIN IMMEDIATE").ok()) << "nobody else can write now";
    ASSERT_TRUE(applier_->Keep("ann").ok());
    ASSERT_TRUE(applier_->WaitForEnd(kPatienceS));
    ASSERT_TRUE(other.Execute("ROLLBACK").ok());
  }
  ExpectReturned(*applier_->status(), "not_kept");
  ASSERT_TRUE(applier_->Apply(Save(DocumentOf("answers as C")), "ann").ok());
  ASSERT_TRUE(WaitWatching());
  EXPECT_EQ(store_->GetApply(1)->state, "returned") << "it was noted later";
}

TEST_F(ApplierTest, ServesTheOldRevisionAfterAnEndInTheWatch) {
  WatchB();
  Reboot();
  applier_->Start();
  ASSERT_TRUE(WaitReady());
  EXPECT_EQ(Served(), "answers as A");
  EXPECT_EQ(store_->GetApply(1)->reason, "interrupted");
}

TEST_F(ApplierTest, StartsNoModelAfterTooManyCrashesUntilARevisionIsApplied) {
  options_.crashes_max = 2;
  ASSERT_TRUE(store_->Seed(DocumentOf("answers as A"), "the test", false).ok());
  for (int crash = 0; crash < 2; ++crash) ASSERT_TRUE(store_->BeginStart(1, 600).ok());
  Reboot();
  applier_->Start();
  EXPECT_NE(applier_->recovery(), "");
  EXPECT_TRUE(models_->Statuses().empty());
  const ApplyStatus status = ApplyAndWait(DocumentOf("answers as B"));
  EXPECT_EQ(status.state, "confirmed") << status.message;
  EXPECT_EQ(applier_->recovery(), "");
  EXPECT_EQ(Served(), "answers as B");
}

}  // namespace
}  // namespace hearth::apply
