// Which replica has seen the beginning of a prompt before, and so may hold its keys and values.
//
// Prompts are compared by hashes of their first 256, 512, 1024, ... bytes: the longest beginning
// that is remembered decides. A wrong guess costs a prefill, never an answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/protocol/messages.h"

namespace hearth::models {

// Of the beginnings of what a request asks, longest last; empty for a prompt shorter than the
// first.
std::vector<uint64_t> PrefixKeys(const protocol::Generate& generate);

// One thread at a time.
class PrefixAffinity {
 public:
  // The replica that served the longest of these beginnings last.
  std::optional<int> Find(const std::vector<uint64_t>& keys) const;
  void Note(const std::vector<uint64_t>& keys, int replica);
  // The replica is gone, and what it held.
  void Forget(int replica);

 private:
  using Entry = std::pair<uint64_t, int>;  // key, replica

  std::list<Entry> recent_;  // newest first
  std::unordered_map<uint64_t, std::list<Entry>::iterator> by_key_;
};

}  // namespace hearth::models
