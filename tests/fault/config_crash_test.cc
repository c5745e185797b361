// The power fails at any moment of saving and applying configurations.
#include "firmware/apply/config_store.h"
#include "points.h"
#include "power_loss.h"

namespace hearth::fault {
namespace {

using apply::ConfigStore;

// One revision: saved, its apply begun, a step noted, confirmed or (every third) returned.
constexpr int64_t kActions = 4;
constexpr int64_t kRevisions = 18;
constexpr int64_t kRevisionsPerStart = 6;

bool IsConfirmed(int64_t revision) { return revision % 3 != 0; }

int64_t IdOf(const Result<int64_t>& id) { return id.ok() ? *id : -1; }

// What `actions` of them leave.
struct Left {
  explicit Left(int64_t actions)
      : newest((actions + kActions - 1) / kActions),
        applies((actions + 2) / kActions),
        is_running(actions % kActions == 2 || actions % kActions == 3) {
    for (int64_t revision = 1; revision <= actions / kActions; ++revision) {
      if (IsConfirmed(revision)) active = revision;
    }
  }

  int64_t newest;
  int64_t applies;
  bool is_running;
  int64_t active = 0;
};

class ConfigPowerLoss : public PowerLossTest {
 protected:
  ConfigPowerLoss() : PowerLossTest("config.db") {}

  // As many rows of the trail as there were actions, and everything else as those left it.
  std::string Problem(const std::string& path, uint64_t seed, int64_t acknowledged) override {
    auto opened = ConfigStore::Open(path, &clock_);
    if (!opened.ok()) return "Open: " + opened.status().ToString();
    ConfigStore& store = **opened;
    if (!store.set_aside().empty()) return store.set_aside();
    const auto trail = store.Audit(kActions * kRevisions + 1, 0);
    if (!trail.ok()) return "Audit: " + trail.status().ToString();
    const auto actions = static_cast<int64_t>(trail->size());
    if (actions < acknowledged || actions > acknowledged + 1) {
      return std::to_string(acknowledged) + " actions were acknowledged, the trail has " +
             std::to_string(actions);
    }
    const Left left(actions);
    if (IdOf(store.active()) != left.active) return "another revision is active";
    if (IdOf(store.newest()) != left.newest) return "another revision is the newest";
    for (int64_t id = 1; id <= left.newest; ++id) {
      const auto revision = store.Get(id);
      if (!revision.ok()) return revision.status().ToString();
      if (revision->document != TextOf(seed, id)) {
        return "revision " + std::to_string(id) + " is not what was saved";
      }
    }
    return ProblemOfTheNextStart(store, seed, left);
  }

  std::string ProblemOfTheNextStart(ConfigStore& store, uint64_t seed, const Left& left) {
    const auto interrupted = store.EndInterrupted();
    if (!interrupted.ok()) return "EndInterrupted: " + interrupted.status().ToString();
    if (interrupted->has_value() != left.is_running) return "another apply was running";
    for (int64_t id = 1; id <= left.applies; ++id) {
      const auto ended = store.GetApply(id);
      if (!ended.ok()) return ended.status().ToString();
      const bool is_confirmed = IsConfirmed(id) && !(id == left.applies && left.is_running);
      if (ended->state != (is_confirmed ? "confirmed" : "returned") || ended->ended_ms == 0) {
        return "apply " + std::to_string(id) + " ended as " + ended->state;
      }
    }
    if (IdOf(store.active()) != left.active) return "an interrupted apply moved the active one";
    const auto next = store.Save(TextOf(seed, left.newest + 1), "after", "", left.newest);
    return next.ok() ? "" : "Save: " + next.status().ToString();
  }

  void Change(const std::string& path, uint64_t seed) override {
    std::unique_ptr<ConfigStore> store;
    int64_t mark = 0;
    for (int64_t id = 1; id <= kRevisions; ++id) {
      if (id % kRevisionsPerStart == 1) {
        store.reset();
        auto opened = ConfigStore::Open(path, &clock_);
        ASSERT_TRUE(opened.ok()) << opened.status().ToString();
        store = std::move(*opened);
      }
      ASSERT_EQ(IdOf(store->Save(TextOf(seed, id), "author", "note", id - 1)), id);
      vfs_.SetMark(++mark);
      ASSERT_EQ(IdOf(store->BeginApply(id, "author")), id);
      vfs_.SetMark(++mark);
      ASSERT_TRUE(store->NoteStep(id, "start").ok());
      vfs_.SetMark(++mark);
      const Status ended = IsConfirmed(id)
                               ? store->Confirm(id, "author", "it serves", "{}")
                               : store->End(id, "returned", "not_ready", "it was slow", "{}");
      ASSERT_TRUE(ended.ok()) << ended.ToString();
      vfs_.SetMark(++mark);
    }
  }
};

TEST_F(ConfigPowerLoss, EveryAcknowledgedActionIsKeptAndOneRevisionIsActive) {
  EXPECT_EQ(LoseAt(Points(400)), 0);
}

TEST_F(ConfigPowerLoss, IsNoticedOnADiskThatIgnoresSyncs) {
  vfs_.IgnoreSyncs(true);
  expect_whole_ = false;
  EXPECT_GT(LoseAt(Points(100)), Points(100) / 4);
}

}  // namespace
}  // namespace hearth::fault
