#include "firmware/cli/model_directory.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>

#include "firmware/cli/read_json.h"
#include "firmware/cli/text_table.h"

namespace hearth::cli {
namespace {

namespace fs = std::filesystem;

// safetensors' own limit of a header.
constexpr uint64_t kHeaderBytesMax = 100'000'000;
constexpr uintmax_t kConfigBytesMax = uintmax_t{4} << 20;
constexpr int kFilesMax = 10'000;
constexpr int kDepthMax = 4;

// What of config.json says how large a model is and what it can do.
constexpr std::array<const char*, 14> kConfigFacts = {
    "model_type",          "torch_dtype",           "hidden_size",         "num_hidden_layers",
    "num_attention_heads", "num_key_value_heads",   "head_dim",            "intermediate_size",
    "vocab_size",          "max_position_embeddings", "tie_word_embeddings", "sliding_window",
    "rope_theta",          "num_experts"};

Status Broken(const std::string& path, const std::string& what) {
  return DataLoss("'" + path + "' is no whole safetensors file: " + what +
                  "; fetch it again, or 'hearth verify' says which files are damaged");
}

// Bits of one element; nullopt: a type that this program does not know the size of.
std::optional<int64_t> BitsOf(const std::string& dtype) {
  static const std::map<std::string, int64_t> bits = {
      {"BOOL", 8},    {"U8", 8},   {"I8", 8},   {"F8_E4M3", 8}, {"F8_E5M2", 8}, {"F8_E8M0", 8},
      {"I16", 16},    {"U16", 16}, {"F16", 16}, {"BF16", 16},   {"I32", 32},    {"U32", 32},
      {"F32", 32},    {"C64", 64}, {"F64", 64}, {"I64", 64},    {"U64", 64},    {"F4", 4},
      {"F6_E2M3", 6}, {"F6_E3M2", 6}};
  const auto found = bits.find(dtype);
  return found == bits.end() ? std::nullopt : std::optional(found->second);
}

// The product of a shape; nullopt when it is none or does not fit.
std::optional<int64_t> ElementsOf(const SortedJson& shape) {
  if (!shape.is_array()) return std::nullopt;
  int64_t elements = 1;
  for (const SortedJson& size : shape) {
    if (!size.is_number_unsigned()) return std::nullopt;
    if (__builtin_mul_overflow(elements, size.get<uint64_t>(), &elements)) return std::nullopt;
  }
  return elements;
}

// What is wrong with the tensor, in words; empty when nothing is.
std::string AddTensor(const SortedJson& tensor, uint64_t data_bytes, SafetensorsFacts& facts) {
  const bool is_whole = tensor.is_object() && tensor.contains("dtype") &&
                        tensor["dtype"].is_string() && tensor.contains("shape") &&
                        tensor.contains("data_offsets") && tensor["data_offsets"].is_array() &&
                        tensor["data_offsets"].size() == 2 &&
                        tensor["data_offsets"][0].is_number_unsigned() &&
                        tensor["data_offsets"][1].is_number_unsigned();
  if (!is_whole) return "has no dtype, shape and data_offsets";
  const auto elements = ElementsOf(tensor["shape"]);
  if (!elements) return "has the shape " + tensor["shape"].dump();
  const auto from = tensor["data_offsets"][0].get<uint64_t>();
  const auto to = tensor["data_offsets"][1].get<uint64_t>();
  if (from > to || to > data_bytes) {
    return "lies at " + std::to_string(from) + " to " + std::to_string(to) + " of " +
           std::to_string(data_bytes) + " bytes of tensors";
  }
  const std::string dtype = tensor["dtype"].get<std::string>();
  const auto bytes = static_cast<int64_t>(to - from);
  int64_t bits = 0;
  if (const auto each = BitsOf(dtype);
      each && (__builtin_mul_overflow(*elements, *each, &bits) || (bits + 7) / 8 != bytes)) {
    return "takes " + std::to_string(bytes) + " bytes, which " + std::to_string(*elements) +
           " elements of " + dtype + " do not";
  }
  TensorSum& sum = facts.by_dtype[dtype];
  ++sum.tensors;
  sum.parameters += *elements;
  sum.bytes += bytes;
  return "";
}

// config.json and what else is small. kNotFound when it is not there.
Result<std::string> ReadText(const fs::path& path, uintmax_t bytes_max) {
  std::error_code error;
  const uintmax_t bytes = fs::file_size(path, error);
  if (error) return ErrnoStatus("cannot read '" + path.string() + "'", error.value());
  if (bytes > bytes_max) {
    return InvalidArgument("'" + path.string() + "' has " + std::to_string(bytes) +
                           " bytes; at most " + std::to_string(bytes_max) + " are read");
  }
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), {});
  if (!file) return ErrnoStatus("cannot read '" + path.string() + "'", errno);
  return text;
}

Result<std::vector<ModelFile>> FilesOf(const fs::path& directory) {
  std::vector<ModelFile> files;
  std::error_code error;
  fs::recursive_directory_iterator entry(directory, error);
  for (; !error && entry != fs::end(entry); entry.increment(error)) {
    const std::string name = entry->path().lexically_relative(directory).string();
    if (entry->path().filename().string().starts_with('.') || entry.depth() >= kDepthMax) {
      entry.disable_recursion_pending();
      continue;
    }
    if (!entry->is_regular_file(error) || error) continue;
    files.push_back({name, static_cast<int64_t>(entry->file_size(error))});
    if (files.size() > kFilesMax) {
      return InvalidArgument("'" + directory.string() + "' holds more than " +
                             std::to_string(kFilesMax) + " files; name the directory of one model");
    }
  }
  if (error) return ErrnoStatus("cannot list '" + directory.string() + "'", error.value());
  std::sort(files.begin(), files.end(),
            [](const ModelFile& a, const ModelFile& b) { return a.name < b.name; });
  return files;
}

std::string Grouped(int64_t number) {
  std::string text = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) {
    text.insert(static_cast<size_t>(at), ",");
  }
  return text;
}

}  // namespace

Result<SafetensorsFacts> ReadSafetensorsHeader(const std::string& path) {
  std::error_code error;
  const uintmax_t bytes = fs::file_size(path, error);
  if (error) return ErrnoStatus("cannot read '" + path + "'", error.value());
  std::ifstream file(path, std::ios::binary);
  std::array<unsigned char, 8> length_bytes{};
  file.read(reinterpret_cast<char*>(length_bytes.data()), length_bytes.size());
  if (!file) return Broken(path, "it has " + std::to_string(bytes) + " bytes");
  uint64_t length = 0;
  for (size_t i = 0; i < length_bytes.size(); ++i) length |= uint64_t{length_bytes[i]} << (8 * i);
  if (length > kHeaderBytesMax || length > bytes - length_bytes.size()) {
    return Broken(path, "its header would have " + std::to_string(length) + " of " +
                            std::to_string(bytes) + " bytes, at most " +
                            std::to_string(kHeaderBytesMax));
  }
  std::string text(length, '\0');
  file.read(text.data(), static_cast<std::streamsize>(length));
  if (!file) return Broken(path, "its header cannot be read");
  const Result<SortedJson> header = ParseLargeJson(text);
  if (!header.ok()) return Broken(path, header.status().message());
  if (!header->is_object()) return Broken(path, "its header is no object");

  SafetensorsFacts facts;
  const uint64_t data_bytes = bytes - length_bytes.size() - length;
  for (const auto& [name, tensor] : header->items()) {
    if (name == "__metadata__") continue;
    const std::string wrong = AddTensor(tensor, data_bytes, facts);
    if (!wrong.empty()) return Broken(path, "tensor '" + name + "' " + wrong);
  }
  return facts;
}

TensorSum ModelDirectory::total() const {
  TensorSum sum;
  for (const auto& [dtype, of_type] : by_dtype) {
    sum.tensors += of_type.tensors;
    sum.parameters += of_type.parameters;
    sum.bytes += of_type.bytes;
  }
  return sum;
}

Result<ModelDirectory> ReadModelDirectory(const std::string& path) {
  ModelDirectory directory;
  directory.path = fs::absolute(path).lexically_normal().string();
  HEARTH_ASSIGN_OR_RETURN(const std::string config,
                          ReadText(fs::path(path) / "config.json", kConfigBytesMax));
  HEARTH_ASSIGN_OR_RETURN(directory.config, ParseJson(config));
  if (!directory.config.is_object()) {
    return DataLoss("'" + path + "/config.json' is no JSON object");
  }
  HEARTH_ASSIGN_OR_RETURN(directory.files, FilesOf(path));
  for (const ModelFile& file : directory.files) {
    if (!file.name.ends_with(".safetensors")) continue;
    HEARTH_ASSIGN_OR_RETURN(const SafetensorsFacts facts,
                            ReadSafetensorsHeader((fs::path(path) / file.name).string()));
    for (const auto& [dtype, sum] : facts.by_dtype) {
      TensorSum& into = directory.by_dtype[dtype];
      into.tensors += sum.tensors;
      into.parameters += sum.parameters;
      into.bytes += sum.bytes;
    }
  }
  return directory;
}

Json ToJson(const ModelDirectory& directory) {
  Json dtypes = Json::object();
  for (const auto& [dtype, sum] : directory.by_dtype) {
    dtypes[dtype] = {{"tensors", sum.tensors}, {"parameters", sum.parameters}, {"bytes", sum.bytes}};
  }
  Json files = Json::array();
  int64_t bytes = 0;
  for (const ModelFile& file : directory.files) {
    files.push_back({{"path", file.name}, {"bytes", file.bytes}});
    bytes += file.bytes;
  }
  const TensorSum total = directory.total();
  return Json{{"path", directory.path},       {"bytes", bytes},
              {"tensors", total.tensors},     {"num_parameters", total.parameters},
              {"dtypes", std::move(dtypes)},  {"files", std::move(files)},
              {"config", directory.config}};
}

std::string Describe(const ModelDirectory& directory) {
  const TensorSum total = directory.total();
  std::string architecture;
  for (const Json& name : ListOf(directory.config, "architectures")) {
    if (name.is_string()) architecture += (architecture.empty() ? "" : ", ") + name.get<std::string>();
  }
  std::vector<std::vector<std::string>> rows = {
      {"directory", directory.path},
      {"architecture", architecture.empty() ? "not named in config.json" : architecture},
      {"parameters", ParametersText(total.parameters) + " in " + Grouped(total.tensors) +
                         " tensors, " + SizeText(static_cast<double>(total.bytes))}};
  for (const auto& [dtype, sum] : directory.by_dtype) {
    rows.push_back({"  " + dtype, Grouped(sum.parameters) + " in " + Grouped(sum.tensors) +
                                      " tensors, " + SizeText(static_cast<double>(sum.bytes))});
  }
  for (const char* fact : kConfigFacts) {
    const Json& value = PartOf(directory.config, fact);
    if (value.is_null()) continue;
    rows.push_back({fact, value.is_string() ? value.get<std::string>() : DumpJson(value)});
  }
  std::string text;
  for (const auto& row : rows) {
    text += row[0] + std::string(row[0].size() < 25 ? 25 - row[0].size() : 1, ' ') + row[1] + "\n";
  }
  std::vector<std::vector<std::string>> files = {{"file", "size"}};
  for (const ModelFile& file : directory.files) {
    files.push_back({file.name, SizeText(static_cast<double>(file.bytes))});
  }
  return text + "\n" + TextTable(files);
}

std::string ParametersText(int64_t parameters) {
  char text[32];
  const auto number = static_cast<double>(parameters);
  if (parameters >= 1'000'000'000) {
    std::snprintf(text, sizeof(text), "%.1f billion", number / 1e9);
  } else if (parameters >= 1'000'000) {
    std::snprintf(text, sizeof(text), "%.1f million", number / 1e6);
  } else {
    return Grouped(parameters);
  }
  return text;
}

}  // namespace hearth::cli
