// The page's files, built into the program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace hearth {

struct Asset {
  std::string_view path;  // "/index.html"
  std::string_view content_type;
  std::string_view etag;          // quoted; of the contents
  std::span<const uint8_t> gzip;  // compressed by gzip -9
  size_t size = 0;                // uncompressed
};

// Null when there is none. `path` as in a URL; "/" is not translated.
const Asset* FindAsset(std::string_view path);

// Sorted by path.
std::span<const Asset> AllAssets();

}  // namespace hearth
