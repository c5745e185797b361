// Compensated summation (Neumaier), in the form that makes sums equal Prometheus's bit for bit.
#pragma once

#include <cmath>

namespace hearth::promql {

struct KahanSum {
  double sum = 0;
  double compensation = 0;

  void Add(double value) {
    const double total = sum + value;
    if (std::isinf(total)) {
      compensation = 0;
    } else if (std::abs(sum) >= std::abs(value)) {
      compensation += (sum - total) + value;
    } else {
      compensation += (value - total) + sum;
    }
    sum = total;
  }
  double Result() const { return std::isinf(sum) ? sum : sum + compensation; }
};

// The mean as Prometheus takes it: the plain sum divided by the count until that sum overflows, an
// incremental mean from there on.
class MeanAccumulator {
 public:
  void Add(double value) {
    ++count_;
    if (count_ == 1) {
      sum_.sum = value;
      return;
    }
    if (!incremental_) {
      KahanSum next = sum_;
      next.Add(value);
      if (!std::isinf(next.sum)) {
        sum_ = next;
        return;
      }
      incremental_ = true;
      mean_.sum = sum_.sum / (count_ - 1);
      mean_.compensation = sum_.compensation / (count_ - 1);
    }
    const double share = (count_ - 1) / count_;
    mean_.sum *= share;
    mean_.compensation *= share;
    mean_.Add(value / count_);
  }
  double Result() const {
    if (incremental_) return mean_.sum + mean_.compensation;
    return sum_.sum / count_ + sum_.compensation / count_;
  }

 private:
  double count_ = 0;
  KahanSum sum_;
  KahanSum mean_;
  bool incremental_ = false;
};

// Population variance by Welford's method.
class VarianceAccumulator {
 public:
  void Add(double value) {
    ++count_;
    const double delta = value - (mean_.sum + mean_.compensation);
    mean_.Add(delta / count_);
    squares_.Add(delta * (value - (mean_.sum + mean_.compensation)));
  }
  double Result() const { return (squares_.sum + squares_.compensation) / count_; }

 private:
  double count_ = 0;
  KahanSum mean_;
  KahanSum squares_;
};

}  // namespace hearth::promql
