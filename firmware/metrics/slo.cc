#include "firmware/metrics/slo.h"

namespace hearth::metrics {

SloJudge::SloJudge(Registry* registry, const std::string& model_name)
    : registry_(registry),
      model_name_(model_name),
      judged_(registry->Get(MetricId::kSloRequests, {model_name})),
      good_(registry->Get(MetricId::kSloGoodRequests, {model_name})) {
  SetTargets({});
}

void SloJudge::SetTargets(const SloTargets& targets) {
  {
    std::lock_guard lock(mutex_);
    targets_ = targets;
  }
  const std::optional<double> values[] = {targets.ttft_s, targets.tpot_s, targets.e2e_s};
  for (size_t i = 0; i < std::size(kSloObjectives); ++i) {
    Metric* const metric =
        registry_->Get(MetricId::kSloTarget, {model_name_, std::string(kSloObjectives[i])});
    registry_->SetExposed(metric, values[i].has_value());
    registry_->Set(metric, values[i].value_or(0));
  }
}

SloTargets SloJudge::targets() const {
  std::lock_guard lock(mutex_);
  return targets_;
}

void SloJudge::OnAnswered(const Timings& timings) {
  const SloTargets targets = this->targets();
  const auto met = [](double value, const std::optional<double>& target) {
    return !target || value <= *target;
  };
  registry_->Add(judged_);
  if (met(timings.ttft_s, targets.ttft_s) && met(timings.tpot_s, targets.tpot_s) &&
      met(timings.e2e_s, targets.e2e_s)) {
    registry_->Add(good_);
  }
}

void SloJudge::OnFailed() { registry_->Add(judged_); }

}  // namespace hearth::metrics
