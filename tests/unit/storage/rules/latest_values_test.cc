#include "storage/rules/latest_values.h"

#include <gtest/gtest.h>

#include "tests/unit/storage/rules/memory_series.h"

namespace hearth::rules {
namespace {

const promql::Labels kMade({promql::Labels::Pair{"__name__", "made"}});

std::vector<promql::Series> Query(const promql::SeriesSource& source, int64_t time_ms) {
  const Result<promql::ExprPtr> expr = promql::Parse("made");
  return promql::EvalInstant(source, **expr, time_ms).value().series;
}

TEST(LatestValues, IsSeenOnTopOfWhatIsRecorded) {
  MemorySeries recorded;
  recorded.Put(kMade, {1000, 1});
  LatestValues latest(&recorded);
  latest.Put(kMade, {2000, 2});
  EXPECT_EQ(Query(latest, 2000)[0].samples[0].value, 2);
  EXPECT_EQ(Query(latest, 1500)[0].samples[0].value, 1);
  recorded.Put(kMade, {3000, 3});
  EXPECT_EQ(Query(latest, 3000)[0].samples[0].value, 3);
}

TEST(LatestValues, ASeriesThatEndedIsGone) {
  MemorySeries recorded;
  recorded.Put(kMade, {1000, 1});
  LatestValues latest(&recorded);
  latest.Put(kMade, {2000, 2});
  EXPECT_EQ(latest.Current().size(), 1u);
  latest.Put(kMade, {3000, promql::StaleMarker()});
  EXPECT_TRUE(latest.Current().empty());
  EXPECT_TRUE(Query(latest, 3000).empty());
  recorded.Put(kMade, {3050, 2});  // was under way
  EXPECT_TRUE(Query(latest, 4000).empty());
}

}  // namespace
}  // namespace hearth::rules
