#include "firmware/models/prefix_affinity.h"

#include <algorithm>
#include <string_view>

namespace hearth::models {
namespace {

constexpr size_t kFirstBytes = 256;
constexpr size_t kLastBytes = 64 * 1024;
// Beginnings remembered: some hundred conversations of which each has grown for a while.
constexpr size_t kEntriesMax = 4096;

// FNV-1a, so that a longer beginning goes on where the shorter one ended.
constexpr uint64_t kHashStart = 14695981039346656037u;
constexpr uint64_t kHashFactor = 1099511628211u;

// What an engine will see, near enough: messages as they came, or the prompt.
std::string TextOf(const protocol::Generate& generate) {
  if (!generate.messages.is_null()) return DumpJson(generate.messages);
  if (generate.prompt) return *generate.prompt;
  std::string text;
  for (const int id : generate.prompt_token_ids) text += std::to_string(id) + ' ';
  return text;
}

}  // namespace

std::vector<uint64_t> PrefixKeys(const protocol::Generate& generate) {
  const std::string text = TextOf(generate);
  std::vector<uint64_t> keys;
  uint64_t hash = kHashStart;
  size_t done = 0;
  for (size_t end = kFirstBytes; end <= std::min(text.size(), kLastBytes); end *= 2) {
    for (; done < end; ++done) {
      hash = (hash ^ static_cast<unsigned char>(text[done])) * kHashFactor;
    }
    keys.push_back(hash);
  }
  return keys;
}

std::optional<int> PrefixAffinity::Find(const std::vector<uint64_t>& keys) const {
  for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
    const auto found = by_key_.find(*key);
    if (found != by_key_.end()) return found->second->second;
  }
  return std::nullopt;
}

void PrefixAffinity::Note(const std::vector<uint64_t>& keys, int replica) {
  for (const uint64_t key : keys) {
    const auto found = by_key_.find(key);
    if (found != by_key_.end()) {
      found->second->second = replica;
      recent_.splice(recent_.begin(), recent_, found->second);
      continue;
    }
    recent_.emplace_front(key, replica);
    by_key_[key] = recent_.begin();
    if (recent_.size() > kEntriesMax) {
      by_key_.erase(recent_.back().first);
      recent_.pop_back();
    }
  }
}

void PrefixAffinity::Forget(int replica) {
  for (auto it = recent_.begin(); it != recent_.end();) {
    if (it->second != replica) {
      ++it;
      continue;
    }
    by_key_.erase(it->first);
    it = recent_.erase(it);
  }
}

}  // namespace hearth::models
