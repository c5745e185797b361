#include "firmware/models/quarantine.h"

#include <gtest/gtest.h>

namespace hearth::models {
namespace {

protocol::Generate Ask(const std::string& prompt) {
  protocol::Generate generate;
  generate.prompt = prompt;
  return generate;
}

TEST(Quarantine, TakesARequestThatTwoCrashesHadInTheBatch) {
  Quarantine quarantine;
  EXPECT_TRUE(quarantine.empty());
  EXPECT_FALSE(quarantine.OnCrash(7, 1, "m", 100));
  EXPECT_TRUE(quarantine.Check(7, 100).ok());
  EXPECT_TRUE(quarantine.OnCrash(7, 2, "m", 110));
  EXPECT_EQ(quarantine.Check(7, 111).code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(quarantine.Check(8, 111).ok());
  EXPECT_EQ(quarantine.TakeNews(), std::vector<std::string>{"m"});
  EXPECT_TRUE(quarantine.TakeNews().empty());
}

TEST(Quarantine, CountsACrashOnceHoweverOftenTheRequestWasInTheBatch) {
  Quarantine quarantine;
  for (int i = 0; i < 8; ++i) EXPECT_FALSE(quarantine.OnCrash(7, 1, "m", 100));
  EXPECT_TRUE(quarantine.Check(7, 100).ok());
}

TEST(Quarantine, ClearsWhatWasAnswered) {
  Quarantine quarantine;
  quarantine.OnCrash(7, 1, "m", 100);
  quarantine.OnAnswered(7);
  EXPECT_TRUE(quarantine.empty());
  EXPECT_FALSE(quarantine.OnCrash(7, 2, "m", 110));
}

TEST(Quarantine, LetsARequestGoAfterItsTime) {
  Quarantine quarantine;
  quarantine.OnCrash(7, 1, "m", 100);
  quarantine.OnCrash(7, 2, "m", 100);
  EXPECT_FALSE(quarantine.Check(7, 100 + Quarantine::kRefusedForS - 1).ok());
  EXPECT_TRUE(quarantine.Check(7, 100 + Quarantine::kRefusedForS).ok());
  EXPECT_FALSE(quarantine.OnCrash(7, 3, "m", 100 + Quarantine::kRefusedForS)) << "it begins anew";
}

TEST(Quarantine, RemembersABoundedNumberAndForgetsTheOldest) {
  Quarantine quarantine;
  const auto time_of = [](uint64_t i) { return 1e-3 * static_cast<double>(i); };
  for (uint64_t i = 0; i < Quarantine::kSuspectsMax + 10; ++i) {
    quarantine.OnCrash(i, 1, "m", time_of(i));
  }
  EXPECT_FALSE(quarantine.OnCrash(0, 2, "m", 5)) << "its first crash was forgotten";
  EXPECT_TRUE(quarantine.OnCrash(Quarantine::kSuspectsMax, 2, "m", 5));
}

TEST(Quarantine, KnowsARequestByWhatItAsksAndNotByItsNumber) {
  protocol::Generate one = Ask("hello"), other = Ask("hello");
  other.request_id = 9;
  other.arrival_time_s = 77;
  EXPECT_EQ(Quarantine::Fingerprint("m", one), Quarantine::Fingerprint("m", other));
  EXPECT_NE(Quarantine::Fingerprint("m", one), Quarantine::Fingerprint("n", one));
  EXPECT_NE(Quarantine::Fingerprint("m", one), Quarantine::Fingerprint("m", Ask("hello!")));
  other.sampling_params.temperature = 0.5;
  EXPECT_NE(Quarantine::Fingerprint("m", one), Quarantine::Fingerprint("m", other));
}

}  // namespace
}  // namespace hearth::models
