#include "firmware/cli/library_model.h"

#include <gtest/gtest.h>

namespace hearth::cli {
namespace {

constexpr int64_t kMiB = 1 << 20;

Json Running() {
  return Json{{"id", "7"},           {"kind", "pull"},         {"model", "Org/Name"},
              {"state", "running"},  {"bytes_done", 48 * kMiB}, {"bytes_total", 100 * kMiB},
              {"rate_bytes_s", 4 * kMiB}, {"eta_s", 12.4},      {"retry_in_s", nullptr}};
}

TEST(JobLine, ShowsBarRateAndTimeLeft) {
  EXPECT_EQ(JobLine(Running(), 200),
            "[##############................]  48 %  48.0 MiB of 100.0 MiB  4.0 MiB/s  13.0 s left");
}

TEST(JobLine, GivesTheBarUpWhereThereIsNoRoom) {
  const std::string without = " 48 %  48.0 MiB of 100.0 MiB  4.0 MiB/s  13.0 s left";
  EXPECT_EQ(JobLine(Running(), 0), without);
  EXPECT_EQ(JobLine(Running(), without.size() + 10), without);
  EXPECT_EQ(JobLine(Running(), without.size() + 11), "[####....] " + without);
}

TEST(JobLine, SaysAllOnlyWhenItIsAll) {
  Json job = Running();
  job["bytes_done"] = 100 * kMiB - 1;
  EXPECT_NE(JobLine(job, 0).find(" 99 %"), std::string::npos);
  job["bytes_done"] = 100 * kMiB;
  EXPECT_NE(JobLine(job, 0).find("100 %"), std::string::npos);
}

TEST(JobLine, SaysWhatItWaitsFor) {
  Json job = Running();
  job["error"] = "the hub answered 503";
  job["retry_in_s"] = 4.0;
  EXPECT_EQ(JobLine(job, 80), "Org/Name: the hub answered 503; tried again in 4.0 s");
  EXPECT_EQ(JobLine(Json{{"model", "a"}, {"state", "resolving"}, {"bytes_total", 0}}, 80),
            "a: resolving");
}

TEST(OutcomeOfJob, IsTheStatusOfTheCommand) {
  Json job = Running();
  EXPECT_FALSE(HasEnded(job));
  job["state"] = "done";
  EXPECT_TRUE(HasEnded(job));
  EXPECT_TRUE(OutcomeOfJob(job).ok());
  job["state"] = "failed";
  job["error"] = "model.safetensors: wrong hash";
  EXPECT_EQ(OutcomeOfJob(job).message(),
            "the pull of 'Org/Name' failed: model.safetensors: wrong hash");
  job["state"] = "cancelled";
  EXPECT_EQ(OutcomeOfJob(job).code(), StatusCode::kAborted);
}

TEST(FindInLibrary, NamesWhatThereIs) {
  const Json answer{{"models", {{{"id", "Org/Name"}}, {{"id", "usb"}}}}};
  EXPECT_EQ((*FindInLibrary(answer, "usb"))["id"], "usb");
  EXPECT_EQ(FindInLibrary(answer, "other").status().message(),
            "there is no 'other' in the library; it holds 'Org/Name', 'usb'");
}

TEST(LibraryTables, SurvivesAnswersOfOtherShapes) {
  for (const char* text : {"{}", "[]", "{\"models\":[1,{}],\"jobs\":[{},[]],\"disk\":7}"}) {
    EXPECT_NE(LibraryTables(ParseJson(text).value(), 0), "") << text;
  }
}

}  // namespace
}  // namespace hearth::cli
