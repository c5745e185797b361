#include "firmware/cli/served_models.h"

#include <gtest/gtest.h>

#include "firmware/cli/new_lines.h"

namespace hearth::cli {
namespace {

Json Parsed(const char* text) { return ParseJson(text).value(); }

const char kAnswer[] = R"({"models":[
  {"model_name":"large","aliases":["gpt-4"],"state":"ready","num_ongoing":3,"num_waiting":1,
   "last_used_ms":999000,"autoscaling":{"current_replicas":1,"target_replicas":2},
   "replicas":[{"state":"ready","memory":{"resident":1048576,"weights":5}},
               {"state":"loading","phase":"weights","progress":0.456,
                "memory":{"weights":524288,"kv_cache":524288,"workspace":null,"resident":null}}]},
  {"model_name":"small","aliases":[],"state":"asleep","num_ongoing":0,"num_waiting":0,
   "last_used_ms":0,"autoscaling":{"current_replicas":0,"target_replicas":0},"replicas":[]}]})";

TEST(FindServed, KnowsNamesAndAliases) {
  const Json answer = Parsed(kAnswer);
  EXPECT_EQ((*FindServed(answer, "small"))["model_name"], "small");
  EXPECT_EQ((*FindServed(answer, "gpt-4"))["model_name"], "large");
  EXPECT_EQ(FindServed(answer, "tiny").status().message(),
            "there is no served model 'tiny'; this box serves 'large', 'small'");
  EXPECT_EQ(FindServed(Parsed("{\"models\":[]}"), "x").status().code(), StatusCode::kNotFound);
}

TEST(ServedTable, AddsUpReplicasAndSaysWhatLoads) {
  EXPECT_EQ(ServedTable(Parsed(kAnswer), 1'000'000),
            "name   state                 replicas  ongoing  waiting   memory  last used\n"
            "large  ready (weights 46 %)       1/2        3        1  2.0 MiB  1 s ago\n"
            "small  asleep                     0/0        0        0        -  never\n");
}

TEST(ServedTable, SurvivesModelsOfOtherShapes) {
  EXPECT_NE(ServedTable(Parsed(R"({"models":[{},1,{"replicas":{"a":1},"state":5}]})"), 0), "");
}

TEST(IsWell, CountsAModelThatARequestWakes) {
  EXPECT_TRUE(IsWell(Parsed(R"({"state":"ready"})")));
  EXPECT_TRUE(IsWell(Parsed(R"({"state":"asleep"})")));
  for (const char* state : {"loading", "restarting", "degraded", "failed", "stopped", ""}) {
    EXPECT_FALSE(IsWell(Json{{"state", state}})) << state;
  }
}

TEST(SeenLines, FindsWhereARingMovedOn) {
  const auto lines = [](std::initializer_list<int> numbers) { return Json(numbers); };
  EXPECT_EQ(SeenLines(Json(), lines({1, 2})), 0u);
  EXPECT_EQ(SeenLines(lines({1, 2, 3}), lines({1, 2, 3})), 3u);
  EXPECT_EQ(SeenLines(lines({1, 2, 3}), lines({1, 2, 3, 4})), 3u);
  EXPECT_EQ(SeenLines(lines({1, 2, 3}), lines({2, 3, 4, 5})), 2u) << "the ring dropped the first";
  EXPECT_EQ(SeenLines(lines({1, 2, 3}), lines({7, 8, 9})), 0u) << "it dropped them all";
  EXPECT_EQ(SeenLines(lines({5, 5}), lines({5, 5, 5})), 2u) << "lines may repeat";
  EXPECT_EQ(SeenLines(lines({1, 2}), Json::array()), 0u);
}

}  // namespace
}  // namespace hearth::cli
