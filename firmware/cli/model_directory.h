// What a directory of a model holds, read from config.json and from the headers of its safetensors
// files. No tensor is read.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace hearth::cli {

// Of tensors that have one type in common.
struct TensorSum {
  int64_t tensors = 0;
  int64_t parameters = 0;
  int64_t bytes = 0;
};

struct SafetensorsFacts {
  std::map<std::string, TensorSum> by_dtype;  // "BF16", as the files spell it
};

// The format: 8 bytes of length, little endian, then so much JSON, then the tensors, each of which
// lies at "data_offsets": [from, to). kDataLoss when the file is not as its header says, above all
// when it is shorter. https://huggingface.co/docs/safetensors
Result<SafetensorsFacts> ReadSafetensorsHeader(const std::string& path);

struct ModelFile {
  std::string name;  // relative to the directory
  int64_t bytes = 0;
};

struct ModelDirectory {
  std::string path;
  Json config;                   // config.json
  std::vector<ModelFile> files;  // by name
  std::map<std::string, TensorSum> by_dtype;

  TensorSum total() const;
};

// kNotFound: no such directory, or no config.json in it.
Result<ModelDirectory> ReadModelDirectory(const std::string& path);

// {"path", "config", "tensors", "num_parameters", "bytes", "dtypes": {…}, "files": […]}
Json ToJson(const ModelDirectory& directory);

// The same for people. Facts of config.json are named as Hugging Face names them.
std::string Describe(const ModelDirectory& directory);

// "494 million", "7.6 billion", "512".
std::string ParametersText(int64_t parameters);

}  // namespace hearth::cli
