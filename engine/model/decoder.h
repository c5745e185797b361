// A decoder-only language model: a checkpoint in memory, its paged KV cache, and the step.
//
// One forward serves all families; what distinguishes them is in ModelConfig.
//
// Batch invariance: the logits of a sequence are bitwise the same whatever other sequences are in
// the step, however its prompt was cut into steps, and whichever blocks its block table names.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/model/generation_config.h"
#include "engine/model/model_config.h"
#include "engine/model/step_cost.h"

namespace hearth::engine {

// One step's batch: the rows (tokens) of all sequences one after another.
struct StepBatch {
  struct Seq {
    int first_row = 0;
    int num_rows = 0;  // rows [first_row, first_row + num_rows) belong to it
    const int* block_table =
        nullptr;                // [num_blocks]; token p of it lives in block_table[p / block_size]
    int num_blocks = 0;         // enough for the position of its last row
    bool needs_logits = false;  // for its last row
  };

  std::vector<int> token_ids;  // [num_tokens], each < vocab_size
  std::vector<int> positions;  // [num_tokens], ascending by one inside a sequence, < max_model_len
  std::vector<Seq> seqs;       // in the order of their rows, which they cover without gaps

  int num_tokens() const { return static_cast<int>(token_ids.size()); }
};

// Names and meanings as in protocol::Load.
struct LoadOptions {
  std::string dtype = "auto";         // auto | bfloat16 | float32: how weights are kept
  int num_threads = 0;                // 0 = physical cores
  int max_model_len = 0;              // tokens; 0 = the model's max_position_embeddings
  int max_num_batched_tokens = 2048;  // rows of a step
  int max_num_seqs = 64;              // sequences of a step
  int block_size = 16;                // tokens of a KV block; a multiple of 16
  int64_t kv_cache_bytes = 0;         // 0 = half of the memory that is free once the weights are
                                      // loaded, at most max_num_seqs sequences of max_model_len
  // Grows while something is computed, within a step too, written by the thread that calls Load and
  // Forward; outlives the model. Null: nobody looks.
  std::atomic<uint64_t>* beats = nullptr;
};

class Model {
 public:
  // Called while loading: what is being done, and the fraction of the whole load done so far.
  using ProgressFn = std::function<void(std::string_view phase, double fraction)>;

  // `model_dir` is a Hugging Face directory: config.json, model.safetensors (or an index with its
  // shards), and generation_config.json if there is one. Every error is one sentence for a person.
  static Result<std::unique_ptr<Model>> Load(const std::string& model_dir,
                                             const LoadOptions& options,
                                             const ProgressFn& progress);

  virtual ~Model() = default;

  // Runs the step: writes K and V of every row and returns the logits, float [n][vocab_size], row i
  // for the i-th Seq with needs_logits. The span is valid until the next call. A batch that breaks
  // StepBatch's rules or the sizes given at load is a bug of the caller (CHECK). Not thread-safe.
  virtual std::span<const float> Forward(const StepBatch& batch) = 0;

  virtual const ModelConfig& config() const = 0;
  virtual const GenerationConfig& generation_config() const = 0;
  virtual int num_blocks() const = 0;  // KV blocks in the pool: block numbers are [0, num_blocks)
  virtual int block_size() const = 0;
  virtual int max_model_len() const = 0;
  virtual int64_t num_parameters() const = 0;  // a tied embedding counts once
  virtual int64_t weight_bytes() const = 0;    // in memory
  virtual int64_t kv_cache_bytes() const = 0;
  virtual int64_t workspace_bytes() const = 0;  // reserved for activations, logits and scratch
  virtual std::string device_name() const = 0;  // "Intel(R) Xeon(R) ... (2 threads, avx512)"
  virtual std::string dtype() const = 0;        // of the weights in memory: "bfloat16" | "float32"
  virtual std::string kv_cache_dtype() const = 0;
  virtual StepCostModel step_cost() const = 0;
};

}  // namespace hearth::engine
