#include "firmware/apply/config_store.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "storage/small_database.h"
#include "tests/unit/storage/history_fixture.h"

namespace hearth::apply {
namespace {

namespace fs = std::filesystem;

class ConfigStoreTest : public testing::Test {
 protected:
  ConfigStoreTest() {
    std::string pattern = (fs::temp_directory_path() / "config-store-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    path_ = directory_ + "/config.db";
    Open();
  }
  ~ConfigStoreTest() override {
    store_.reset();
    fs::remove_all(directory_);
  }

  void Open() {
    store_.reset();
    auto opened = ConfigStore::Open(path_, &clock_);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    store_ = *std::move(opened);
  }
  int64_t Save(const std::string& document) {
    return store_->Save(document, "ann", "a note", store_->newest().value()).value();
  }
  // "action revision apply", the oldest first.
  std::vector<std::string> Trail() {
    std::vector<std::string> trail;
    const auto entries = store_->Audit(100, 0).value();
    for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
      trail.push_back(entry->action + " " + std::to_string(entry->revision) + " " +
                      std::to_string(entry->apply));
    }
    return trail;
  }

  storage::TestClock clock_;
  std::string directory_, path_;
  std::unique_ptr<ConfigStore> store_;
};

using Lines = std::vector<std::string>;

TEST_F(ConfigStoreTest, IsEmptyAtFirst) {
  EXPECT_EQ(store_->active().value(), 0);
  EXPECT_EQ(store_->newest().value(), 0);
  EXPECT_FALSE(store_->LastApply()->has_value());
  EXPECT_EQ(store_->Get(1).status().code(), StatusCode::kNotFound);
}

TEST_F(ConfigStoreTest, KeepsTheTextByteForByteAndSavingActivatesNothing) {
  const std::string text("# a comment\nllm_configs: []\n\xc3\xa9\r\n", 33);
  EXPECT_EQ(Save(text), 1);
  Open();
  const Revision revision = store_->Get(1).value();
  EXPECT_EQ(revision.document, text);
  EXPECT_EQ(revision.author, "ann");
  EXPECT_EQ(revision.note, "a note");
  EXPECT_EQ(revision.outcome, "");
  EXPECT_EQ(store_->active().value(), 0);
}

TEST_F(ConfigStoreTest, RefusesASaveOnTopOfWhatIsNoLongerTheNewest) {
  Save("a: 1");
  Save("a: 2");
  const auto saved = store_->Save("a: 3", "bob", "", 1);
  EXPECT_EQ(saved.status().code(), StatusCode::kAborted);
  EXPECT_NE(saved.status().message().find("it is 2"), std::string::npos);
  EXPECT_EQ(store_->newest().value(), 2);
  EXPECT_EQ(Trail(), (Lines{"saved 1 0", "saved 2 0"})) << "what was refused did not happen";
}

TEST_F(ConfigStoreTest, MovesTheActiveRevisionAtConfirmAndNotBefore) {
  Save("a: 1");
  const int64_t apply = store_->BeginApply(1, "ann").value();
  ASSERT_TRUE(store_->NoteStep(apply, "start").ok());
  EXPECT_EQ(store_->active().value(), 0);
  EXPECT_EQ(store_->Get(1)->outcome, "running");
  ASSERT_TRUE(store_->Confirm(apply, "ann", "it serves", "{}").ok());
  EXPECT_EQ(store_->active().value(), 1);
  Open();
  EXPECT_EQ(store_->active().value(), 1);
  EXPECT_EQ(store_->Get(1)->outcome, "confirmed");
  EXPECT_EQ(Trail(), (Lines{"saved 1 0", "apply_started 1 1", "step 0 1", "confirmed 1 1"}));
}

TEST_F(ConfigStoreTest, KeepsTheActiveRevisionWhenAnApplyIsReturned) {
  Save("a: 1");
  ASSERT_TRUE(store_->Confirm(store_->BeginApply(1, "ann").value(), "ann", "", "").ok());
  Save("a: 2");
  const int64_t apply = store_->BeginApply(2, "bob").value();
  EXPECT_EQ(store_->GetApply(apply)->previous, 1);
  ASSERT_TRUE(store_->End(apply, "returned", "probe_failed", "no token", "{\"steps\":[]}").ok());
  EXPECT_EQ(store_->active().value(), 1);
  const ApplyRecord record = **store_->LastApply();
  EXPECT_EQ(record.state, "returned");
  EXPECT_EQ(record.reason, "probe_failed");
  EXPECT_EQ(record.report, "{\"steps\":[]}");
  EXPECT_EQ(store_->Get(2)->reason, "probe_failed");
  EXPECT_FALSE(store_->Confirm(apply, "bob", "", "").ok()) << "an apply ends once";
  EXPECT_EQ(store_->active().value(), 1);
}

TEST_F(ConfigStoreTest, RunsOneApplyAtATime) {
  Save("a: 1");
  const int64_t apply = store_->BeginApply(1, "ann").value();
  const auto second = store_->BeginApply(1, "bob");
  EXPECT_EQ(second.status().code(), StatusCode::kAborted);
  ASSERT_TRUE(store_->End(apply, "returned", "cancelled", "", "").ok());
  EXPECT_TRUE(store_->BeginApply(1, "bob").ok());
}

TEST_F(ConfigStoreTest, ReturnsAnApplyThatTheLastProcessLeftRunning) {
  Save("a: 1");
  store_->BeginApply(1, "ann").value();
  Open();
  const auto interrupted = store_->EndInterrupted();
  ASSERT_TRUE(interrupted.ok() && interrupted->has_value());
  EXPECT_EQ((*interrupted)->reason, "interrupted");
  EXPECT_EQ((*interrupted)->state, "returned");
  EXPECT_FALSE(store_->EndInterrupted()->has_value());
  EXPECT_EQ(store_->active().value(), 0);
  EXPECT_EQ(Trail().back(), "returned 1 1");
}

TEST_F(ConfigStoreTest, TakesASeedOnceUntilItDiffers) {
  EXPECT_EQ(store_->Seed("seed: 1", "the command line", false).value(), 1);
  EXPECT_EQ(store_->active().value(), 1);
  Save("ui: 1");
  ASSERT_TRUE(store_->Confirm(store_->BeginApply(2, "ann").value(), "ann", "", "").ok());
  EXPECT_EQ(store_->Seed("seed: 1", "the command line", false).value(), 2) << "what was applied stays";
  EXPECT_EQ(store_->Seed("seed: 2", "the command line", false).value(), 3);
  EXPECT_EQ(store_->active().value(), 3);
  EXPECT_EQ(Trail().back(), "seeded 3 0");
}

TEST_F(ConfigStoreTest, MakesAPinnedSeedActiveWhateverWasApplied) {
  store_->Seed("seed: 1", "/etc/models.yaml", true).value();
  Save("ui: 1");
  ASSERT_TRUE(store_->Confirm(store_->BeginApply(2, "ann").value(), "ann", "", "").ok());
  EXPECT_EQ(store_->Seed("seed: 1", "/etc/models.yaml", true).value(), 3);
  EXPECT_EQ(store_->Get(3)->document, "seed: 1");
  EXPECT_EQ(store_->Seed("seed: 1", "/etc/models.yaml", true).value(), 3) << "it is active already";
}

TEST_F(ConfigStoreTest, ListsTheNewestFirstInPages) {
  for (int i = 0; i < 5; ++i) Save("a: " + std::to_string(i));
  const auto first = store_->List(2, 0).value();
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0].id, 5);
  EXPECT_EQ(first[0].document, "");
  const auto rest = store_->List(10, first[1].id).value();
  ASSERT_EQ(rest.size(), 3u);
  EXPECT_EQ(rest[0].id, 3);
}

TEST_F(ConfigStoreTest, CountsTheStartsOfARevisionThatNeverServed) {
  constexpr double kWithinS = 600;
  for (int crashes = 0; crashes < 3; ++crashes) {
    EXPECT_EQ(store_->BeginStart(1, kWithinS)->crashes, crashes);
    clock_.Advance(1000);
  }
  EXPECT_EQ(store_->BeginStart(2, kWithinS)->crashes, 0) << "another revision";
  const auto start = store_->BeginStart(2, kWithinS);
  EXPECT_EQ(start->crashes, 1);
  ASSERT_TRUE(store_->MarkServed(start->id).ok());
  EXPECT_EQ(store_->BeginStart(2, kWithinS)->crashes, 0);
  clock_.Advance(601'000);
  EXPECT_EQ(store_->BeginStart(2, kWithinS)->crashes, 0) << "long ago";
}

TEST_F(ConfigStoreTest, KeepsTheRevisionsOfAnOlderRelease) {
  store_.reset();
  fs::remove(path_);
  {
    static constexpr const char* kSteps[] = {
        "CREATE TABLE revisions(id INTEGER PRIMARY KEY AUTOINCREMENT, created_ms INTEGER NOT NULL,"
        " author TEXT NOT NULL, note TEXT NOT NULL, document TEXT NOT NULL);",
    };
    const storage::Schema schema{0x48656163, kSteps};
    auto old = storage::SmallDatabase::Open({path_, "the configuration", schema}).value();
    const Status saved = old->Ready().value()->Execute(
        "INSERT INTO revisions VALUES(1, 1, 'api', 'add demo', '{\"models\":{}}')");
    ASSERT_TRUE(saved.ok()) << saved.ToString();
  }
  Open();
  EXPECT_EQ(store_->set_aside(), "");
  EXPECT_EQ(store_->Get(1)->document, "{\"models\":{}}");
  EXPECT_EQ(store_->active().value(), 0) << "nobody made it active";
}

TEST_F(ConfigStoreTest, RefusesADocumentBeyondTheLimit) {
  const auto saved = store_->Save(std::string(ConfigStore::kDocumentBytesMax + 1, 'x'), "ann", "", 0);
  EXPECT_EQ(saved.status().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(saved.status().message().find("1048577"), std::string::npos);
}

}  // namespace
}  // namespace hearth::apply
