#include "firmware/cli/bench_report.h"

#include <gtest/gtest.h>

#include "firmware/cli/read_json.h"

namespace hearth::cli {
namespace {

RequestOutcome Answered(double due_s, double sent_s, double first_s,
                        const std::vector<double>& gaps_s) {
  RequestOutcome outcome;
  outcome.was_tried = true;
  outcome.due_s = due_s;
  outcome.sent_s = sent_s;
  outcome.first_s = first_s;
  outcome.gaps_s = gaps_s;
  outcome.end_s = first_s;
  for (const double gap : gaps_s) outcome.end_s += gap;
  outcome.prompt_tokens = 10;
  outcome.completion_tokens = static_cast<int64_t>(gaps_s.size()) + 1;
  return outcome;
}

BenchResult Of(std::vector<RequestOutcome> outcomes, double duration_s) {
  BenchResult result;
  result.options.requests = static_cast<int>(outcomes.size());
  result.options.model = "demo";
  result.outcomes = std::move(outcomes);
  result.duration_s = duration_s;
  return result;
}

double At(const Json& report, const char* summary, const char* key) {
  return NumberOf(PartOf(report, summary), key).value();
}

TEST(Percentile, LiesBetweenNeighboursAsInNumpy) {
  const std::vector<double> values = {1, 2, 3, 4};  // numpy.percentile(…, [50, 90, 99])
  EXPECT_DOUBLE_EQ(Percentile(values, 0), 1);
  EXPECT_DOUBLE_EQ(Percentile(values, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(Percentile(values, 0.9), 3.7);
  EXPECT_DOUBLE_EQ(Percentile(values, 0.99), 3.97);
  EXPECT_DOUBLE_EQ(Percentile(values, 1), 4);
  EXPECT_DOUBLE_EQ(Percentile({7}, 0.99), 7);
}

TEST(ReportOf, CountsLatenciesFromWhenARequestWasDue) {
  // Sent 3 s late because the client had no stream free: the box was too slow, which must show.
  const Json report = ReportOf(Of({Answered(10, 13, 13.5, {0.5, 1})}, 5));
  EXPECT_DOUBLE_EQ(At(report, "ttft_ms", "p50"), 3500);
  EXPECT_DOUBLE_EQ(At(report, "e2e_ms", "p50"), 5000);
  EXPECT_DOUBLE_EQ(At(report, "send_delay_ms", "p50"), 3000);
  EXPECT_DOUBLE_EQ(At(report, "tpot_ms", "p50"), 750) << "of its text alone";
  EXPECT_DOUBLE_EQ(At(report, "itl_ms", "max"), 1000);
}

TEST(ReportOf, CountsRatesOverTheWholeRunAndFailuresApart) {
  RequestOutcome failed;
  failed.was_tried = true;
  failed.error = "503: the queue is full";
  RequestOutcome never_sent;
  const Json report =
      ReportOf(Of({Answered(0, 0, 1, {1}), Answered(0, 0, 1, {1, 1}), failed, never_sent}, 4));
  EXPECT_EQ(CountOf(report, "succeeded"), 2);
  EXPECT_EQ(CountOf(report, "failed"), 1);
  EXPECT_EQ(CountOf(PartOf(report, "errors"), "503: the queue is full"), 1);
  EXPECT_EQ(CountOf(report, "output_tokens"), 5);
  EXPECT_DOUBLE_EQ(NumberOf(report, "requests_per_s").value(), 0.5);
  EXPECT_DOUBLE_EQ(NumberOf(report, "output_tokens_per_s").value(), 1.25);
  EXPECT_DOUBLE_EQ(NumberOf(report, "prompt_tokens_per_s").value(), 5);
  EXPECT_NE(ReportText(report).find("1 times: 503: the queue is full"), std::string::npos);
}

TEST(ReportOf, SaysNothingOfWhatWasNotMeasured) {
  RequestOutcome failed;
  failed.was_tried = true;
  failed.error = "refused";
  const Json report = ReportOf(Of({failed}, 1));
  EXPECT_TRUE(PartOf(report, "ttft_ms").is_null());
  EXPECT_TRUE(PartOf(report, "e2e_ms").is_null());
  EXPECT_NE(ReportText(report).find("(TTFT)      -    -    -     -    -"), std::string::npos)
      << ReportText(report);
}

}  // namespace
}  // namespace hearth::cli
