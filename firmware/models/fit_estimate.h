// Does what shall run fit into memory, and beside what runs now? Pure arithmetic over what engines
// planned and reported; nothing is started, read or measured here.
//
// A model takes weights + workspace + KV cache. Bytes count as taken when an engine has reserved
// them, whether it has touched them or not: what fits by this estimate still fits under full load.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/protocol/messages.h"

namespace hearth::models {

// An engine that shall be started.
struct StartingModel {
  std::string model_name;
  protocol::Planned plan;
  int64_t kv_cache_memory_bytes = 0;  // 0: chosen from what is free
};

// An engine that runs.
struct RunningModel {
  std::string model_name;
  protocol::Ready ready;
  int64_t resident_bytes = 0;                // of its process; 0: unknown, its weights are
  bool goes = false;                         // ends in the course of what is estimated
  double drain_timeout_s = 600;  // at most so long it may finish its requests
};

struct FitInput {
  std::vector<StartingModel> starts;
  std::vector<RunningModel> runs;
  int64_t memory_total_bytes = 0;
  int64_t memory_free_bytes = 0;   // as the engine's planner saw it, beside what runs
  int64_t memory_limit_bytes = 0;  // of all models together; 0: what is free
  double load_bytes_per_s = 0;  // of weights; 0: from the slowest load of what runs, else a guess
};

struct FitSegment {
  enum class Kind { kWeights, kKvCache, kWorkspace, kOther };
  enum class State { kRuns, kStarts, kGoes };

  std::string model_name;  // empty: kOther, what is no model's
  Kind kind = Kind::kWeights;
  int64_t bytes = 0;
  State state = State::kRuns;
};

std::string_view KindName(FitSegment::Kind kind);     // weights | kv_cache | workspace | other
std::string_view StateName(FitSegment::State state);  // runs | starts | goes

// Of one that shall be started.
struct FitModel {
  std::string model_name;
  // What its KV cache takes. A model that lets it be chosen keeps to the memory limit only if its
  // engine is told this number.
  int64_t kv_cache_bytes = 0;
  int64_t kv_cache_tokens = 0;
  int64_t needed_bytes = 0;       // all of it
  int largest_max_model_len = 0;  // tokens: the longest context whose one sequence fits; 0: none
};

struct FitEstimate {
  int64_t bytes_total = 0;
  int64_t bytes_free = 0;            // neither used by others nor reserved by what runs
  int64_t bytes_limit = 0;           // 0: none
  std::vector<FitSegment> segments;  // what runs and stays, what goes, what starts; others last
  std::vector<FitModel> models;      // in the order of `starts`
  int64_t needed_bytes = 0;          // of all that start
  bool fits = true;                  // once what goes has gone
  bool fits_together = true;         // beside it
  // For how long requests wait at most: 0 if it fits together, else what goes finishes its requests
  // and what starts is loaded.
  double announced_wait_s = 0;
  double load_wait_s = 0;  // of it the load: what remains where nothing was running
  std::vector<std::string> sentences;  // for a person: the verdict, what is short and what would do
};

FitEstimate EstimateFit(const FitInput& input);

}  // namespace hearth::models
