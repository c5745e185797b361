// What a model of the library consists of: hearth-manifest.json beside its files.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace hearth::library {

inline constexpr char kManifestName[] = "hearth-manifest.json";

struct ManifestFile {
  std::string path;
  uint64_t size = 0;
  std::string sha256;

  template <typename V>
  void VisitFields(V& v) {
    v("path", path);
    v("size", size);
    v("sha256", sha256);
  }
};

struct Manifest {
  int format = 1;
  std::string model;
  std::string revision;
  std::string source;  // "hub", "import", "upload"
  std::vector<ManifestFile> files;
  std::string content_hash;  // "sha256:" and the hash of "<sha256>  <size>  <path>\n" by path
  int64_t added_ms = 0;
  std::optional<int64_t> verified_ms;
  std::vector<std::string> damaged;  // what the last verification found, one sentence each

  uint64_t bytes() const;

  template <typename V>
  void VisitFields(V& v) {
    v("format", format);
    v("model", model);
    v("revision", revision);
    v("source", source);
    v("files", files);
    v("content_hash", content_hash);
    v("added_ms", added_ms);
    v("verified_ms", verified_ms);
    v("damaged", damaged);
  }
};

// Sorts the files.
void SetContentHash(Manifest& manifest);

// nullopt: there is none, or it cannot be read.
std::optional<Manifest> ReadManifest(const std::string& directory);
Status WriteManifest(const std::string& directory, const Manifest& manifest);

// By a look at names and sizes; what is wrong, one sentence. Empty: nothing.
std::string QuickCheck(const std::string& directory, const Manifest& manifest);

// What config.json and the heads of the weights tell of a model.
struct ModelFacts {
  std::string architecture;  // "" when unknown
  std::string dtype;
  std::optional<uint64_t> num_parameters;
};
ModelFacts ReadFacts(const std::string& directory);

}  // namespace hearth::library
