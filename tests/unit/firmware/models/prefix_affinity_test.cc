#include "firmware/models/prefix_affinity.h"

#include <gtest/gtest.h>

namespace hearth::models {
namespace {

std::vector<uint64_t> KeysOf(const std::string& prompt) {
  protocol::Generate generate;
  generate.prompt = prompt;
  return PrefixKeys(generate);
}

TEST(PrefixAffinity, KnowsALongerPromptByItsBeginning) {
  const std::string system(600, 's');
  PrefixAffinity affinity;
  affinity.Note(KeysOf(system + "what is TTFT?"), 1);
  EXPECT_EQ(affinity.Find(KeysOf(system + "and what is TPOT, in a longer question?")), 1);
  EXPECT_EQ(affinity.Find(KeysOf(std::string(600, 'x'))), std::nullopt);
  EXPECT_EQ(affinity.Find(KeysOf("short")), std::nullopt);
}

TEST(PrefixAffinity, PrefersTheLongestBeginning) {
  const std::string system(300, 's');
  PrefixAffinity affinity;
  affinity.Note(KeysOf(system + std::string(300, 'a')), 0);
  affinity.Note(KeysOf(system + std::string(300, 'b')), 1);
  EXPECT_EQ(affinity.Find(KeysOf(system + std::string(300, 'a') + "more")), 0);
  EXPECT_EQ(affinity.Find(KeysOf(system + "other")), 1);  // who had it last
}

TEST(PrefixAffinity, ForgetsAReplicaThatWent) {
  PrefixAffinity affinity;
  affinity.Note(KeysOf(std::string(300, 'a')), 1);
  affinity.Forget(1);
  EXPECT_EQ(affinity.Find(KeysOf(std::string(300, 'a'))), std::nullopt);
}

TEST(PrefixAffinity, StaysBoundedUnderEverNewPrompts) {
  PrefixAffinity affinity;
  for (int i = 0; i < 20'000; ++i)
    affinity.Note(KeysOf(std::to_string(i) + std::string(300, 'a')), 0);
  EXPECT_EQ(affinity.Find(KeysOf("0" + std::string(300, 'a'))), std::nullopt);
  EXPECT_EQ(affinity.Find(KeysOf("19999" + std::string(300, 'a'))), 0);
}

}  // namespace
}  // namespace hearth::models
