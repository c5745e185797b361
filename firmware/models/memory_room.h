// Is there memory for one more engine, and which idle ones would have to give way? Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/protocol/messages.h"

namespace hearth::models {

// What an engine takes, or will take once it has loaded.
struct Footprint {
  int64_t weight_bytes = 0;
  int64_t kv_cache_bytes = 0;
  int64_t workspace_bytes = 0;

  int64_t total() const { return weight_bytes + kv_cache_bytes + workspace_bytes; }
};
Footprint FootprintOf(const protocol::Ready& ready);

// An engine that holds memory.
struct Tenant {
  std::string model_name;
  int replica = 0;
  Footprint footprint;
  int64_t resident_bytes = 0;  // of its process; 0: unknown
  // Could it go? kNever: pinned, or it goes already.
  enum class Yields { kNow, kWhenIdle, kNever } yields = Yields::kNever;
  double last_used_s = 0;  // monotonic; the longest unused goes first
};

struct RoomInput {
  std::string model_name;             // of the engine that shall start
  protocol::Planned plan;             // its, with the memory as it is now
  int64_t kv_cache_memory_bytes = 0;  // 0: chosen from what is free
  std::vector<Tenant> tenants;
  int64_t memory_limit_bytes = 0;  // of all models together; 0: what is free
};

struct Room {
  enum class Verdict {
    kFits,
    kAfterOthers,  // once those in give_way have gone
    kWhenIdle,     // once others have finished their requests and given way
    kNever,        // not while what is pinned runs
  };
  Verdict verdict = Verdict::kFits;
  Footprint footprint;           // of the engine that shall start
  std::vector<size_t> give_way;  // of kAfterOthers: indexes into tenants
  std::string why;               // unless kFits: what is needed and what is free, in a sentence
};

Room FindRoom(const RoomInput& input);

}  // namespace hearth::models
