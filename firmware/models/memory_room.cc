#include "firmware/models/memory_room.h"

#include <algorithm>

#include "firmware/models/fit_estimate.h"

namespace hearth::models {
namespace {

FitEstimate Estimate(const RoomInput& input, const std::vector<size_t>& going) {
  FitInput fit;
  fit.starts.push_back({input.model_name, input.plan, input.kv_cache_memory_bytes});
  fit.memory_total_bytes = input.plan.memory_total_bytes;
  fit.memory_free_bytes = input.plan.memory_free_bytes;
  fit.memory_limit_bytes = input.memory_limit_bytes;
  for (size_t i = 0; i < input.tenants.size(); ++i) {
    const Tenant& tenant = input.tenants[i];
    RunningModel run;
    run.model_name = tenant.model_name;
    run.ready.weight_bytes = tenant.footprint.weight_bytes;
    run.ready.kv_cache_bytes = tenant.footprint.kv_cache_bytes;
    run.ready.workspace_bytes = tenant.footprint.workspace_bytes;
    run.resident_bytes = tenant.resident_bytes;
    run.goes = std::find(going.begin(), going.end(), i) != going.end();
    fit.runs.push_back(std::move(run));
  }
  return EstimateFit(fit);
}

std::vector<size_t> Yielding(const RoomInput& input, bool busy_too) {
  std::vector<size_t> yielding;
  for (size_t i = 0; i < input.tenants.size(); ++i) {
    const Tenant::Yields yields = input.tenants[i].yields;
    const bool would =
        yields == Tenant::Yields::kNow || (busy_too && yields == Tenant::Yields::kWhenIdle);
    if (would) yielding.push_back(i);
  }
  std::stable_sort(yielding.begin(), yielding.end(), [&](size_t a, size_t b) {
    return input.tenants[a].last_used_s < input.tenants[b].last_used_s;
  });
  return yielding;
}

// The shortest row of the longest unused that makes room, without those that turn out not to
// matter.
std::vector<size_t> FewestOf(const RoomInput& input, const std::vector<size_t>& yielding) {
  std::vector<size_t> going;
  for (const size_t tenant : yielding) {
    going.push_back(tenant);
    if (Estimate(input, going).fits) break;
  }
  for (size_t i = 0; i + 1 < going.size();) {
    std::vector<size_t> without = going;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
    if (Estimate(input, without).fits) {
      going = std::move(without);
    } else {
      ++i;
    }
  }
  return going;
}

}  // namespace

Footprint FootprintOf(const protocol::Ready& ready) {
  return {ready.weight_bytes, ready.kv_cache_bytes, ready.workspace_bytes};
}

Room FindRoom(const RoomInput& input) {
  Room room;
  const auto finish = [&](Room::Verdict verdict, const FitEstimate& estimate) {
    room.verdict = verdict;
    room.footprint = {input.plan.weight_bytes, estimate.models.front().kv_cache_bytes,
                      input.plan.workspace_bytes};
    if (!estimate.sentences.empty()) room.why = estimate.sentences.front();
    return room;
  };
  const FitEstimate beside = Estimate(input, {});
  if (beside.fits_together) return finish(Room::Verdict::kFits, beside);
  const std::vector<size_t> idle = Yielding(input, false);
  const FitEstimate without_idle = Estimate(input, idle);
  if (without_idle.fits) {
    room.give_way = FewestOf(input, idle);
    return finish(Room::Verdict::kAfterOthers, without_idle);
  }
  const FitEstimate without_all = Estimate(input, Yielding(input, true));
  if (without_all.fits) return finish(Room::Verdict::kWhenIdle, beside);
  return finish(Room::Verdict::kNever, without_all);
}

}  // namespace hearth::models
