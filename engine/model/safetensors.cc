#include "engine/model/safetensors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <set>
#include <utility>

#include "base/json.h"
#include "engine/model/json_file.h"

namespace hearth::engine {
namespace {

constexpr int64_t kHeaderBytesMax = 100'000'000;  // the format's own limit
constexpr size_t kShapeDimsMax = 8;

struct FormatSize {
  std::string_view name;
  int64_t bytes;
};
constexpr std::array kFormats = {
    FormatSize{"BOOL", 1}, FormatSize{"U8", 1},      FormatSize{"I8", 1},  FormatSize{"F8_E5M2", 1},
    FormatSize{"U16", 2},  FormatSize{"F8_E4M3", 1}, FormatSize{"I16", 2}, FormatSize{"F16", 2},
    FormatSize{"BF16", 2}, FormatSize{"I32", 4},     FormatSize{"U32", 4}, FormatSize{"F32", 4},
    FormatSize{"F64", 8},  FormatSize{"I64", 8},     FormatSize{"U64", 8}};

// Members of all objects of `text`, duplicates included: the colons outside strings.
size_t CountMembers(std::string_view text) {
  size_t count = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (in_string && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      in_string = !in_string;
    } else if (text[i] == ':' && !in_string) {
      ++count;
    }
  }
  return count;
}

size_t CountMembers(const Json& value) {
  size_t count = value.is_object() ? value.size() : 0;
  if (value.is_structured()) {
    for (const Json& item : value) count += CountMembers(item);
  }
  return count;
}

Status BadTensor(const std::string& name, const std::string& what) {
  return InvalidArgument("tensor '" + name + "' " + what);
}

// A size or offset: an integer from 0 to 2^53, beyond which writers disagree about JSON numbers.
bool ReadSize(const Json& json, int64_t& out) {
  if (!json.is_number_integer() || json.get<double>() < 0 || json.get<double>() > 0x1p53)
    return false;
  out = json.get<int64_t>();
  return true;
}

Result<SafetensorsTensor> ParseTensor(const std::string& name, const Json& json) {
  SafetensorsTensor tensor;
  tensor.name = name;
  const auto member = [&](const char* key) {
    const auto it = json.is_object() ? json.find(key) : json.end();
    return it == json.end() ? Json() : *it;
  };
  const Json dtype = member("dtype");
  const Json shape = member("shape");
  const Json offsets = member("data_offsets");
  if (!dtype.is_string() || !shape.is_array() || !offsets.is_array() || offsets.size() != 2) {
    return BadTensor(name, "must have a dtype, a shape and two data_offsets");
  }
  tensor.dtype = dtype.get<std::string>();
  const auto* format = std::find_if(kFormats.begin(), kFormats.end(),
                                    [&](const FormatSize& f) { return f.name == tensor.dtype; });
  if (format == kFormats.end())
    return BadTensor(name, "has the unknown dtype '" + tensor.dtype + "'");
  if (shape.size() > kShapeDimsMax) {
    return BadTensor(name, "has " + std::to_string(shape.size()) + " dimensions; at most " +
                               std::to_string(kShapeDimsMax) + " are read");
  }
  int64_t bytes = format->bytes;
  for (const Json& size : shape) {
    int64_t dim = 0;
    if (!ReadSize(size, dim) || __builtin_mul_overflow(bytes, dim, &bytes)) {
      return BadTensor(name, "has an impossible shape " + DumpJson(shape).substr(0, 80));
    }
    tensor.shape.push_back(dim);
  }
  if (!ReadSize(offsets[0], tensor.begin) || !ReadSize(offsets[1], tensor.end) ||
      tensor.begin > tensor.end) {
    return BadTensor(name, "has impossible data_offsets " + DumpJson(offsets).substr(0, 80));
  }
  if (tensor.end - tensor.begin != bytes) {
    return BadTensor(name, tensor.dtype + " " + tensor.ShapeText() + " must have " +
                               std::to_string(bytes) + " bytes, but its data_offsets span " +
                               std::to_string(tensor.end - tensor.begin));
  }
  return tensor;
}

// Tensors, sorted by offset, cover the data without overlap or gap.
Status CheckCoverage(const std::vector<SafetensorsTensor>& tensors, int64_t data_bytes) {
  int64_t end = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const SafetensorsTensor& tensor = tensors[i];
    if (tensor.begin < end) {
      return BadTensor(tensor.name, "overlaps tensor '" + tensors[i - 1].name + "'");
    }
    if (tensor.begin > end) {
      return BadTensor(tensor.name, "leaves " + std::to_string(tensor.begin - end) +
                                        " bytes before it that belong to no tensor");
    }
    end = tensor.end;
    if (end > data_bytes) {
      return DataLoss("the file is truncated: tensor '" + tensor.name + "' ends at byte " +
                      std::to_string(end) + " of the data, but the file has only " +
                      std::to_string(data_bytes) + "; download it again");
    }
  }
  if (end != data_bytes) {
    return InvalidArgument("the tensors have " + std::to_string(end) + " bytes, but the file has " +
                           std::to_string(data_bytes) + " bytes of data");
  }
  return Status::Ok();
}

}  // namespace

// ---- MappedFile
// -------------------------------------------------------------------------------------

Result<MappedFile> MappedFile::Open(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus("cannot open " + path, errno);
  struct stat info {};
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    close(fd);
    return InvalidArgument(path + " is not a regular file");
  }
  const auto size = static_cast<size_t>(info.st_size);
  if (size == 0) {
    close(fd);
    return DataLoss(path + " is empty");
  }
  void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  const int error = errno;
  close(fd);
  if (data == MAP_FAILED) return ErrnoStatus("cannot map " + path, error);
  return MappedFile(static_cast<const std::byte*>(data), size);
}

void MappedFile::Prefetch() const {
  madvise(const_cast<std::byte*>(data_), size_, MADV_WILLNEED);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<std::byte*>(data_), size_);
}

// ---- One file
// ---------------------------------------------------------------------------------------

std::optional<DType> SafetensorsTensor::weight_dtype() const {
  if (dtype == "BF16") return DType::kBFloat16;
  if (dtype == "F16") return DType::kFloat16;
  if (dtype == "F32") return DType::kFloat32;
  return std::nullopt;
}

std::string SafetensorsTensor::ShapeText() const {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  }
  return text + "]";
}

Result<std::vector<SafetensorsTensor>> ParseSafetensorsHeader(std::string_view header,
                                                              int64_t data_bytes) {
  Result<Json> json = ParseJson(header);
  if (!json.ok()) return json.status().WithContext("the header");
  if (!json->is_object()) return InvalidArgument("the header must be a JSON object");
  if (CountMembers(header) != CountMembers(*json)) {
    return InvalidArgument("the header has the same name twice");
  }
  std::vector<SafetensorsTensor> tensors;
  for (const auto& [name, value] : json->items()) {
    if (name == "__metadata__") continue;
    HEARTH_ASSIGN_OR_RETURN(SafetensorsTensor tensor, ParseTensor(name, value));
    tensors.push_back(std::move(tensor));
  }
  std::sort(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  HEARTH_RETURN_IF_ERROR(CheckCoverage(tensors, data_bytes));
  return tensors;
}

Result<SafetensorsFile> SafetensorsFile::Open(const std::string& path) {
  HEARTH_ASSIGN_OR_RETURN(MappedFile mapped, MappedFile::Open(path));
  SafetensorsFile file(path, std::move(mapped));
  const std::span<const std::byte> bytes = file.file_.bytes();
  if (bytes.size() < 8) {
    return DataLoss(path + ": the file is truncated: " + std::to_string(bytes.size()) +
                    " bytes are less than the 8 of the header's length");
  }
  uint64_t header_bytes = 0;
  for (size_t i = 8; i-- > 0;)
    header_bytes = header_bytes << 8 | std::to_integer<uint64_t>(bytes[i]);
  if (header_bytes > static_cast<uint64_t>(kHeaderBytesMax)) {
    return InvalidArgument(path + ": the header claims " + std::to_string(header_bytes) +
                           " bytes; at most " + std::to_string(kHeaderBytesMax) + " are allowed");
  }
  if (header_bytes > bytes.size() - 8) {
    return DataLoss(path + ": the file is truncated: its header has " +
                    std::to_string(header_bytes) + " bytes, the file " +
                    std::to_string(bytes.size()) + "; download it again");
  }
  const std::string_view header(reinterpret_cast<const char*>(bytes.data()) + 8, header_bytes);
  Result<std::vector<SafetensorsTensor>> tensors =
      ParseSafetensorsHeader(header, static_cast<int64_t>(bytes.size() - 8 - header_bytes));
  if (!tensors.ok()) return tensors.status().WithContext(path);
  file.tensors_ = *std::move(tensors);
  file.data_ = bytes.data() + 8 + header_bytes;
  return file;
}

// ---- A directory
// ------------------------------------------------------------------------------------

namespace {

// The shards of an index, each once. Their names are plain file names: an index is untrusted.
Result<std::set<std::string>> ReadShardNames(const std::string& index_path) {
  HEARTH_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(index_path, kConfigBytesMax));
  Result<Json> json = ParseJson(text);
  if (!json.ok()) return json.status().WithContext(index_path);
  const auto map = json->is_object() ? json->find("weight_map") : json->end();
  if (map == json->end() || !map->is_object() || map->empty()) {
    return InvalidArgument(index_path + ": field 'weight_map' must name a file for each tensor");
  }
  std::set<std::string> shards;
  for (const auto& [tensor, shard] : map->items()) {
    const std::string name = shard.is_string() ? shard.get<std::string>() : "";
    if (name.empty() || name.find('/') != std::string::npos || name.starts_with(".")) {
      return InvalidArgument(index_path + ": the file of tensor '" + tensor +
                             "' must be the name of a file beside it");
    }
    shards.insert(name);
  }
  return shards;
}

}  // namespace

Result<Checkpoint> Checkpoint::Open(const std::string& model_dir) {
  Checkpoint checkpoint;
  const std::string single = model_dir + "/model.safetensors";
  const std::string index = model_dir + "/model.safetensors.index.json";
  if (access(single.c_str(), F_OK) == 0) {
    checkpoint.where_ = single;
    HEARTH_RETURN_IF_ERROR(checkpoint.AddFile(single));
  } else if (access(index.c_str(), F_OK) == 0) {
    checkpoint.where_ = index;
    HEARTH_ASSIGN_OR_RETURN(const std::set<std::string> shards, ReadShardNames(index));
    for (const std::string& shard : shards) {
      HEARTH_RETURN_IF_ERROR(checkpoint.AddFile(model_dir + "/" + shard));
    }
  } else {
    return NotFound(model_dir + " has neither model.safetensors nor model.safetensors.index.json");
  }
  return checkpoint;
}

Status Checkpoint::AddFile(const std::string& path) {
  HEARTH_ASSIGN_OR_RETURN(SafetensorsFile opened, SafetensorsFile::Open(path));
  files_.push_back(std::make_unique<SafetensorsFile>(std::move(opened)));
  const SafetensorsFile& file = *files_.back();
  for (const SafetensorsTensor& tensor : file.tensors()) {
    const auto [it, added] = entries_.try_emplace(tensor.name, Entry{&file, &tensor});
    if (!added) {
      return InvalidArgument("tensor '" + tensor.name + "' is both in " + it->second.file->path() +
                             " and in " + path);
    }
  }
  return Status::Ok();
}

void Checkpoint::Prefetch() const {
  for (const auto& file : files_) file->Prefetch();
}

Result<Checkpoint::Entry> Checkpoint::Find(const std::string& name) const {
  const auto it = entries_.find(name);
  if (it == entries_.end()) return NotFound(where_ + ": tensor '" + name + "' is missing");
  return it->second;
}

}  // namespace hearth::engine
