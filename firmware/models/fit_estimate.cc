#include "firmware/models/fit_estimate.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace hearth::models {
namespace {

using Kind = FitSegment::Kind;
using State = FitSegment::State;

// A disk of the cloud that was not read before.
constexpr double kLoadBytesPerS = 200e6;
// To start a process, read a tokenizer, and answer a probe.
constexpr double kStartS = 10;

int64_t Reserved(const protocol::Ready& ready) {
  return ready.weight_bytes + ready.kv_cache_bytes + ready.workspace_bytes;
}

std::string Amount(int64_t bytes) {
  char text[32];
  if (bytes < int64_t{1} << 30) {
    std::snprintf(text, sizeof text, "%.1f MiB", static_cast<double>(bytes) / 0x1p20);
  } else {
    std::snprintf(text, sizeof text, "%.2f GiB", static_cast<double>(bytes) / 0x1p30);
  }
  return text;
}

// The rules of engine/model/kv_cache_size, applied to `room` bytes for the whole model.
struct Share {
  FitModel model;
  bool fits = false;
  bool limited_by_setting = false;  // kv_cache_memory_bytes is what is too small
};

Share ShareOf(const StartingModel& start, int64_t room) {
  const protocol::Planned& plan = start.plan;
  const int64_t block_size = std::max(plan.block_size, 1);
  const int64_t block_bytes = std::max<int64_t>(plan.kv_bytes_per_token, 1) * block_size;
  const int64_t fixed = plan.weight_bytes + plan.workspace_bytes;
  const int64_t left = std::max<int64_t>(room - fixed, 0);
  const int64_t granted = start.kv_cache_memory_bytes == 0 ? left / 2 : start.kv_cache_memory_bytes;
  const int64_t needed = (plan.max_model_len + block_size - 1) / block_size;
  const int64_t useful = needed * plan.max_num_seqs;
  const int64_t blocks = std::min(granted / block_bytes, useful);

  Share share;
  share.model.model_name = start.model_name;
  // Short of one sequence, what that would take is what is missing.
  share.model.kv_cache_bytes = std::max(blocks, needed) * block_bytes;
  share.model.kv_cache_tokens = blocks * block_size;
  share.model.needed_bytes = fixed + share.model.kv_cache_bytes;
  const int64_t longest = std::min(granted, left) / block_bytes * block_size;
  share.model.largest_max_model_len =
      static_cast<int>(std::min(longest, int64_t{plan.max_position_embeddings}));
  share.fits = room >= fixed && granted <= left && granted >= needed * block_bytes;
  share.limited_by_setting = start.kv_cache_memory_bytes != 0 && granted < needed * block_bytes;
  return share;
}

struct Shares {
  std::vector<Share> each;
  bool fit = true;
};

// One after another, as they are started: each takes from what the ones before have left.
Shares Distribute(const std::vector<StartingModel>& starts, int64_t room) {
  Shares shares;
  for (const StartingModel& start : starts) {
    Share share = ShareOf(start, room);
    shares.fit = shares.fit && share.fits;
    room -= share.model.needed_bytes;
    shares.each.push_back(std::move(share));
  }
  return shares;
}

void AddSegments(std::vector<FitSegment>& segments, const std::string& model_name, State state,
                 int64_t weights, int64_t kv_cache, int64_t workspace) {
  segments.push_back({model_name, Kind::kWeights, weights, state});
  segments.push_back({model_name, Kind::kKvCache, kv_cache, state});
  segments.push_back({model_name, Kind::kWorkspace, workspace, state});
}

double LoadBytesPerS(const FitInput& input) {
  if (input.load_bytes_per_s > 0) return input.load_bytes_per_s;
  double slowest = 0;
  for (const RunningModel& run : input.runs) {
    if (run.ready.load_time_s <= 0 || run.ready.weight_bytes <= 0) continue;
    const double rate = static_cast<double>(run.ready.weight_bytes) / run.ready.load_time_s;
    slowest = slowest == 0 ? rate : std::min(slowest, rate);
  }
  return slowest > 0 ? slowest : kLoadBytesPerS;
}

double DrainS(const FitInput& input) {
  double drain_s = 0;
  for (const RunningModel& run : input.runs) {
    if (run.goes) drain_s = std::max(drain_s, run.drain_timeout_s);
  }
  return drain_s;
}

double LoadS(const FitInput& input) {
  double load_s = 0;
  for (const StartingModel& start : input.starts) {
    load_s += static_cast<double>(start.plan.weight_bytes) / LoadBytesPerS(input) + kStartS;
  }
  return load_s;
}

std::string WhatIsShort(const StartingModel& start, const Share& share, int64_t room) {
  const std::string model = "model '" + start.model_name + "' ";
  const std::string len = std::to_string(start.plan.max_model_len);
  const std::string largest = std::to_string(share.model.largest_max_model_len);
  if (share.limited_by_setting) {
    return model + "gets a KV cache of " + Amount(start.kv_cache_memory_bytes) +
           ", but one sequence of max_model_len " + len + " tokens takes " +
           Amount(share.model.kv_cache_bytes) +
           "; raise kv_cache_memory_bytes or set max_model_len" + " to at most " + largest;
  }
  std::string text = model + "needs " + Amount(share.model.needed_bytes) + " (weights " +
                     Amount(start.plan.weight_bytes) + ", KV cache " +
                     Amount(share.model.kv_cache_bytes) + ", workspace " +
                     Amount(start.plan.workspace_bytes) + "), but " +
                     Amount(std::max<int64_t>(room, 0)) + " are left for it";
  if (start.kv_cache_memory_bytes != 0) return text + "; lower kv_cache_memory_bytes";
  text += ", of which a KV cache gets half of what weights and workspace leave";
  return text + (share.model.largest_max_model_len > 0 ? "; set max_model_len to at most " + largest
                                                       : "; choose a smaller model or free memory");
}

// A cache that is chosen from what is free keeps the size it got beside the engine that goes.
void AddSmallerCaches(const FitInput& input, const Shares& together, const Shares& alone,
                      int64_t room, std::vector<std::string>& sentences) {
  for (size_t i = 0; i < input.starts.size(); ++i) {
    const FitModel& beside = together.each[i].model;
    const FitModel& whole = alone.each[i].model;
    const int64_t gain = whole.kv_cache_bytes - beside.kv_cache_bytes;
    if (input.starts[i].kv_cache_memory_bytes == 0 && gain > 0) {
      sentences.push_back(
          "Beside what runs now the KV cache of '" + beside.model_name + "' is " +
          Amount(beside.kv_cache_bytes) + "; alone it would be " + Amount(whole.kv_cache_bytes) +
          ". kv_cache_memory_bytes " + std::to_string(whole.kv_cache_bytes) + " asks for that" +
          (beside.needed_bytes + gain > room ? ", and the running engine ends first." : "."));
    }
    room -= beside.needed_bytes;
  }
}

void AddSentences(const FitInput& input, const Shares& shares, int64_t room,
                  FitEstimate& estimate) {
  auto& sentences = estimate.sentences;
  if (input.starts.empty()) {
    sentences.push_back("No engine is started.");
    return;
  }
  if (!estimate.fits) {
    for (size_t i = 0; i < input.starts.size(); ++i) {
      const Share& share = shares.each[i];
      if (!share.fits) {
        sentences.push_back("It does not fit: " + WhatIsShort(input.starts[i], share, room) + ".");
      }
      room -= share.model.needed_bytes;
    }
    return;
  }
  const std::string needed = Amount(estimate.needed_bytes);
  if (estimate.fits_together) {
    sentences.push_back(
        "It fits beside what runs now: " + needed + " of " + Amount(room) +
        (input.memory_limit_bytes > 0 ? " that the limit leaves" : " that are free") +
        ". No request waits.");
    return;
  }
  sentences.push_back("It fits (" + needed +
                      "), but not beside what runs now: the running engine " +
                      "ends first, and requests wait meanwhile, for at most " +
                      std::to_string(static_cast<int64_t>(estimate.announced_wait_s)) + " s.");
}

}  // namespace

std::string_view KindName(Kind kind) {
  switch (kind) {
    case Kind::kWeights: return "weights";
    case Kind::kKvCache: return "kv_cache";
    case Kind::kWorkspace: return "workspace";
    case Kind::kOther: return "other";
  }
  return "other";
}

std::string_view StateName(State state) {
  switch (state) {
    case State::kRuns: return "runs";
    case State::kStarts: return "starts";
    case State::kGoes: return "goes";
  }
  return "runs";
}

FitEstimate EstimateFit(const FitInput& input) {
  FitEstimate estimate;
  estimate.bytes_total = input.memory_total_bytes;
  estimate.bytes_limit = input.memory_limit_bytes;
  int64_t reserved = 0;  // by what runs
  int64_t going = 0;     // of that, by what goes
  int64_t others = input.memory_total_bytes - input.memory_free_bytes;
  for (const State state : {State::kRuns, State::kGoes}) {
    for (const RunningModel& run : input.runs) {
      if (run.goes != (state == State::kGoes)) continue;
      const protocol::Ready& ready = run.ready;
      reserved += Reserved(ready);
      going += run.goes ? Reserved(ready) : 0;
      others -= run.resident_bytes > 0 ? run.resident_bytes : ready.weight_bytes;
      AddSegments(estimate.segments, run.model_name, state, ready.weight_bytes,
                  ready.kv_cache_bytes, ready.workspace_bytes);
    }
  }
  others = std::max<int64_t>(others, 0);
  estimate.bytes_free = std::max<int64_t>(input.memory_total_bytes - others - reserved, 0);

  int64_t room = input.memory_total_bytes - others - reserved;
  if (input.memory_limit_bytes > 0) room = std::min(room, input.memory_limit_bytes - reserved);
  const Shares together = Distribute(input.starts, room);
  const Shares alone = Distribute(input.starts, room + going);
  estimate.fits_together = together.fit;
  estimate.fits = together.fit || alone.fit;
  const Shares& shares = together.fit ? together : alone;
  for (size_t i = 0; i < input.starts.size(); ++i) {
    const protocol::Planned& plan = input.starts[i].plan;
    FitModel model = shares.each[i].model;
    // The longest context is that of the box without what goes.
    model.largest_max_model_len = alone.each[i].model.largest_max_model_len;
    estimate.needed_bytes += model.needed_bytes;
    AddSegments(estimate.segments, model.model_name, State::kStarts, plan.weight_bytes,
                model.kv_cache_bytes, plan.workspace_bytes);
    estimate.models.push_back(std::move(model));
  }
  estimate.segments.push_back({"", Kind::kOther, others, State::kRuns});
  if (estimate.fits && !estimate.fits_together) {
    estimate.load_wait_s = std::ceil(LoadS(input));
    estimate.announced_wait_s = std::ceil(DrainS(input) + LoadS(input));
  }
  AddSentences(input, shares, together.fit ? room : room + going, estimate);
  if (estimate.fits_together) {
    AddSmallerCaches(input, together, alone, room, estimate.sentences);
  }
  return estimate;
}

}  // namespace hearth::models
