#include "firmware/api/request_log.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "base/fields.h"
#include "firmware/api/requests_api.h"
#include "firmware/metrics/metric_defs.h"
#include "recorded_response.h"

namespace hearth::api {
namespace {

namespace fs = std::filesystem;

class RequestLogTest : public testing::Test {
 protected:
  RequestLogTest() {
    std::string pattern = (fs::temp_directory_path() / "requests-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    options_.path = directory_ + "/requests.db";
    options_.commit_interval_s = 3600;
    options_.kept = 5;
    Open();
  }
  ~RequestLogTest() override {
    log_.reset();
    fs::remove_all(directory_);
  }

  void Open() {
    log_.reset();
    log_ = RequestLog::Open(options_, &registry_);
  }
  void Add(const std::string& request_id, const std::string& outcome = "stop", double e2e_ms = 1) {
    LoggedRequest row;
    row.request_id = request_id;
    row.model_name = "demo";
    row.outcome = outcome;
    row.status = outcome == "stop" ? 200 : 404;
    row.time_ms = ++time_ms_;
    row.e2e_ms = e2e_ms;
    log_->Add(row);
  }
  // Request ids joined by spaces.
  std::string Found(const RequestFilter& filter = {}) {
    std::string ids;
    for (const LoggedRequest& row : log_->Find(filter).requests) {
      ids += (ids.empty() ? "" : " ") + row.request_id;
    }
    return ids;
  }
  double Dropped() {
    const metrics::Snapshot snapshot = registry_.TakeSnapshot();
    for (const metrics::RecordedSeries* const series : snapshot.series) {
      if (series->id == metrics::MetricId::kRequestLogDropped) return snapshot.values[series->index];
    }
    return -1;
  }
  RecordedResponse Ask(const std::string& query) {
    http::Request request;
    request.query = query;
    RecordedResponse response;
    RequestsRoutes(log_.get())[0].handler(request, response);
    return response;
  }

  metrics::Registry registry_;
  std::string directory_;
  RequestLog::Options options_;
  std::unique_ptr<RequestLog> log_;
  int64_t time_ms_ = 1'000'000;
};

TEST_F(RequestLogTest, KeepsWholeRowsAcrossStarts) {
  LoggedRequest row;
  row.request_id = "a";
  row.time_ms = 1'800'000'000'123;
  row.stream = true;
  row.status = 200;
  row.outcome = "length";
  row.prompt_tokens = 7;
  row.queue_ms = 0.125;
  row.e2e_ms = 12.5;
  row.error = "wörds";
  log_->Add(row);
  Open();
  const auto found = log_->Find({});
  ASSERT_EQ(found.requests.size(), 1u);
  row.id = 1;
  EXPECT_EQ(DumpJson(ToJson(found.requests[0])), DumpJson(ToJson(row)));
  EXPECT_FALSE(found.requests[0].cached_tokens.has_value());
  Add("b");
  EXPECT_EQ(log_->Find({}).requests[0].id, 2) << "ids ascend over restarts";
}

TEST_F(RequestLogTest, TheOldestMakeWayInMemoryAndOnTheDisk) {
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 3; ++i) Add(std::to_string(3 * round + i));
    Open();
  }
  EXPECT_EQ(Found(), "11 10 9 8 7");
  EXPECT_EQ(log_->Find({}).kept, 5u);
  EXPECT_EQ(Dropped(), 0);
}

TEST_F(RequestLogTest, WhatTheDiskNeverGetsIsCounted) {
  for (int i = 0; i < 8; ++i) Add(std::to_string(i));
  EXPECT_EQ(Dropped(), 3);
  EXPECT_EQ(Found(), "7 6 5 4 3");
}

TEST_F(RequestLogTest, WorksWithoutItsFile) {
  log_.reset();
  fs::remove_all(directory_);
  std::ofstream(directory_) << "in the way";
  Open();
  ASSERT_EQ(log_->troubles().size(), 1u);
  for (int i = 0; i < 8; ++i) Add(std::to_string(i));
  EXPECT_EQ(Found(), "7 6 5 4 3");
}

TEST_F(RequestLogTest, ABrokenFileDoesNotStopTheStart) {
  Add("a");
  log_.reset();
  for (const char* const suffix : {"", "-wal"}) fs::remove(options_.path + suffix);
  std::ofstream(options_.path) << std::string(5000, 'x');
  Open();
  ASSERT_EQ(log_->troubles().size(), 1u);
  Add("b");
  Open();
  EXPECT_EQ(Found(), "b");
}

TEST_F(RequestLogTest, FindsByEachFilter) {
  Add("a", "stop", 30);
  Add("b", "model_not_found", 10);
  Add("c", "stop", 20);
  EXPECT_EQ(Found(), "c b a");
  EXPECT_EQ(Found({.outcome = "answered"}), "c a");
  EXPECT_EQ(Found({.outcome = "failed"}), "b");
  EXPECT_EQ(Found({.outcome = "model_not_found"}), "b");
  EXPECT_EQ(Found({.model_name = "other"}), "");
  EXPECT_EQ(Found({.request_id = "a"}), "a");
  EXPECT_EQ(Found({.status_min = 400, .status_max = 499}), "b");
  EXPECT_EQ(Found({.since_ms = 1'000'002}), "c b");
  EXPECT_EQ(Found({.before = 3}), "b a");
  EXPECT_EQ(Found({.e2e_ms_min = 15}), "c a");
  EXPECT_EQ(Found({.slowest_first = true}), "a c b");
  EXPECT_EQ(Found({.slowest_first = true, .limit = 1}), "a");
  EXPECT_EQ(log_->Find({.limit = 1}).matched, 3u);
}

TEST_F(RequestLogTest, TheApiSpeaksOfFieldsAndRefusesWhatItDoesNotKnow) {
  EXPECT_EQ(Ask("").body,
            R"({"requests":[],"matched":0,"kept":0,"oldest_ms":null,"models":[]})");
  Add("a");
  Add("b", "model_not_found");
  const Json found = Ask("status=4xx&order=slowest&limit=1&since=1000.002&min_ms=0.5").json();
  ASSERT_EQ(found["requests"].size(), 1u);
  EXPECT_EQ(found["requests"][0]["request_id"], "b");
  EXPECT_TRUE(found["requests"][0]["error"].is_null());
  EXPECT_EQ(Ask("status=404").json()["matched"], 1);
  EXPECT_EQ(Ask("before=2").json()["matched"], 1);
  for (const char* const bad :
       {"status=4x", "status=x04", "limit=0", "limit=1001", "limit=z", "order=new", "since=-1"}) {
    const auto refused = Ask(bad);
    EXPECT_EQ(refused.status, 400) << bad;
    EXPECT_NE(refused.body.find("must be"), std::string::npos) << refused.body;
  }
}

class RequestNoteTest : public RequestLogTest {
 protected:
  std::string ErrorOf(const std::string& param, const std::string& message) {
    RequestNote(log_.get(), {}).Refuse("invalid_request", 400, param, message);
    return log_->Find({}).requests[0].error;
  }
};

TEST_F(RequestNoteTest, WhatClientsWroteStaysOut) {
  EXPECT_EQ(ErrorOf("temperature", "'temperature' is 99; it must be between 0 and 2"),
            "'temperature' is 99; it must be between 0 and 2");
  EXPECT_EQ(ErrorOf("stop", "'stop' must be a string, not [\"se\\\"cret\", 3]; x"),
            "'stop' must be a string, not […, 3]; x");
  EXPECT_EQ(ErrorOf("stop", "'stop' must be a string, not [\"secret..."),
            "'stop' must be a string, not […");
  EXPECT_EQ(ErrorOf("messages[0].role", "role is secret"), "'messages[0].role' was refused");
  EXPECT_EQ(ErrorOf("prompt", "secret"), "'prompt' was refused");
  EXPECT_EQ(ErrorOf("", "invalid JSON near 'secret'"), "the body was refused");
}

TEST_F(RequestNoteTest, ARequestThatNobodyEndedIsLost) {
  { RequestNote note(log_.get(), {}); }
  const LoggedRequest row = log_->Find({}).requests[0];
  EXPECT_EQ(row.outcome, "lost");
  EXPECT_EQ(row.status, 500);
}

TEST_F(RequestNoteTest, LongTextsAreCutBetweenCharacters) {
  std::string long_name;
  for (int i = 0; i < 100; ++i) long_name += "é";
  {
    RequestNote note(log_.get(), {});
    note->model_name = "x" + long_name;
    note.End("engine_died", 503, std::string(1000, 'e'));
  }
  const LoggedRequest row = log_->Find({}).requests[0];
  EXPECT_LE(row.model_name.size(), 131u);
  EXPECT_TRUE(ParseJson(DumpJson(Json(row.model_name))).ok());
  EXPECT_EQ(*ParseJson("\"" + row.model_name + "\""), row.model_name) << "still UTF-8";
  EXPECT_LE(row.error.size(), 303u);
}

}  // namespace
}  // namespace hearth::api
