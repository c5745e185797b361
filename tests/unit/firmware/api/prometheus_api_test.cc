#include "firmware/api/prometheus_api.h"

#include <gtest/gtest.h>

#include "firmware/api/prometheus_status.h"
#include "tests/unit/firmware/api/recorded_response.h"
#include "tests/unit/storage/promql/list_source.h"

namespace hearth::api {
namespace {

class StoppedClock : public Clock {
 public:
  double MonotonicSeconds() const override { return 0; }
  int64_t WallMillis() const override { return 1'000'000; }
};

// x{job="a"} and x{job="b"}: 1, 2, ... every second until 1000 s.
class PrometheusApiTest : public testing::Test {
 protected:
  PrometheusApiTest() {
    for (const char* job : {"a", "b"}) {
      std::vector<promql::Sample> samples;
      for (int i = 1; i <= 1000; ++i) samples.push_back({i * 1000, static_cast<double>(i)});
      source_.Add({{"__name__", "x"}, {"job", job}}, samples);
    }
    routes_ = PrometheusRoutes(source_, &clock_, [] {
      return std::map<std::string, MetricMetadata>{{"x", {"gauge", "What x is.", ""}},
                                                   {"y", {"counter", "What y is.", ""}}};
    });
    ServerFacts facts;
    facts.config_yaml = "global:\n";
    facts.flags = {{"query.timeout", "30s"}};
    facts.storage_retention = "2y";
    facts.alertmanager_urls = {"http://alerts:9093/api/v2/alerts"};
    facts.stored = [] { return StoredFacts{7, 5'000}; };
    status_routes_ = PrometheusStatusRoutes(source_, &clock_, facts);
  }

  void ExpectError(const std::string& pattern, const std::string& query, int status,
                   const std::string& type, const std::string& message) {
    const RecordedResponse response = Get(routes_, pattern, query);
    EXPECT_EQ(response.status, status) << query;
    EXPECT_EQ(response.json(),
              (Json{{"status", "error"}, {"errorType", type}, {"error", message}}));
  }

  StoppedClock clock_;
  promql::ListSource source_;
  std::vector<http::Route> routes_, status_routes_;
};

TEST_F(PrometheusApiTest, AnswersAtTheTimeAskedForOrNow) {
  EXPECT_EQ(Get(routes_, "query", "query=sum(x)").json()["data"]["result"][0]["value"],
            Json::array({1000, "2000"}));
  EXPECT_EQ(Get(routes_, "query", "query=sum(x)&time=10.5").json()["data"]["result"][0]["value"],
            Json::array({10.5, "20"}));
  EXPECT_EQ(Get(routes_, "query", "query=sum(x)&time=1970-01-01T00:00:10Z").json()["data"],
            Get(routes_, "query", "query=sum(x)&time=10").json()["data"]);
}

TEST_F(PrometheusApiTest, ReadsAFormInTheBody) {
  http::Request request;
  request.method = "POST";
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  request.body = "query=vector%281%29&start=0&end=20&step=10s";
  RecordedResponse response;
  for (const http::Route& route : routes_) {
    if (route.method == "POST" && route.pattern == "/api/v1/query_range") {
      route.handler(request, response);
    }
  }
  EXPECT_EQ(response.json()["data"]["result"][0]["values"].size(), 3u);
}

TEST_F(PrometheusApiTest, RefusesMoreThan11000PointsOfASeries) {
  EXPECT_EQ(Get(routes_, "query_range", "query=1&start=0&end=11000&step=1").status, 200);
  ExpectError("query_range", "query=1&start=0&end=11001&step=1", 400, "bad_data",
              "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the "
              "query resolution (?step=XX)");
}

TEST_F(PrometheusApiTest, ATimeoutIsAnErrorOfItsOwn) {
  ExpectError("query", "query=sum(x)&timeout=0", 503, "timeout",
              "query timed out in expression evaluation");
  EXPECT_EQ(Get(routes_, "query", "query=sum(x)&timeout=1h").status, 200);
}

TEST_F(PrometheusApiTest, TooManySamplesAreAnExecutionError) {
  ExpectError("query", "query=count_over_time(vector(1)[20000h:1s])", 422, "execution",
              "query processing would load too many samples into memory in query execution");
}

TEST_F(PrometheusApiTest, ALimitCutsTheAnswerAndSaysSo) {
  const Json one = Get(routes_, "query", "query=x&limit=1").json();
  EXPECT_EQ(one["data"]["result"].size(), 1u);
  EXPECT_EQ(one["warnings"], Json::array({"results truncated due to limit"}));
  EXPECT_FALSE(Get(routes_, "query", "query=x&limit=2").json().contains("warnings"));
  EXPECT_FALSE(Get(routes_, "query", "query=x&limit=0").json().contains("warnings"));
  ExpectError("query", "query=x&limit=-1", 400, "bad_data",
              "invalid parameter \"limit\": limit must be non-negative");
}

TEST_F(PrometheusApiTest, ALookbackReplacesTheFiveMinutes) {
  EXPECT_EQ(Get(routes_, "query", "query=x&time=1100").json()["data"]["result"].size(), 2u);
  EXPECT_EQ(Get(routes_, "query", "query=x&time=1100&lookback_delta=1m").json()["data"]["result"],
            Json::array());
}

TEST_F(PrometheusApiTest, NamesUnreadableParameters) {
  ExpectError("query", "query=x&time=x", 400, "bad_data",
              "invalid parameter \"time\": invalid time value for 'time': cannot parse \"x\" to a "
              "valid timestamp");
  ExpectError("query_range", "query=x&start=0&end=1&step=-1", 400, "bad_data",
              "invalid parameter \"step\": zero or negative query resolution step widths are not "
              "accepted. Try a positive integer");
  ExpectError("series", "", 400, "bad_data", "no match[] parameter provided");
  ExpectError("series", "match[]=%7B%7D", 400, "bad_data",
              "invalid parameter \"match[]\": match[] must contain at least one non-empty matcher");
  ExpectError("metadata", "limit_per_metric=x", 400, "bad_data",
              "limit_per_metric must be a number");
}

TEST_F(PrometheusApiTest, StatsComeWhenAskedFor) {
  const Json answer = Get(routes_, "query", "query=x&stats=all").json();
  EXPECT_EQ(answer["data"]["stats"]["samples"]["totalQueryableSamples"], 2);
  EXPECT_FALSE(Get(routes_, "query", "query=x").json()["data"].contains("stats"));
}

TEST_F(PrometheusApiTest, NamesSeriesLabelsAndValues) {
  EXPECT_EQ(Get(routes_, "series", "match[]=x%7Bjob%3D%22a%22%7D&match[]=x").json()["data"],
            *ParseJson(R"([{"__name__": "x", "job": "a"}, {"__name__": "x", "job": "b"}])"));
  EXPECT_EQ(Get(routes_, "series", "match[]=x&start=2000").json()["data"], Json::array());
  EXPECT_EQ(Get(routes_, "series", "match[]=x&limit=1").json()["data"].size(), 1u);
  EXPECT_EQ(Get(routes_, "labels").json()["data"], Json::array({"__name__", "job"}));
  EXPECT_EQ(Get(routes_, "labels", "match[]=y").json()["data"], Json::array());
  http::Request request;
  request.path_parameters = {"job"};
  EXPECT_EQ(Get(routes_, "label/{}/values", "match[]=x", request).json()["data"],
            Json::array({"a", "b"}));
  EXPECT_EQ(Get(routes_, "label/{}/values", "limit=1", request).json(),
            *ParseJson(R"({"status": "success", "data": ["a"],
                           "warnings": ["results truncated due to limit"]})"));
}

TEST_F(PrometheusApiTest, MetadataIsLimitedAndNamed) {
  EXPECT_EQ(Get(routes_, "metadata", "").json()["data"].size(), 2u);
  EXPECT_EQ(Get(routes_, "metadata", "limit=1").json()["data"].size(), 1u);
  EXPECT_EQ(Get(routes_, "metadata", "metric=y").json()["data"],
            *ParseJson(R"({"y": [{"type": "counter", "help": "What y is.", "unit": ""}]})"));
}

TEST_F(PrometheusApiTest, ExemplarsAreNoneButTheQueryIsRead) {
  EXPECT_EQ(Get(routes_, "query_exemplars", "query=x&start=0&end=1").json()["data"], Json::array());
  ExpectError("query_exemplars", "query=x&start=1&end=0", 400, "bad_data",
              "end timestamp must not be before start timestamp");
}

TEST_F(PrometheusApiTest, LargeAnswersAreCompressedForWhoAcceptsIt) {
  http::Request request;
  request.headers = {{"Accept-Encoding", "gzip"}};
  const RecordedResponse large =
      Get(routes_, "query_range", "query=x&start=1&end=1000&step=1", request);
  EXPECT_EQ(large.headers.at("Content-Encoding"), "gzip");
  EXPECT_EQ(large.body.substr(0, 2), "\x1f\x8b");
  const RecordedResponse small = Get(routes_, "query", "query=1", request);
  EXPECT_FALSE(small.headers.contains("Content-Encoding"));
  EXPECT_EQ(small.headers.at("Vary"), "Accept-Encoding");
}

TEST_F(PrometheusApiTest, TellsWhatItIs) {
  const auto data = [&](const char* path, const char* query = "") {
    return Get(status_routes_, path, query).json()["data"];
  };
  EXPECT_EQ(data("status/buildinfo")["version"], "3.0.0");
  EXPECT_EQ(data("status/config"), (Json{{"yaml", "global:\n"}}));
  EXPECT_EQ(data("status/flags")["query.timeout"], "30s");
  EXPECT_EQ(data("status/runtimeinfo")["storageRetention"], "2y");
  EXPECT_EQ(data("status/runtimeinfo")["serverTime"], "1970-01-01T00:16:40Z");
  EXPECT_EQ(data("alertmanagers")["activeAlertmanagers"][0]["url"],
            "http://alerts:9093/api/v2/alerts");
  EXPECT_EQ(data("targets"), *ParseJson(R"({"activeTargets": [], "droppedTargets": [],
                                            "droppedTargetCounts": {}})"));
  EXPECT_EQ(data("targets/metadata"), Json::array());
}

TEST_F(PrometheusApiTest, CountsItsSeriesForTheStatusPage) {
  const Json tsdb = Get(status_routes_, "status/tsdb", "limit=1").json()["data"];
  EXPECT_EQ(tsdb["headStats"], *ParseJson(R"({"numSeries": 2, "numLabelPairs": 3, "chunkCount": 7,
                                              "minTime": 5000, "maxTime": 1000000})"));
  EXPECT_EQ(tsdb["seriesCountByMetricName"], *ParseJson(R"([{"name": "x", "value": 2}])"));
  EXPECT_EQ(tsdb["labelValueCountByLabelName"], *ParseJson(R"([{"name": "job", "value": 2}])"));
  EXPECT_EQ(tsdb["seriesCountByLabelValuePair"],
            *ParseJson(R"([{"name": "__name__=x", "value": 2}])"));
  EXPECT_EQ(Get(status_routes_, "status/tsdb", "limit=0").json()["error"],
            "limit must be a positive number");
}

}  // namespace
}  // namespace hearth::api
