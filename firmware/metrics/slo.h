// Service level objectives: which requests were good.
//
// A good request was answered within every target of its model; judged are all but those that the
// client broke off or got wrong. good / judged is the attainment, the rate of good ones the goodput
// (DistServe; vLLM's bench). Histograms cannot give this: the condition joins TTFT and TPOT of one
// request.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "firmware/metrics/registry.h"

namespace hearth::metrics {

// In seconds; an absent one is always met.
struct SloTargets {
  std::optional<double> ttft_s = 2.0;
  std::optional<double> tpot_s = 0.2;
  std::optional<double> e2e_s;
  bool operator==(const SloTargets&) const = default;
};

// One model's. Any thread.
class SloJudge {
 public:
  SloJudge(Registry* registry, const std::string& model_name);

  void SetTargets(const SloTargets& targets);
  SloTargets targets() const;

  struct Timings {
    double ttft_s = 0;
    double tpot_s = 0;  // 0 for a single token
    double e2e_s = 0;
  };
  void OnAnswered(const Timings& timings);
  // The box did not answer a request it should have answered.
  void OnFailed();

 private:
  Registry* const registry_;
  const std::string model_name_;
  Metric *const judged_, *const good_;
  mutable std::mutex mutex_;
  SloTargets targets_;
};

}  // namespace hearth::metrics
