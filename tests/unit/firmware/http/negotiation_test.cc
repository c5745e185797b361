#include "firmware/http/negotiation.h"

#include <gtest/gtest.h>

#include <array>

namespace hearth::http {
namespace {

// As a metrics endpoint offers them; the plain text is for everybody who has no preference.
constexpr std::array<std::string_view, 3> kOffers = {
    "text/plain; version=0.0.4; charset=utf-8",
    "application/openmetrics-text; version=1.0.0; charset=utf-8",
    "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8",
};
constexpr size_t kText = 0, kOpenMetrics = 1, kOpenMetricsEscaping = 2;

std::optional<size_t> Choose(std::string_view accept) { return ChooseMediaType(accept, kOffers); }

TEST(ChooseMediaType, GivesPrometheus2OpenMetrics) {
  EXPECT_EQ(Choose("application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
                   "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"),
            kOpenMetrics);
}

TEST(ChooseMediaType, GivesPrometheus3TheEscapingItNames) {
  EXPECT_EQ(Choose("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
                   "application/openmetrics-text;version=0.0.1;q=0.4,"
                   "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
                   "text/plain;version=0.0.4;q=0.2,*/*;q=0.1"),
            kOpenMetricsEscaping);
}

TEST(ChooseMediaType, GivesTheFirstOfferToWhoeverHasNoPreference) {
  EXPECT_EQ(Choose(""), kText);
  EXPECT_EQ(Choose(" "), kText);
  EXPECT_EQ(Choose("*/*"), kText);
  EXPECT_EQ(Choose("application/openmetrics-text, text/plain"), kText);
  EXPECT_EQ(Choose("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"),
            kText);
}

TEST(ChooseMediaType, WeighsAnOfferByTheMostSpecificRange) {
  EXPECT_EQ(Choose("*/*;q=1, text/plain;q=0.1"), kOpenMetrics);
  EXPECT_EQ(Choose("text/*;q=0.9, text/plain;q=0.1, application/*;q=0.5"), kOpenMetrics);
  EXPECT_EQ(Choose("text/plain;q=0.1, text/plain;version=0.0.4;q=0.9, application/*;q=0.5"), kText);
  EXPECT_EQ(Choose("text/plain;version=0.0.4;q=0, */*"), kOpenMetrics);
}

TEST(ChooseMediaType, PrefersWhatIsNamedToWhatIsOnlyTaken) {
  EXPECT_EQ(Choose("*/*, application/openmetrics-text"), kOpenMetrics);
}

TEST(ChooseMediaType, MatchesParametersInAnyOrderCaseAndQuotes) {
  EXPECT_EQ(Choose("Application/OpenMetrics-Text ; Charset=\"UTF-8\" ;Version=1.0.0"),
            kOpenMetrics);
  EXPECT_EQ(Choose("text/plain;version=1.0.0"), std::nullopt);
  EXPECT_EQ(Choose("application/openmetrics-text;version=0.0.1"), std::nullopt);
  EXPECT_EQ(Choose("text/plain;note=\"a, b; \\\"q=0\""), std::nullopt) << "one range, not three";
}

TEST(ChooseMediaType, FindsNothingForWhoRefusesEverything) {
  EXPECT_EQ(Choose("application/json"), std::nullopt);
  EXPECT_EQ(Choose("*/*;q=0"), std::nullopt);
  EXPECT_EQ(ChooseMediaType("*/*", {}), std::nullopt);
}

TEST(ChooseMediaType, LeavesMalformedRangesOut) {
  for (const std::string_view weight : {"x", "", "1.5", "-0", "0.1234", "1e0", "0x1", "nan"}) {
    const std::string accept = "application/openmetrics-text;q=" + std::string(weight);
    EXPECT_EQ(Choose(accept), std::nullopt) << accept;
    EXPECT_EQ(Choose(accept + ", text/plain;q=0.001"), kText) << accept;
  }
  EXPECT_EQ(Choose(",, ;q=1,text/plain,"), kText);
  EXPECT_EQ(Choose("text/plain;q=\"unended"), std::nullopt);
  EXPECT_EQ(Choose("text/plain;note=\"ends in a backslash\\"), std::nullopt);
}

TEST(AcceptsGzip, FollowsTheClientsWeights) {
  EXPECT_TRUE(AcceptsGzip("gzip"));
  EXPECT_TRUE(AcceptsGzip("gzip, deflate, br, zstd"));
  EXPECT_TRUE(AcceptsGzip("br;q=1.0, GZIP;q=0.5"));
  EXPECT_TRUE(AcceptsGzip("identity, gzip"));
  EXPECT_TRUE(AcceptsGzip("*"));
  EXPECT_TRUE(AcceptsGzip("identity;q=0.5, *;q=0.7"));
  EXPECT_FALSE(AcceptsGzip(""));
  EXPECT_FALSE(AcceptsGzip("identity"));
  EXPECT_FALSE(AcceptsGzip("br, xgzip"));
  EXPECT_FALSE(AcceptsGzip("gzip;q=0"));
  EXPECT_FALSE(AcceptsGzip("gzip;Q=0.000, br"));
  EXPECT_FALSE(AcceptsGzip("*, gzip;q=0"));
  EXPECT_FALSE(AcceptsGzip("*;q=0"));
  EXPECT_FALSE(AcceptsGzip("gzip;q=0.5, identity"));
  EXPECT_FALSE(AcceptsGzip("gzip;q=often"));
}

}  // namespace
}  // namespace hearth::http
