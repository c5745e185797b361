#include "engine/model/step_cost.h"

#include "engine/model/decoder.h"

namespace hearth::engine {

StepCostModel::StepCostModel(const ModelConfig& config, const ElementBytes& bytes) {
  const double h = config.hidden_size;
  const double q = config.q_size();
  const double kv = config.kv_size();
  const double i = config.intermediate_size;
  const double layers = config.num_hidden_layers;
  const double vocab = config.vocab_size;
  const double layer_weights = h * (q + 2 * kv) + q * h + 3 * h * i;
  const double kv_bytes = 2 * bytes.kv_cache * kv * layers;
  const double a = bytes.activations;

  per_token_.flops = 2 * layer_weights * layers;
  per_token_.read_bytes = bytes.weights * h + a * layers * (2 * h + 2 * q + 3 * i);
  per_token_.write_bytes = kv_bytes + a * (h + layers * (2 * h + 2 * q + 2 * kv + 3 * i));
  per_logits_ = {.flops = 2 * h * vocab, .read_bytes = a * h, .write_bytes = a * vocab};
  flops_per_attended_ = 4 * q * layers;
  read_bytes_per_context_ = kv_bytes;
  layer_weight_bytes_ = bytes.weights * layer_weights * layers;
  lm_head_bytes_ = bytes.weights * h * vocab;
}

StepCost StepCostModel::Of(const StepBatch& batch) const {
  double num_logits = 0, attended = 0, context = 0;
  for (const StepBatch::Seq& seq : batch.seqs) {
    const double rows = seq.num_rows;
    const double first = batch.positions[static_cast<size_t>(seq.first_row)];
    attended += rows * first + rows * (rows + 1) / 2;
    context += first + rows;
    if (seq.needs_logits) ++num_logits;
  }
  const double num_tokens = batch.num_tokens();
  StepCost cost;
  cost.flops = num_tokens * per_token_.flops + num_logits * per_logits_.flops +
               attended * flops_per_attended_;
  cost.read_bytes = num_tokens * per_token_.read_bytes + num_logits * per_logits_.read_bytes +
                    context * read_bytes_per_context_;
  cost.write_bytes = num_tokens * per_token_.write_bytes + num_logits * per_logits_.write_bytes;
  if (num_tokens > 0) cost.read_bytes += layer_weight_bytes_;
  if (num_logits > 0) cost.read_bytes += lm_head_bytes_;
  return cost;
}

}  // namespace hearth::engine
