#include "storage/promql/quantile.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hearth::promql {

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

// Differences below this share of the sum come from floating point, not from the counters.
constexpr double kSmallDelta = 1e-12;

bool AlmostEqual(double a, double b) {
  if (a == b) return true;
  const double sum = std::abs(a) + std::abs(b);
  const double difference = std::abs(a - b);
  constexpr double kMinNormal = std::numeric_limits<double>::min();
  if (a == 0 || b == 0 || sum < kMinNormal) return difference < kSmallDelta * kMinNormal;
  return difference / std::min(sum, std::numeric_limits<double>::max()) < kSmallDelta;
}

void MergeEqualBounds(std::vector<Bucket>& buckets) {
  size_t last = 0;
  for (size_t i = 1; i < buckets.size(); ++i) {
    if (buckets[i].upper_bound == buckets[last].upper_bound) {
      buckets[last].count += buckets[i].count;
    } else {
      buckets[++last] = buckets[i];
    }
  }
  buckets.resize(last + 1);
}

bool RaiseToMonotonic(std::vector<Bucket>& buckets) {
  bool forced = false;
  double previous = buckets.front().count;
  for (Bucket& bucket : buckets) {
    if (bucket.count == previous) continue;
    if (AlmostEqual(previous, bucket.count)) {
      bucket.count = previous;
    } else if (bucket.count < previous) {
      bucket.count = previous;
      forced = true;
    } else {
      previous = bucket.count;
    }
  }
  return forced;
}

// The ranks between which a quantile lies, and how far it is from the lower one.
struct Rank {
  size_t lower = 0;
  size_t upper = 0;
  double weight = 0;
};

Rank RankOf(double quantile, size_t count) {
  const double exact = quantile * static_cast<double>(count - 1);
  const double lower = std::max(0.0, std::floor(exact));
  const double upper = std::min(static_cast<double>(count - 1), lower + 1);
  return {static_cast<size_t>(lower), static_cast<size_t>(upper), exact - std::floor(exact)};
}

}  // namespace

double Quantile(double quantile, std::vector<double>& values) {
  if (values.empty() || std::isnan(quantile)) return kNaN;
  if (quantile < 0) return -kInf;
  if (quantile > 1) return kInf;
  const auto less = [](double a, double b) { return std::isnan(a) ? !std::isnan(b) : a < b; };
  const Rank rank = RankOf(quantile, values.size());
  const auto lower = values.begin() + static_cast<std::ptrdiff_t>(rank.lower);
  std::nth_element(values.begin(), lower, values.end(), less);
  const double upper =
      rank.upper == rank.lower ? *lower : *std::min_element(lower + 1, values.end(), less);
  return *lower * (1 - rank.weight) + upper * rank.weight;
}

double QuantileOfSorted(double quantile, const std::vector<double>& sorted, size_t nans) {
  const size_t count = sorted.size() + nans;
  if (count == 0 || std::isnan(quantile)) return kNaN;
  if (quantile < 0) return -kInf;
  if (quantile > 1) return kInf;
  const auto at = [&](size_t index) { return index < nans ? kNaN : sorted[index - nans]; };
  const Rank rank = RankOf(quantile, count);
  return at(rank.lower) * (1 - rank.weight) + at(rank.upper) * rank.weight;
}

double BucketQuantile(double quantile, std::vector<Bucket>& buckets, bool* forced_monotonic) {
  *forced_monotonic = false;
  if (std::isnan(quantile)) return kNaN;
  if (quantile < 0) return -kInf;
  if (quantile > 1) return kInf;
  const auto lower = [](const Bucket& a, const Bucket& b) { return a.upper_bound < b.upper_bound; };
  if (!std::is_sorted(buckets.begin(), buckets.end(), lower)) {
    std::stable_sort(buckets.begin(), buckets.end(), lower);
  }
  if (buckets.empty() || buckets.back().upper_bound != kInf) return kNaN;
  MergeEqualBounds(buckets);
  *forced_monotonic = RaiseToMonotonic(buckets);
  if (buckets.size() < 2) return kNaN;
  const double observations = buckets.back().count;
  if (observations == 0) return kNaN;
  double rank = quantile * observations;
  const auto found = std::find_if(buckets.begin(), buckets.end() - 1,
                                  [&](const Bucket& bucket) { return bucket.count >= rank; });
  if (found == buckets.end() - 1) return buckets[buckets.size() - 2].upper_bound;
  if (found == buckets.begin() && found->upper_bound <= 0) return found->upper_bound;
  double start = 0;
  double count = found->count;
  if (found != buckets.begin()) {
    const Bucket& below = *(found - 1);
    start = below.upper_bound;
    count -= below.count;
    rank -= below.count;
  }
  return start + (found->upper_bound - start) * (rank / count);
}

}  // namespace hearth::promql
