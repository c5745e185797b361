#include "firmware/library/digest.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "firmware/library/files.h"
#include "tests/unit/firmware/library/temporary_folder.h"

namespace hearth::library {
namespace {

// FIPS 180-2, appendix B.1; and `printf 'hello world\n' | git hash-object --stdin`.
TEST(Digest, IsWhatTheStandardAndGitSay) {
  Hasher sha256 = Hasher::Sha256();
  sha256.Add("a");
  sha256.Add("bc");
  EXPECT_EQ(sha256.Hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Hasher git = Hasher::GitBlob(12);
  git.Add("hello world\n");
  EXPECT_EQ(git.Hex(), "3b18e512dba79e4c8300dd08aeb37f8e728b8dad");
}

TEST(Digest, OfAFileTellsItsProgressAndStopsWhenAsked) {
  const TemporaryFolder folder;
  const std::string path = folder.Write("file", "hello world\n");
  const Fd fd(::open(path.c_str(), O_RDONLY));
  std::atomic<bool> stop = false;
  uint64_t told = 0;
  const auto digest = DigestFile(fd.get(), GitOid::kComputed, stop, [&](uint64_t bytes) { told += bytes; });
  ASSERT_TRUE(digest.ok());
  EXPECT_EQ(digest->size, 12u);
  EXPECT_EQ(told, 12u);
  EXPECT_EQ(digest->git_oid, "3b18e512dba79e4c8300dd08aeb37f8e728b8dad");
  stop = true;
  const auto stopped = DigestFile(fd.get(), GitOid::kSkipped, stop, [](uint64_t) {});
  EXPECT_EQ(stopped.status().code(), StatusCode::kAborted);
}

}  // namespace
}  // namespace hearth::library
