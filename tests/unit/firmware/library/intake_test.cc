#include "firmware/library/intake.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "firmware/library/manifest.h"
#include "tests/unit/firmware/library/temporary_folder.h"

namespace hearth::library {
namespace {

namespace fs = std::filesystem;

class IntakeTest : public testing::Test {
 protected:
  IntakeTest() { EXPECT_TRUE(shelf_.Prepare().ok()); }

  Status Import(const std::string& path, const std::string& model = "copy") {
    JobRecord record;
    record.kind = JobKind::kImport;
    record.model = model;
    record.path = path;
    Job job(record);
    return RunImport(shelf_, disk_, job);
  }

  Status Verify(const std::string& model) {
    JobRecord record;
    record.kind = JobKind::kVerify;
    record.model = model;
    Job job(record);
    return RunVerify(shelf_, job);
  }

  // What a whole source has.
  void WriteSource(const std::string& folder = ".") {
    source_.Write(folder + "/config.json", "{}");
    source_.Write(folder + "/model.safetensors", std::string(3'000'000, 'w'));
    source_.Write(folder + "/pytorch_model.bin", "pickle");
    source_.Write(folder + "/notes", "mine");
  }

  TemporaryFolder models_;
  TemporaryFolder source_;
  TemporaryFolder elsewhere_;
  const Shelf shelf_{models_.path()};
  const DiskGuard disk_{models_.path(), 1};
};

TEST_F(IntakeTest, CopiesWhatServingTakesAndHashesIt) {
  WriteSource();
  ASSERT_TRUE(Import(source_.path()).ok());
  const auto view = shelf_.Find("copy");
  ASSERT_TRUE(view.has_value());
  EXPECT_EQ(view->state, "whole");
  EXPECT_EQ(view->source, "import");
  EXPECT_EQ(view->num_files, 2u);
  EXPECT_TRUE(view->content_hash.starts_with("sha256:"));
  EXPECT_FALSE(fs::exists(models_.path() + "/copy/pytorch_model.bin"));
  EXPECT_TRUE(Verify("copy").ok());
  EXPECT_EQ(Import(source_.path()).code(), StatusCode::kFailedPrecondition) << "the name is taken";
}

TEST_F(IntakeTest, AnIdOfTwoPartsGetsThePlaceOfAPulledOne) {
  WriteSource();
  ASSERT_TRUE(Import(source_.path(), "Org/Copy").ok());
  const auto view = shelf_.Find("Org/Copy");
  ASSERT_TRUE(view.has_value());
  EXPECT_EQ(view->path, shelf_.SnapshotPath("Org/Copy", view->revision));
  std::string named;
  std::ifstream(shelf_.RepositoryPath("Org/Copy") + "/refs/main") >> named;
  EXPECT_EQ(named, view->revision);
}

TEST_F(IntakeTest, TakesARepositoryOfHuggingFacesCacheThroughItsLinks) {
  const std::string commit(40, 'c');
  source_.Write("blobs/1", "{}");
  source_.Write("blobs/2", "weights");
  source_.Write("refs/main", commit);
  const std::string snapshot = source_.path() + "/snapshots/" + commit;
  fs::create_directories(snapshot);
  fs::create_symlink("../../blobs/1", snapshot + "/config.json");
  fs::create_symlink("../../blobs/2", snapshot + "/model.safetensors");
  ASSERT_TRUE(Import(source_.path()).ok());
  EXPECT_FALSE(fs::is_symlink(models_.path() + "/copy/config.json"));
  EXPECT_TRUE(Verify("copy").ok());
}

TEST_F(IntakeTest, NoLinkLeavesTheSource) {
  WriteSource();
  elsewhere_.Write("secret.json", "secret");
  for (const std::string& target :
       {elsewhere_.path() + "/secret.json", "../" + fs::path(elsewhere_.path()).filename().string() + "/secret.json",
        std::string("/etc/passwd"), std::string("/proc/self/environ")}) {
    fs::remove(source_.path() + "/tokenizer.json");
    fs::create_symlink(target, source_.path() + "/tokenizer.json");
    const Status refused = Import(source_.path());
    EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument) << target;
    EXPECT_FALSE(shelf_.Find("copy").has_value());
  }
}

TEST_F(IntakeTest, APipeIsNotWaitedFor) {
  WriteSource();
  ASSERT_EQ(::mkfifo((source_.path() + "/tokenizer.json").c_str(), 0600), 0);
  EXPECT_EQ(Import(source_.path()).code(), StatusCode::kInvalidArgument);
}

TEST_F(IntakeTest, SaysWhatIsMissing) {
  source_.Write("model.safetensors", "x");
  EXPECT_NE(Import(source_.path()).message().find("config.json"), std::string::npos);
  source_.Write("config.json", "{}");
  fs::remove(source_.path() + "/model.safetensors");
  source_.Write("pytorch_model.bin", "x");
  EXPECT_NE(Import(source_.path()).message().find(".safetensors"), std::string::npos);
}

TEST_F(IntakeTest, ACopyThatDiffersFromItsOwnManifestIsRefused) {
  WriteSource();
  ASSERT_TRUE(Import(source_.path(), "first").ok());
  // The stick that carries it to the next box has lost a bit.
  TemporaryFolder stick;
  fs::copy(models_.path() + "/first", stick.path() + "/m", fs::copy_options::recursive);
  std::fstream(stick.path() + "/m/model.safetensors", std::ios::in | std::ios::out | std::ios::binary) << 'x';
  EXPECT_EQ(Import(stick.path() + "/m", "second").code(), StatusCode::kDataLoss);
  EXPECT_FALSE(shelf_.Find("second").has_value());
}

TEST_F(IntakeTest, VerifyFindsOneWrongByteAndSaysWhere) {
  WriteSource();
  ASSERT_TRUE(Import(source_.path()).ok());
  std::fstream(models_.path() + "/copy/model.safetensors", std::ios::in | std::ios::out | std::ios::binary) << 'x';
  const Status damaged = Verify("copy");
  EXPECT_EQ(damaged.code(), StatusCode::kDataLoss);
  EXPECT_NE(damaged.message().find("model.safetensors"), std::string::npos);
  EXPECT_EQ(shelf_.Find("copy")->state, "damaged");
}

TEST_F(IntakeTest, AFullDiskIsToldBeforeTheFirstByte) {
  WriteSource();
  JobRecord record;
  record.model = "copy";
  record.path = source_.path();
  Job job(record);
  const DiskGuard full(models_.path(), uint64_t{1} << 62);
  EXPECT_EQ(RunImport(shelf_, full, job).code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(job.needs_bytes(), 3'000'002u);
}

}  // namespace
}  // namespace hearth::library
