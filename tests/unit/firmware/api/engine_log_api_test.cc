#include "firmware/api/engine_log_api.h"

#include "firmware/models/engine_log.h"
#include "tests/unit/firmware/api/recorded_response.h"

namespace hearth::api {
namespace {

RecordedResponse Log(const std::string& rest, const std::string& query = "") {
  RecordedResponse response;
  http::Request request;
  request.method = "GET";
  request.path = "/api/models/" + rest;
  request.query = query;
  request.path_parameters = {rest};
  EngineLogRoutes().at(0).handler(request, response);
  return response;
}

TEST(EngineLogApi, GivesTheNewestLinesOldestFirst) {
  models::EngineLog& log = models::EngineLog::Of("Org/Model");
  for (int i = 0; i < 300; ++i) log.Append(1, "line " + std::to_string(i));
  const Json all = Log("Org/Model/log").json()["lines"];
  ASSERT_EQ(all.size(), 200u);
  EXPECT_EQ(all[0]["text"], "line 100");
  const Json two = Log("Org/Model/log", "lines=2").json()["lines"];
  ASSERT_EQ(two.size(), 2u);
  EXPECT_EQ(two[1]["text"], "line 299");
  EXPECT_EQ(two[1]["replica"], 1);
  EXPECT_GT(two[1]["time_ms"].get<int64_t>(), 0);
}

TEST(EngineLogApi, RefusesWhatIsNoNumberOfLinesAndModelsItNeverSaw) {
  models::EngineLog::Of("m").Append(0, "x");
  for (const char* const lines : {"0", "501", "-1", "many", "1.5"}) {
    EXPECT_EQ(Log("m/log", "lines=" + std::string(lines)).status, 400) << lines;
  }
  EXPECT_EQ(Log("nobody's/log").status, 404);
  EXPECT_EQ(Log("m").status, 404);
}

}  // namespace
}  // namespace hearth::api
