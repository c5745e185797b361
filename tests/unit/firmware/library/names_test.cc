#include "firmware/library/names.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <limits.h>
#include <unistd.h>

#include <array>
#include <random>

#include "firmware/library/files.h"
#include "tests/unit/firmware/library/temporary_folder.h"

namespace hearth::library {
namespace {

namespace fs = std::filesystem;

constexpr int kGeneratedNames = 1'000'000;

std::string PathOf(int fd) {
  std::array<char, PATH_MAX> path{};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t count = ::readlink(link.c_str(), path.data(), path.size());
  return std::string(path.data(), count > 0 ? static_cast<size_t>(count) : 0);
}

bool IsBeneath(const std::string& path, const std::string& folder) {
  return path == folder || path.starts_with(folder + "/");
}

// Names of parts that lead somewhere in the tree of the test, lead out of it, or confuse a parser.
class Names {
 public:
  std::string Next() {
    static const std::vector<std::string> kParts = {
        "a", "b", "file", "up", "out", "absolute", "inner", "..", ".", "", "...", "..a", "a..", "%2e%2e", "..\\",
        std::string("a\0", 2), "a\n", "\xc3\xa4", "-rf", ".hidden", "~", "$(id)", "a b", "con", "models--Org--Name",
        "config.json", "x.safetensors", std::string(300, 'x')};
    std::string name = Chance(20) ? "/" : "";
    const size_t parts = 1 + random_() % 5;
    for (size_t i = 0; i < parts; ++i) {
      if (i > 0) name += Chance(30) ? "//" : "/";
      if (Chance(10)) {
        for (size_t n = random_() % 6; n > 0; --n) name += static_cast<char>(random_() % 256);
      } else {
        name += kParts[random_() % kParts.size()];
      }
    }
    return name;
  }

 private:
  bool Chance(unsigned one_of) { return random_() % one_of == 0; }
  std::mt19937 random_{7};
};

// models/a/b/file, links inside and links that lead out, and beside it what must not be reached.
struct Tree {
  Tree() {
    folder.Write("outside/file", "secret");
    folder.Write("models/a/b/file", "x");
    folder.Write("models/file", "x");
    const fs::path models = fs::path(folder.path()) / "models";
    fs::create_symlink("..", models / "up");
    fs::create_symlink("../outside", models / "a" / "out");
    fs::create_symlink(folder.path() + "/outside", models / "absolute");
    fs::create_symlink("a/b", models / "inner");
    root = fs::canonical(models).string();
  }
  TemporaryFolder folder;
  std::string root;
};

TEST(Names, AMillionGeneratedNamesOpenNothingOutsideOfTheFolder) {
  const Tree tree;
  const auto root = OpenFolder(tree.root);
  ASSERT_TRUE(root.ok());
  Names names;
  int opened = 0, escapes = 0, would_escape = 0, accepted = 0;
  for (int i = 0; i < kGeneratedNames; ++i) {
    const std::string name = names.Next();
    for (const Links links : {Links::kRefused, Links::kInside}) {
      const auto fd = OpenBeneath(root->get(), name, O_PATH, links);
      if (!fd.ok()) continue;
      ++opened;
      if (!IsBeneath(PathOf(fd->get()), tree.root)) ++escapes;
    }
    const Fd plain(::openat(root->get(), name.c_str(), O_PATH | O_CLOEXEC));
    if (plain.get() >= 0 && !IsBeneath(PathOf(plain.get()), tree.root)) ++would_escape;
    if (CheckFilePath(name).ok()) {
      ++accepted;
      const std::string whole = (fs::path(tree.root) / name).lexically_normal().string();
      if (!IsBeneath(whole, tree.root) || LeavesFolder(name)) ++escapes;
    }
    if (CheckModelId(name).ok()) {
      const fs::path place = (fs::path(tree.root) / FolderOf(name)).lexically_normal();
      if (place.parent_path() != tree.root) ++escapes;
    }
  }
  EXPECT_EQ(escapes, 0);
  // What was tried is worth trying: a plain open does escape, and good names do open.
  EXPECT_GT(would_escape, 1000);
  EXPECT_GT(opened, 1000);
  EXPECT_GT(accepted, 1000);
}

TEST(Names, ModelIdsAreThoseOfTheHub) {
  for (const char* id : {"gpt2", "Qwen/Qwen2.5-0.5B-Instruct", "a_b/c.d-e", "A/1"}) {
    EXPECT_TRUE(CheckModelId(id).ok()) << id;
  }
  for (const char* id : {"", "/", "a/", "/a", "a//b", "a/b/c", ".a", "a/.b", "..", "a..b", "a--b", "a b", "a\\b",
                         "\xc3\xa4", "a/..", "models--a"}) {
    EXPECT_FALSE(CheckModelId(id).ok()) << id;
  }
  EXPECT_FALSE(CheckModelId(std::string("a\0b", 3)).ok());
  EXPECT_TRUE(CheckModelId(std::string(kModelIdBytesMax, 'a')).ok());
  EXPECT_FALSE(CheckModelId(std::string(kModelIdBytesMax + 1, 'a')).ok());
}

TEST(Names, ARepositoryIsNamedBackToItsId) {
  for (const char* id : {"gpt2", "Qwen/Qwen2.5-0.5B-Instruct"}) {
    EXPECT_EQ(ModelIdOf(RepositoryName(id)), id);
  }
  EXPECT_EQ(RepositoryName("Org/Name"), "models--Org--Name");
  EXPECT_FALSE(ModelIdOf("Org").has_value());
  EXPECT_FALSE(ModelIdOf("models--..").has_value());
  EXPECT_FALSE(ModelIdOf("models--a--b--c").has_value());
}

TEST(Names, OnlyWhatServingTakesIsWanted) {
  for (const char* path : {"config.json", "model-00001-of-00002.safetensors", "model.safetensors.index.json",
                           "tokenizer.json", "tokenizer.model", "chat_template.jinja", "merges.txt", "vocab.txt",
                           "LICENSE", "README.md", "LICENSE.md"}) {
    EXPECT_TRUE(IsWanted(path)) << path;
  }
  for (const char* path : {"pytorch_model.bin", "pytorch_model.bin.index.json", "model.pt", "x.gguf", "x.onnx",
                           "x.h5", "x.msgpack", "original/params.json", "onnx/model.safetensors", "other.model",
                           "train.py", "notes.md"}) {
    EXPECT_FALSE(IsWanted(path)) << path;
  }
}

}  // namespace
}  // namespace hearth::library
