// CRC-32C (Castagnoli, RFC 3720 appendix B.4): SQLite has no page checksum by default, so stored
// blobs carry their own.
#pragma once

#include <cstdint>
#include <span>

namespace hearth::storage {

uint32_t Crc32c(std::span<const uint8_t> bytes);

}  // namespace hearth::storage
