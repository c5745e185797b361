// A model for tests of the loop: exact arithmetic instead of weights. Its "keys and values" are the
// tokens themselves in a paged pool, and its logits are a hash of all that the block table shows,
// so one wrong block, position or stale entry changes the tokens.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/check.h"
#include "engine/model/decoder.h"

namespace hearth::engine {

class HashModel {
 public:
  HashModel(int num_blocks, int block_size, int vocab_size)
      : block_size_(block_size),
        vocab_size_(vocab_size),
        pool_(static_cast<size_t>(num_blocks * block_size), -1) {}

  std::span<const float> Forward(const StepBatch& batch) {
    for (const StepBatch::Seq& seq : batch.seqs) {
      for (int row = seq.first_row; row < seq.first_row + seq.num_rows; ++row) {
        const int position = batch.positions[static_cast<size_t>(row)];
        CHECK(position / block_size_ < seq.num_blocks) << position;
        pool_[Slot(seq, position)] = batch.token_ids[static_cast<size_t>(row)];
      }
    }
    logits_.clear();
    for (const StepBatch::Seq& seq : batch.seqs) {
      if (!seq.needs_logits) continue;
      const int last = batch.positions[static_cast<size_t>(seq.first_row + seq.num_rows - 1)];
      std::vector<int> context;
      for (int position = 0; position <= last; ++position) {
        context.push_back(pool_[Slot(seq, position)]);
      }
      AppendLogits(context, logits_);
    }
    return logits_;
  }

  // What Forward computes when `context` stands in the pool.
  void AppendLogits(const std::vector<int>& context, std::vector<float>& logits) const {
    uint64_t hash = 0xCBF29CE484222325u;  // FNV-1a
    for (const int token : context) hash = (hash ^ static_cast<uint64_t>(token)) * 0x100000001B3u;
    for (int id = 0; id < vocab_size_; ++id) {
      hash = hash * 6364136223846793005u + 1442695040888963407u;  // Knuth's MMIX generator
      logits.push_back(static_cast<float>(hash >> 40) * 0x1p-21f);
    }
  }

 private:
  size_t Slot(const StepBatch::Seq& seq, int position) const {
    return static_cast<size_t>(seq.block_table[position / block_size_] * block_size_ +
                               position % block_size_);
  }

  const int block_size_;
  const int vocab_size_;
  std::vector<int> pool_;  // [num_blocks * block_size]
  std::vector<float> logits_;
};

}  // namespace hearth::engine
