#include "firmware/library/shelf.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/durable_file.h"
#include "firmware/library/manifest.h"
#include "tests/unit/firmware/library/temporary_folder.h"

namespace hearth::library {
namespace {

namespace fs = std::filesystem;

const std::string kCommit(40, 'a');
constexpr char kConfig[] = R"({"architectures": ["Qwen2ForCausalLM"], "torch_dtype": "bfloat16"})";

// One tensor of 2 x 3, as safetensors.
std::string Weights() {
  const std::string head = R"({"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}})";
  return std::string(1, static_cast<char>(head.size())) + std::string(7, '\0') + head + std::string(24, 'w');
}

void MakeOld(const std::string& path) {
  const timespec old[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    ASSERT_EQ(::utimensat(AT_FDCWD, entry.path().c_str(), old, 0), 0);
  }
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), old, 0), 0);
}

const ModelView* FindView(const std::vector<ModelView>& models, const std::string& id, const std::string& state) {
  const auto it = std::find_if(models.begin(), models.end(), [&](const ModelView& model) {
    return model.id == id && model.state == state;
  });
  return it == models.end() ? nullptr : &*it;
}

TEST(Shelf, ShowsWhatIsThereWhoeverPutIt) {
  const TemporaryFolder folder;
  const Shelf shelf(folder.path());
  ASSERT_TRUE(shelf.Prepare().ok());
  // As Hugging Face's own tools lay it out: links to blobs.
  folder.Write("models--Org--Linked/blobs/1", kConfig);
  folder.Write("models--Org--Linked/blobs/2", Weights());
  const std::string snapshot = shelf.SnapshotPath("Org/Linked", kCommit);
  fs::create_directories(snapshot);
  fs::create_symlink("../../blobs/1", snapshot + "/config.json");
  fs::create_symlink("../../blobs/2", snapshot + "/model.safetensors");
  folder.Write("plain/config.json", kConfig);
  folder.Write("Org/Nested/config.json", kConfig);
  folder.Write("models--Org--Half/.partial/" + kCommit + "/files/config.json", kConfig);
  folder.Write("nothing/readme", "x");

  const auto models = shelf.Scan();
  EXPECT_EQ(models.size(), 4u);
  const ModelView* const linked = FindView(models, "Org/Linked", "whole");
  ASSERT_NE(linked, nullptr);
  EXPECT_EQ(linked->revision, kCommit);
  EXPECT_EQ(linked->source, "unknown");
  EXPECT_EQ(linked->num_files, 2u);
  EXPECT_EQ(linked->bytes, std::string(kConfig).size() + Weights().size());
  EXPECT_EQ(linked->architecture, "Qwen2ForCausalLM");
  EXPECT_EQ(linked->dtype, "bfloat16");
  EXPECT_EQ(linked->num_parameters, 6u);
  EXPECT_NE(FindView(models, "plain", "whole"), nullptr);
  EXPECT_NE(FindView(models, "Org/Nested", "whole"), nullptr);
  const ModelView* const half = FindView(models, "Org/Half", "partial");
  ASSERT_NE(half, nullptr);
  EXPECT_GT(half->bytes, 0u);
}

TEST(Shelf, AModelThatLacksBytesIsDamaged) {
  const TemporaryFolder folder;
  const Shelf shelf(folder.path());
  ASSERT_TRUE(shelf.Prepare().ok());
  folder.Write("m/config.json", kConfig);
  Manifest manifest;
  manifest.files = {{"config.json", std::string(kConfig).size(), "00"}};
  SetContentHash(manifest);
  ASSERT_TRUE(WriteManifest(folder.path() + "/m", manifest).ok());
  EXPECT_EQ(shelf.Find("m")->state, "whole");
  folder.Write("m/config.json", "{}");
  const auto found = shelf.Find("m");
  EXPECT_EQ(found->state, "damaged");
  EXPECT_NE(found->problem.find("2 bytes"), std::string::npos) << found->problem;
}

TEST(Shelf, TheContentHashIsOfTheFilesWhateverTheirOrder) {
  Manifest a, b;
  a.files = {{"x", 1, "11"}, {"y", 2, "22"}};
  b.files = {{"y", 2, "22"}, {"x", 1, "11"}};
  SetContentHash(a);
  SetContentHash(b);
  EXPECT_EQ(a.content_hash, b.content_hash);
  b.files[0].sha256 = "12";
  SetContentHash(b);
  EXPECT_NE(a.content_hash, b.content_hash);
}

TEST(Shelf, RemovesAllOfAModelAndNothingElse) {
  const TemporaryFolder folder;
  const Shelf shelf(folder.path());
  ASSERT_TRUE(shelf.Prepare().ok());
  folder.Write("models--Org--A/snapshots/" + kCommit + "/config.json", kConfig);
  folder.Write("models--Org--A/.partial/" + kCommit + "/files/x", "x");
  folder.Write("models--Org--B/snapshots/" + kCommit + "/config.json", kConfig);
  folder.Write("Org/C/config.json", kConfig);
  const TemporaryFolder other;
  other.Write("config.json", kConfig);
  fs::create_symlink(other.path(), folder.path() + "/linked");
  ASSERT_TRUE(shelf.Remove("Org/A").ok());
  EXPECT_FALSE(fs::exists(folder.path() + "/models--Org--A"));
  EXPECT_TRUE(shelf.Find("Org/B").has_value());
  for (const char* id : {"Org", "Org/A", "linked", "../x", ".jobs"}) EXPECT_FALSE(shelf.Remove(id).ok()) << id;
  EXPECT_TRUE(shelf.Find("Org/C").has_value());
  EXPECT_TRUE(fs::exists(other.path() + "/config.json"));
}

TEST(Shelf, ForgetsWhatNobodyWentOnWithForAWeek) {
  const TemporaryFolder folder;
  const Shelf shelf(folder.path());
  ASSERT_TRUE(shelf.Prepare().ok());
  for (const char* name : {"Old", "Busy", "New"}) {
    folder.Write("models--Org--" + std::string(name) + "/.partial/" + kCommit + "/files/x", std::string(9000, 'x'));
  }
  folder.Write(".incoming/models--up/config.json", kConfig);
  folder.Write(".trash/1/x", std::string(9000, 'x'));
  MakeOld(shelf.PartialPath("Org/Old", kCommit));
  MakeOld(shelf.PartialPath("Org/Busy", kCommit));
  MakeOld(shelf.IncomingPath("up"));
  EXPECT_GE(shelf.GarbageBytes({"Org/Busy"}), 18'000u);
  shelf.BinForgotten({"Org/Busy"});
  EXPECT_GE(shelf.EmptyTrash(), 18'000u);
  EXPECT_FALSE(fs::exists(shelf.RepositoryPath("Org/Old")));
  EXPECT_FALSE(fs::exists(shelf.IncomingPath("up")));
  EXPECT_TRUE(fs::exists(shelf.PartialPath("Org/Busy", kCommit)));
  EXPECT_TRUE(fs::exists(shelf.PartialPath("Org/New", kCommit)));
  EXPECT_EQ(shelf.GarbageBytes({"Org/Busy"}), 0u);
}

}  // namespace
}  // namespace hearth::library
