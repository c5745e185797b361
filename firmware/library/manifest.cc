#include "firmware/library/manifest.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <numeric>

#include "base/durable_file.h"
#include "base/fields.h"
#include "firmware/library/digest.h"
#include "firmware/library/files.h"

namespace hearth::library {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kHeadBytesMax = uint64_t{64} << 20;  // of a safetensors file; 100,000 tensors

uint64_t ElementsOf(const SortedJson& tensor) {
  const auto shape = tensor.find("shape");
  if (shape == tensor.end() || !shape->is_array()) return 0;
  uint64_t elements = 1;
  for (const SortedJson& size : *shape) {
    if (!size.is_number_unsigned()) return 0;
    elements *= size.get<uint64_t>();
  }
  return elements;
}

// The head of a safetensors file: its length in 8 bytes, little-endian, then JSON by tensor.
std::optional<uint64_t> ParametersIn(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<unsigned char, 8> length{};
  if (file.get() < 0 || ::pread(file.get(), length.data(), 8, 0) != 8) return std::nullopt;
  uint64_t bytes = 0;
  for (size_t i = 8; i-- > 0;) bytes = bytes << 8 | length[i];
  if (bytes > kHeadBytesMax) return std::nullopt;
  std::string text(bytes, '\0');
  if (::pread(file.get(), text.data(), bytes, 8) != static_cast<ssize_t>(bytes)) return std::nullopt;
  const auto head = ParseLargeJson(text);
  if (!head.ok() || !head->is_object()) return std::nullopt;
  uint64_t sum = 0;
  for (const auto& [name, tensor] : head->items()) {
    if (name != "__metadata__" && tensor.is_object()) sum += ElementsOf(tensor);
  }
  return sum;
}

std::string TextAt(const Json& json, const char* name) {
  const auto member = json.find(name);
  return member != json.end() && member->is_string() ? member->get<std::string>() : "";
}

}  // namespace

uint64_t Manifest::bytes() const {
  return std::accumulate(files.begin(), files.end(), uint64_t{0},
                         [](uint64_t sum, const ManifestFile& file) { return sum + file.size; });
}

void SetContentHash(Manifest& manifest) {
  std::sort(manifest.files.begin(), manifest.files.end(),
            [](const ManifestFile& a, const ManifestFile& b) { return a.path < b.path; });
  Hasher hasher = Hasher::Sha256();
  for (const ManifestFile& file : manifest.files) {
    hasher.Add(file.sha256 + "  " + std::to_string(file.size) + "  " + file.path + "\n");
  }
  manifest.content_hash = "sha256:" + hasher.Hex();
}

std::optional<Manifest> ReadManifest(const std::string& directory) {
  const auto text = ReadSmallFile((fs::path(directory) / kManifestName).string());
  if (!text) return std::nullopt;
  const auto json = ParseJson(*text);
  if (!json.ok() || !json->is_object()) return std::nullopt;
  auto manifest = FromJson<Manifest>(*json);
  if (!manifest.ok()) return std::nullopt;
  return *std::move(manifest);
}

Status WriteManifest(const std::string& directory, const Manifest& manifest) {
  const std::string path = (fs::path(directory) / kManifestName).string();
  HEARTH_RETURN_IF_ERROR(WriteDurably(path, ToJson(manifest).dump(1) + "\n"));
  // Engines may run as another user.
  if (::chmod(path.c_str(), 0644) != 0) return ErrnoStatus("cannot open " + path + " to others", errno);
  return Status::Ok();
}

std::string QuickCheck(const std::string& directory, const Manifest& manifest) {
  for (const ManifestFile& file : manifest.files) {
    std::error_code error;
    const uint64_t size = fs::file_size(fs::path(directory) / file.path, error);
    if (error) return file.path + " is missing";
    if (size != file.size) {
      return file.path + " has " + std::to_string(size) + " bytes instead of " +
             std::to_string(file.size);
    }
  }
  return manifest.damaged.empty() ? "" : manifest.damaged.front();
}

ModelFacts ReadFacts(const std::string& directory) {
  ModelFacts facts;
  const auto text = ReadSmallFile((fs::path(directory) / "config.json").string());
  const auto config = text ? ParseJson(*text) : Result<Json>(NotFound("no config.json"));
  if (config.ok() && config->is_object()) {
    const auto names = config->find("architectures");
    if (names != config->end() && names->is_array() && !names->empty() && (*names)[0].is_string()) {
      facts.architecture = (*names)[0].get<std::string>();
    }
    facts.dtype = TextAt(*config, "torch_dtype");
    if (facts.dtype.empty()) facts.dtype = TextAt(*config, "dtype");
  }
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    if (entry.path().extension() != ".safetensors") continue;
    const auto parameters = ParametersIn(entry.path().string());
    if (!parameters) return facts;
    facts.num_parameters = facts.num_parameters.value_or(0) + *parameters;
  }
  return facts;
}

}  // namespace hearth::library
