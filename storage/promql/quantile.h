// Quantiles of plain values and of classic histograms, by Prometheus's rules.
#pragma once

#include <cstddef>
#include <vector>

namespace hearth::promql {

// Linear interpolation between the two nearest ranks. NaN for no values or a NaN quantile; -Inf
// below 0, +Inf above 1. NaN values count as the smallest. Reorders `values`.
double Quantile(double quantile, std::vector<double>& values);

// The same of `nans` times NaN and the ascending numbers `sorted`.
double QuantileOfSorted(double quantile, const std::vector<double>& sorted, size_t nans);

struct Bucket {
  double upper_bound = 0;
  double count = 0;  // cumulative
};

// Linear interpolation inside the bucket that holds the rank; the lowest bucket starts at 0. NaN
// for no observations, fewer than two buckets or none up to +Inf; the highest finite bound for a
// rank in the last bucket. `buckets` are sorted by bound, merged and made monotonic in place;
// *forced_monotonic tells that counts had to be raised by more than rounding.
double BucketQuantile(double quantile, std::vector<Bucket>& buckets, bool* forced_monotonic);

}  // namespace hearth::promql
