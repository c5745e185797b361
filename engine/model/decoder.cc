#include "engine/model/decoder.h"

#include "base/check.h"
#include "engine/backend/cpu/cpu_backend.h"
#include "engine/model/kv_cache_size.h"
#include "engine/model/memory_plan.h"
#include "engine/model/weights.h"

namespace hearth::engine {
namespace {

class Decoder : public Model {
 public:
  Status Initialize(const std::string& model_dir, const LoadOptions& options,
                    const ProgressFn& progress);
  // As far as Initialize goes without reading a weight; leaves a decoder that cannot run.
  Result<MemoryPlan> Plan(const std::string& model_dir, const LoadOptions& options);
  std::span<const float> Forward(const StepBatch& batch) override;

  const ModelConfig& config() const override { return config_; }
  const GenerationConfig& generation_config() const override { return generation_config_; }
  int num_blocks() const override { return kv_shape_.num_blocks; }
  int block_size() const override { return kv_shape_.block_size; }
  int max_model_len() const override { return max_model_len_; }
  int64_t num_parameters() const override { return weights_.num_parameters; }
  int64_t weight_bytes() const override { return backend_->weight_bytes(); }
  int64_t kv_cache_bytes() const override { return backend_->KvCacheBytes(kv_shape_); }
  int64_t workspace_bytes() const override { return backend_->workspace_bytes(); }
  std::string device_name() const override { return backend_->device_name(); }
  std::string dtype() const override { return std::string(DTypeName(backend_->weight_dtype())); }
  std::string kv_cache_dtype() const override {
    return std::string(DTypeName(backend_->kv_cache_dtype()));
  }
  StepCostModel step_cost() const override;

 private:
  Status ReadConfig(const std::string& model_dir, const LoadOptions& options);
  Status ChooseMaxModelLen(int asked);
  Result<CpuBackendOptions> ChooseBackend(const Checkpoint& checkpoint,
                                          const LoadOptions& options) const;
  Status AddBuffers();
  void ShapeKvCache(int block_size);
  Status SizeKvCache(const LoadOptions& options);
  Status AddKvCache();
  void BeginStep(const StepBatch& batch);
  void CheckSeq(const StepBatch& batch, const StepBatch::Seq& seq, int first_row) const;
  void RunLayer(int layer);

  ModelConfig config_;
  GenerationConfig generation_config_;
  std::unique_ptr<Backend> backend_;
  Weights weights_;
  KvCacheShape kv_shape_;
  int max_model_len_ = 0;
  float eps_ = 0;

  BufferId hidden_ = BufferId::kNone;   // the residual stream, [hidden_size]
  BufferId normed_ = BufferId::kNone;   // [hidden_size]
  BufferId delta_ = BufferId::kNone;    // what a block adds to the residual stream, [hidden_size]
  BufferId qkv_ = BufferId::kNone;      // [q_size + 2 kv_size]
  BufferId attn_ = BufferId::kNone;     // [q_size]
  BufferId gate_up_ = BufferId::kNone;  // [2 intermediate_size]
  BufferId mlp_ = BufferId::kNone;      // [intermediate_size]

  std::vector<SequenceRows> seqs_;
  std::vector<int> logits_rows_;
};

// ---- Loading
// ----------------------------------------------------------------------------------------

Status Decoder::Initialize(const std::string& model_dir, const LoadOptions& options,
                           const ProgressFn& progress) {
  const auto report = [&](std::string_view phase, double fraction) {
    if (progress) progress(phase, fraction);
  };
  report("reading config", 0.0);
  HEARTH_RETURN_IF_ERROR(ReadConfig(model_dir, options));

  report("loading weights", 0.02);
  HEARTH_ASSIGN_OR_RETURN(const Checkpoint checkpoint, Checkpoint::Open(model_dir));
  checkpoint.Prefetch();
  HEARTH_ASSIGN_OR_RETURN(const CpuBackendOptions backend_options,
                          ChooseBackend(checkpoint, options));
  backend_ = std::make_unique<CpuBackend>(backend_options);
  HEARTH_ASSIGN_OR_RETURN(weights_, LoadWeights(checkpoint, config_, *backend_, [&](double share) {
                            report("loading weights", 0.02 + 0.92 * share);
                          }));
  report("allocating the KV cache", 0.95);
  HEARTH_RETURN_IF_ERROR(AddBuffers());
  ShapeKvCache(options.block_size);
  HEARTH_RETURN_IF_ERROR(SizeKvCache(options));
  HEARTH_RETURN_IF_ERROR(AddKvCache());
  seqs_.reserve(static_cast<size_t>(options.max_num_seqs));
  logits_rows_.reserve(static_cast<size_t>(options.max_num_seqs));
  report("ready", 1.0);
  return Status::Ok();
}

Result<MemoryPlan> Decoder::Plan(const std::string& model_dir, const LoadOptions& options) {
  HEARTH_RETURN_IF_ERROR(ReadConfig(model_dir, options));
  HEARTH_ASSIGN_OR_RETURN(const Checkpoint checkpoint, Checkpoint::Open(model_dir));
  HEARTH_ASSIGN_OR_RETURN(CpuBackendOptions backend_options, ChooseBackend(checkpoint, options));
  backend_options.plan_only = true;
  backend_ = std::make_unique<CpuBackend>(backend_options);
  HEARTH_ASSIGN_OR_RETURN(weights_, LoadWeights(checkpoint, config_, *backend_, [](double) {}));
  HEARTH_RETURN_IF_ERROR(AddBuffers());
  ShapeKvCache(options.block_size);
  HEARTH_RETURN_IF_ERROR(AddKvCache());
  MemoryPlan plan;
  plan.config = config_;
  plan.max_model_len = max_model_len_;
  plan.device_name = device_name();
  plan.dtype = dtype();
  plan.num_parameters = num_parameters();
  plan.weight_bytes = weight_bytes();
  plan.workspace_bytes = workspace_bytes();
  plan.kv_bytes_per_token = kv_cache_bytes() / kv_shape_.block_size;
  plan.memory_total_bytes = backend_->TotalMemoryBytes();
  plan.memory_free_bytes = backend_->FreeMemoryBytes();
  return plan;
}

Status Decoder::ReadConfig(const std::string& model_dir, const LoadOptions& options) {
  if (options.max_num_batched_tokens < 1 || options.max_num_seqs < 1 || options.block_size < 1 ||
      options.num_threads < 0 || options.max_model_len < 0 || options.kv_cache_bytes < 0) {
    return InvalidArgument(
        "max_num_batched_tokens, max_num_seqs and block_size must be at least 1; num_threads, "
        "max_model_len and kv_cache_bytes at least 0");
  }
  HEARTH_ASSIGN_OR_RETURN(config_, ModelConfig::Load(model_dir));
  HEARTH_ASSIGN_OR_RETURN(generation_config_,
                          GenerationConfig::Load(model_dir, config_.vocab_size));
  eps_ = static_cast<float>(config_.rms_norm_eps);
  return ChooseMaxModelLen(options.max_model_len);
}

Result<CpuBackendOptions> Decoder::ChooseBackend(const Checkpoint& checkpoint,
                                                 const LoadOptions& options) const {
  CpuBackendOptions backend_options;
  HEARTH_ASSIGN_OR_RETURN(backend_options.weight_dtype, WeightDType(checkpoint, options.dtype));
  backend_options.num_threads = options.num_threads;
  backend_options.beats = options.beats;
  backend_options.max_rows = options.max_num_batched_tokens;
  backend_options.max_logits_rows = options.max_num_seqs;
  return backend_options;
}

Status Decoder::ChooseMaxModelLen(int asked) {
  if (asked > config_.max_position_embeddings) {
    return InvalidArgument("max_model_len " + std::to_string(asked) +
                           " is more than the model's max_position_embeddings " +
                           std::to_string(config_.max_position_embeddings) + "; lower it");
  }
  max_model_len_ = asked > 0 ? asked : config_.max_position_embeddings;
  return Status::Ok();
}

Status Decoder::AddBuffers() {
  HEARTH_ASSIGN_OR_RETURN(hidden_, backend_->AddBuffer(config_.hidden_size));
  HEARTH_ASSIGN_OR_RETURN(normed_, backend_->AddBuffer(config_.hidden_size));
  HEARTH_ASSIGN_OR_RETURN(delta_, backend_->AddBuffer(config_.hidden_size));
  HEARTH_ASSIGN_OR_RETURN(qkv_, backend_->AddBuffer(config_.q_size() + 2 * config_.kv_size()));
  HEARTH_ASSIGN_OR_RETURN(attn_, backend_->AddBuffer(config_.q_size()));
  HEARTH_ASSIGN_OR_RETURN(gate_up_, backend_->AddBuffer(2 * config_.intermediate_size));
  HEARTH_ASSIGN_OR_RETURN(mlp_, backend_->AddBuffer(config_.intermediate_size));
  return backend_->AddLogits(config_.vocab_size);
}

// Of one block.
void Decoder::ShapeKvCache(int block_size) {
  kv_shape_.num_hidden_layers = config_.num_hidden_layers;
  kv_shape_.num_attention_heads = config_.num_attention_heads;
  kv_shape_.num_key_value_heads = config_.num_key_value_heads;
  kv_shape_.head_dim = config_.head_dim;
  kv_shape_.block_size = block_size;
  kv_shape_.num_blocks = 1;
}

Status Decoder::SizeKvCache(const LoadOptions& options) {
  KvCacheBudget budget;
  budget.kv_cache_bytes = options.kv_cache_bytes;
  budget.free_memory_bytes = backend_->FreeMemoryBytes();
  budget.bytes_per_block = backend_->KvCacheBytes(kv_shape_);
  budget.block_size = options.block_size;
  budget.max_model_len = max_model_len_;
  budget.max_num_seqs = options.max_num_seqs;
  HEARTH_ASSIGN_OR_RETURN(kv_shape_.num_blocks, NumKvBlocks(budget));
  return Status::Ok();
}

Status Decoder::AddKvCache() {
  return backend_->AddKvCache(kv_shape_, {config_.rope_theta, max_model_len_});
}

StepCostModel Decoder::step_cost() const {
  const auto bytes = [](DType dtype) { return static_cast<double>(DTypeBytes(dtype)); };
  return {config_,
          {.weights = bytes(backend_->weight_dtype()),
           .kv_cache = bytes(backend_->kv_cache_dtype()),
           .activations = bytes(backend_->activation_dtype())}};
}

// ---- A step
// -----------------------------------------------------------------------------------------

void Decoder::CheckSeq(const StepBatch& batch, const StepBatch::Seq& seq, int first_row) const {
  CHECK(seq.first_row == first_row) << "rows leave a gap at " << first_row;
  CHECK(seq.num_rows > 0 && first_row + seq.num_rows <= batch.num_tokens());
  for (int row = first_row; row < first_row + seq.num_rows; ++row) {
    const int token = batch.token_ids[static_cast<size_t>(row)];
    const int position = batch.positions[static_cast<size_t>(row)];
    CHECK(token >= 0 && token < config_.vocab_size) << "token id " << token;
    CHECK(position >= 0 && position < max_model_len_) << "position " << position;
    CHECK(row == first_row || position == batch.positions[static_cast<size_t>(row) - 1] + 1);
  }
  const int last = batch.positions[static_cast<size_t>(first_row + seq.num_rows) - 1];
  CHECK(last / kv_shape_.block_size < seq.num_blocks) << "no block for position " << last;
  for (int i = 0; i <= last / kv_shape_.block_size; ++i) {
    CHECK(seq.block_table[i] >= 0 && seq.block_table[i] < kv_shape_.num_blocks)
        << "block " << seq.block_table[i];
  }
}

void Decoder::BeginStep(const StepBatch& batch) {
  CHECK(batch.positions.size() == batch.token_ids.size());
  seqs_.clear();
  logits_rows_.clear();
  int row = 0;
  for (const StepBatch::Seq& seq : batch.seqs) {
    CheckSeq(batch, seq, row);
    row += seq.num_rows;
    seqs_.push_back({seq.first_row, seq.num_rows, seq.block_table});
    if (seq.needs_logits) logits_rows_.push_back(row - 1);
  }
  CHECK(row == batch.num_tokens())
      << row << " of " << batch.num_tokens() << " rows have a sequence";
  backend_->BeginStep({batch.token_ids, batch.positions, seqs_, logits_rows_});
}

// From normed_ = input_layernorm(hidden_) to the next layer's, or to the final norm.
void Decoder::RunLayer(int layer) {
  const LayerWeights& weights = weights_.layers[static_cast<size_t>(layer)];
  backend_->Linear(normed_, weights.qkv_proj, weights.qkv_bias, qkv_);
  backend_->RotateAndStoreKv(layer, qkv_);
  backend_->Attention(layer, qkv_, attn_);
  backend_->Linear(attn_, weights.o_proj, WeightId::kNone, delta_);
  backend_->AddRmsNorm(hidden_, delta_, weights.post_attention_layernorm, eps_, normed_);

  backend_->Linear(normed_, weights.gate_up_proj, WeightId::kNone, gate_up_);
  backend_->SiluMul(gate_up_, mlp_);
  backend_->Linear(mlp_, weights.down_proj, WeightId::kNone, delta_);
  const bool last = layer + 1 == config_.num_hidden_layers;
  backend_->AddRmsNorm(
      hidden_, delta_,
      last ? weights_.norm : weights_.layers[static_cast<size_t>(layer) + 1].input_layernorm, eps_,
      normed_);
}

std::span<const float> Decoder::Forward(const StepBatch& batch) {
  BeginStep(batch);
  if (batch.num_tokens() == 0) return {};
  backend_->Embed(weights_.embed_tokens, hidden_);
  backend_->RmsNorm(hidden_, weights_.layers[0].input_layernorm, eps_, normed_);
  for (int layer = 0; layer < config_.num_hidden_layers; ++layer) RunLayer(layer);
  return backend_->Logits(normed_, weights_.lm_head);
}

}  // namespace

Result<std::unique_ptr<Model>> Model::Load(const std::string& model_dir, const LoadOptions& options,
                                           const ProgressFn& progress) {
  auto decoder = std::make_unique<Decoder>();
  HEARTH_RETURN_IF_ERROR(decoder->Initialize(model_dir, options, progress));
  return std::unique_ptr<Model>(std::move(decoder));
}

Result<MemoryPlan> PlanMemory(const std::string& model_dir, const LoadOptions& options) {
  return Decoder().Plan(model_dir, options);
}

}  // namespace hearth::engine
