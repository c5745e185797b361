#include "firmware/model_events.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

namespace hearth {
namespace {

using models::ModelStatus;
using models::ReplicaState;

class ModelEventsTest : public testing::Test {
 protected:
  ModelEventsTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "model-events-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    storage::HistoryOptions options;
    options.path = directory_ + "/history.db";
    history_ = *storage::History::Open(options, Clock::System());
    events_.emplace(history_.get(), Clock::System());
  }
  ~ModelEventsTest() override {
    history_.reset();
    std::filesystem::remove_all(directory_);
  }

  static ModelStatus Model(ReplicaState state, int restarts = 0, std::string message = "") {
    ModelStatus model;
    model.model_name = "demo";
    model.replica.state = state;
    model.replica.restarts = restarts;
    model.replica.message = std::move(message);
    return model;
  }
  // "kind: text" of the events that this state adds.
  std::vector<std::string> EventsOf(std::vector<ModelStatus> models) {
    for (ModelStatus& model : models) model.replicas = {{0, model.replica, 0, 0, 0}};
    const size_t before = history_->Events(0, INT64_MAX)->size();
    events_->Update(models);
    std::vector<std::string> added;
    const auto all = *history_->Events(0, INT64_MAX);
    for (size_t i = before; i < all.size(); ++i) added.push_back(all[i].kind + ": " + all[i].text);
    return added;
  }

  std::string directory_;
  std::unique_ptr<storage::History> history_;
  std::optional<ModelEvents> events_;
};

using Lines = std::vector<std::string>;

TEST_F(ModelEventsTest, SaysEachChangeOnce) {
  EXPECT_EQ(EventsOf({Model(ReplicaState::kLoading)}), Lines{});
  EXPECT_EQ(EventsOf({Model(ReplicaState::kReady)}), Lines{"model_loaded: demo is ready"});
  EXPECT_EQ(EventsOf({Model(ReplicaState::kReady)}), Lines{});
  EXPECT_EQ(EventsOf({Model(ReplicaState::kRestarting, 1, "signal 9")}),
            Lines{"engine_crashed: the engine of demo ended: signal 9"});
  EXPECT_EQ(EventsOf({Model(ReplicaState::kReady, 1)}), Lines{"model_loaded: demo is ready"});
  EXPECT_EQ(EventsOf({Model(ReplicaState::kFailed, 1, "no weights")}),
            Lines{"model_failed: demo cannot be served: no weights"});
  EXPECT_EQ(EventsOf({}), Lines{"model_removed: demo is no longer served"});
  EXPECT_EQ(EventsOf({}), Lines{});
}

TEST_F(ModelEventsTest, ACrashBetweenTwoLooksIsSeen) {
  EventsOf({Model(ReplicaState::kReady)});
  EXPECT_EQ(EventsOf({Model(ReplicaState::kReady, 1)}),
            (Lines{"engine_crashed: the engine of demo ended", "model_loaded: demo is ready"}));
}

TEST_F(ModelEventsTest, AStallAndSafeModeAreSaidOnce) {
  EventsOf({Model(ReplicaState::kReady)});
  ModelStatus model = Model(ReplicaState::kRestarting, 1, "has not moved for 10 s");
  model.replica.stalls = 1;
  EXPECT_EQ(EventsOf({model}),
            (Lines{"engine_stalled: the engine of demo did not get on and was killed",
                   "engine_crashed: the engine of demo ended: has not moved for 10 s"}));
  model.replica.safe_mode = true;
  EXPECT_EQ(EventsOf({model}),
            Lines{"engine_degraded: the engine of demo kept ending and runs in safe mode"});
  model.replica.state = ReplicaState::kDegraded;
  EXPECT_EQ(EventsOf({model}), Lines{"model_loaded: demo is ready"});
  EXPECT_EQ(EventsOf({model}), Lines{});
}

TEST_F(ModelEventsTest, ASettingThatChangesIsAnEventAndTheFirstOneIsNot) {
  ModelStatus model = Model(ReplicaState::kLoading);
  model.log_engine_metrics = false;
  EXPECT_EQ(EventsOf({model}), Lines{});
  model.log_engine_metrics = true;
  EXPECT_EQ(EventsOf({model}), Lines{"config_applied: log_engine_metrics of demo is true"});
}

}  // namespace
}  // namespace hearth
