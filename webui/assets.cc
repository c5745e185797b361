#include "webui/assets.h"

#include <algorithm>
#include <array>

// assets_table.inc, written by embed_assets.cmake, is read twice: for the symbols and for the rows.
#define ASSET(index, path, content_type, etag, size) \
  extern "C" const uint8_t hearth_asset_##index[];   \
  extern "C" const uint8_t hearth_asset_##index##_end[];
#include "assets_table.inc"
#undef ASSET

namespace hearth {

namespace {

#define ASSET(index, path, content_type, etag, size) \
  Asset{path, content_type, etag, {hearth_asset_##index, hearth_asset_##index##_end}, size},
const std::array kAssets = {
#include "assets_table.inc"
};
#undef ASSET

}  // namespace

const Asset* FindAsset(std::string_view path) {
  const auto found =
      std::lower_bound(kAssets.begin(), kAssets.end(), path,
                       [](const Asset& asset, std::string_view key) { return asset.path < key; });
  return found != kAssets.end() && found->path == path ? &*found : nullptr;
}

std::span<const Asset> AllAssets() { return kAssets; }

}  // namespace hearth
