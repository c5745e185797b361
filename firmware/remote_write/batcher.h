// Cuts a stretch of history into requests: bounded, and in the order of time, so that one time says
// how far the receiver is.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "firmware/remote_write/pushed_names.h"
#include "storage/promql/series_source.h"

namespace hearth::remote_write {

// One request. Points into the batcher it came from.
struct Batch {
  struct Part {
    const PushedName* name;
    std::span<const promql::Sample> samples;  // ascending in time
  };
  std::vector<Part> parts;
  size_t samples = 0;
  // Once this batch is acknowledged the receiver has everything up to here.
  int64_t until_ms = 0;
};

class Batcher {
 public:
  // All samples of (start_ms, ...]. Batches have at most `samples_max` samples; those of one time
  // are in one batch unless they are more than that.
  Batcher(std::vector<promql::Series> stretch, const PushedNames& names, int64_t start_ms,
          size_t samples_max);
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  bool empty() const { return time_ == times_.size(); }
  // Requires !empty().
  Batch Next();

 private:
  struct Outgoing {
    PushedName name;
    std::span<const promql::Sample> left;
  };
  size_t TimesThatFit() const;

  const std::vector<promql::Series> stretch_;
  const size_t samples_max_;
  std::vector<Outgoing> outgoing_;
  std::vector<std::pair<int64_t, size_t>> times_;  // ascending, with the number of their samples
  size_t time_ = 0;    // the first of times_ that was not handed out as a whole
  size_t series_ = 0;  // of that time, the first of outgoing_ that was not
  int64_t done_ms_;
};

}  // namespace hearth::remote_write
