// Safetensors files, read through a memory map and checked before a byte of a tensor is touched.
//
// Format: u64 little-endian header length, JSON header {name: {dtype, shape, data_offsets}}, raw
// data. Refused: a header over 100 MB or beyond the file, duplicate names, offsets outside the
// file, tensors that overlap or leave bytes between them, a size that is not dtype x shape.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/backend/dtype.h"

namespace hearth::engine {

// Read-only, for the life of the object.
class MappedFile {
 public:
  static Result<MappedFile> Open(const std::string& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  void Prefetch() const;  // all of it will be read soon

 private:
  MappedFile(const std::byte* data, size_t size) : data_(data), size_(size) {}

  const std::byte* data_;
  size_t size_;
};

struct SafetensorsTensor {
  std::string name;
  std::string dtype;  // as written: "BF16", "F32", "I64", ...
  std::vector<int64_t> shape;
  int64_t begin = 0;  // byte offsets in the data behind the header
  int64_t end = 0;

  // Absent for formats that hold no weights served here.
  std::optional<DType> weight_dtype() const;
  std::string ShapeText() const;  // "[896, 4864]"
};

// Parses and checks a header (the JSON text) against `data_bytes` bytes of data behind it.
Result<std::vector<SafetensorsTensor>> ParseSafetensorsHeader(std::string_view header,
                                                              int64_t data_bytes);

class SafetensorsFile {
 public:
  // Errors begin with the path.
  static Result<SafetensorsFile> Open(const std::string& path);

  const std::string& path() const { return path_; }
  std::span<const SafetensorsTensor> tensors() const { return tensors_; }  // in order of offset
  const std::byte* data(const SafetensorsTensor& tensor) const { return data_ + tensor.begin; }
  void Prefetch() const { file_.Prefetch(); }

 private:
  SafetensorsFile(std::string path, MappedFile file)
      : path_(std::move(path)), file_(std::move(file)) {}

  std::string path_;
  MappedFile file_;
  const std::byte* data_ = nullptr;
  std::vector<SafetensorsTensor> tensors_;
};

// The tensors of a model directory: model.safetensors, or the shards that
// model.safetensors.index.json names.
class Checkpoint {
 public:
  struct Entry {
    const SafetensorsFile* file;
    const SafetensorsTensor* tensor;
  };

  static Result<Checkpoint> Open(const std::string& model_dir);

  // kNotFound naming the tensor and where it was looked for.
  Result<Entry> Find(const std::string& name) const;

  // Has the system read the files ahead; until then it reads their headers only.
  void Prefetch() const;

 private:
  Status AddFile(const std::string& path);

  std::string where_;  // the file or index, for messages
  std::vector<std::unique_ptr<SafetensorsFile>> files_;
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace hearth::engine
