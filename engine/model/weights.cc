#include "engine/model/weights.h"

#include <string_view>

namespace hearth::engine {
namespace {

constexpr std::string_view kEmbedTokens = "model.embed_tokens.weight";

Status WrongTensor(const Checkpoint::Entry& entry, const std::string& what) {
  return InvalidArgument(entry.file->path() + ": tensor '" + entry.tensor->name + "' " + what);
}

// A row of the table of tensors that are stacked into one weight.
struct Part {
  std::string name;
  int64_t rows;
};

class Loader {
 public:
  Loader(const Checkpoint& checkpoint, const ModelConfig& config, Backend& backend,
         const std::function<void(double)>& progress)
      : checkpoint_(checkpoint), config_(config), backend_(backend), progress_(progress) {}

  Result<Weights> Load() {
    const int64_t hidden = config_.hidden_size;
    HEARTH_ASSIGN_OR_RETURN(weights_.embed_tokens,
                            Matrix({{std::string(kEmbedTokens), config_.vocab_size}}, hidden));
    for (int i = 0; i < config_.num_hidden_layers; ++i) {
      HEARTH_RETURN_IF_ERROR(LoadLayer("model.layers." + std::to_string(i) + "."));
      progress_(static_cast<double>(i + 1) / config_.num_hidden_layers);
    }
    HEARTH_ASSIGN_OR_RETURN(weights_.norm, Vector({{"model.norm.weight", hidden}}));
    weights_.lm_head = weights_.embed_tokens;
    if (!config_.tie_word_embeddings) {
      HEARTH_ASSIGN_OR_RETURN(weights_.lm_head,
                              Matrix({{"lm_head.weight", config_.vocab_size}}, hidden));
    }
    return std::move(weights_);
  }

 private:
  Status LoadLayer(const std::string& prefix) {
    const int64_t hidden = config_.hidden_size;
    const int64_t intermediate = config_.intermediate_size;
    const std::string attn = prefix + "self_attn.";
    const std::string mlp = prefix + "mlp.";
    LayerWeights layer;
    HEARTH_ASSIGN_OR_RETURN(layer.input_layernorm,
                            Vector({{prefix + "input_layernorm.weight", hidden}}));
    HEARTH_ASSIGN_OR_RETURN(layer.qkv_proj, Matrix({{attn + "q_proj.weight", config_.q_size()},
                                                    {attn + "k_proj.weight", config_.kv_size()},
                                                    {attn + "v_proj.weight", config_.kv_size()}},
                                                   hidden));
    if (config_.qkv_bias) {
      HEARTH_ASSIGN_OR_RETURN(layer.qkv_bias, Vector({{attn + "q_proj.bias", config_.q_size()},
                                                      {attn + "k_proj.bias", config_.kv_size()},
                                                      {attn + "v_proj.bias", config_.kv_size()}}));
    }
    HEARTH_ASSIGN_OR_RETURN(layer.o_proj,
                            Matrix({{attn + "o_proj.weight", hidden}}, config_.q_size()));
    HEARTH_ASSIGN_OR_RETURN(layer.post_attention_layernorm,
                            Vector({{prefix + "post_attention_layernorm.weight", hidden}}));
    HEARTH_ASSIGN_OR_RETURN(layer.gate_up_proj, Matrix({{mlp + "gate_proj.weight", intermediate},
                                                        {mlp + "up_proj.weight", intermediate}},
                                                       hidden));
    HEARTH_ASSIGN_OR_RETURN(layer.down_proj,
                            Matrix({{mlp + "down_proj.weight", hidden}}, intermediate));
    weights_.layers.push_back(layer);
    return Status::Ok();
  }

  Result<WeightId> Matrix(const std::vector<Part>& parts, int64_t cols) {
    std::vector<HostTensor> tensors;
    for (const Part& part : parts) {
      HEARTH_ASSIGN_OR_RETURN(const HostTensor tensor, Read(part.name, {part.rows, cols}));
      tensors.push_back(tensor);
    }
    return backend_.AddMatrix(tensors);
  }

  Result<WeightId> Vector(const std::vector<Part>& parts) {
    std::vector<HostTensor> tensors;
    for (const Part& part : parts) {
      HEARTH_ASSIGN_OR_RETURN(const HostTensor tensor, Read(part.name, {part.rows}));
      tensors.push_back(tensor);
    }
    return backend_.AddVector(tensors);
  }

  Result<HostTensor> Read(const std::string& name, const std::vector<int64_t>& shape) {
    HEARTH_ASSIGN_OR_RETURN(const Checkpoint::Entry entry, checkpoint_.Find(name));
    if (entry.tensor->shape != shape) {
      SafetensorsTensor expected;
      expected.shape = shape;
      return WrongTensor(entry, "has the shape " + entry.tensor->ShapeText() +
                                    ", but config.json asks for " + expected.ShapeText());
    }
    const std::optional<DType> dtype = entry.tensor->weight_dtype();
    if (!dtype) {
      return WrongTensor(entry, "has the dtype " + entry.tensor->dtype +
                                    "; weights are served in BF16, F16 and F32");
    }
    HostTensor tensor;
    tensor.dtype = *dtype;
    tensor.rows = shape.size() == 2 ? shape[0] : 1;
    tensor.cols = shape.back();
    tensor.data = entry.file->data(*entry.tensor);
    weights_.num_parameters += tensor.rows * tensor.cols;
    return tensor;
  }

  const Checkpoint& checkpoint_;
  const ModelConfig& config_;
  Backend& backend_;
  const std::function<void(double)>& progress_;
  Weights weights_;
};

}  // namespace

Result<DType> WeightDType(const Checkpoint& checkpoint, const std::string& dtype) {
  if (dtype == "bfloat16") return DType::kBFloat16;
  if (dtype == "float32") return DType::kFloat32;
  if (dtype != "auto") {
    return InvalidArgument("dtype '" + dtype + "' is not served; use auto, bfloat16 or float32");
  }
  HEARTH_ASSIGN_OR_RETURN(const Checkpoint::Entry entry,
                          checkpoint.Find(std::string(kEmbedTokens)));
  return entry.tensor->weight_dtype() == DType::kBFloat16 ? DType::kBFloat16 : DType::kFloat32;
}

Result<Weights> LoadWeights(const Checkpoint& checkpoint, const ModelConfig& config,
                            Backend& backend, const std::function<void(double)>& progress) {
  return Loader(checkpoint, config, backend, progress).Load();
}

}  // namespace hearth::engine
