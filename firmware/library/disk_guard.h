// The part of the disk that no download takes (D-17).
#pragma once

#include <cstdint>
#include <string>

#include "firmware/library/files.h"

namespace hearth::library {

class DiskGuard {
 public:
  // reserve_bytes 0: max(2 GiB, 5 % of the file system).
  DiskGuard(std::string directory, uint64_t reserve_bytes)
      : directory_(std::move(directory)), reserve_bytes_(reserve_bytes) {}

  uint64_t ReserveOf(const Space& space) const;

  // kResourceExhausted when so many bytes more would reach into the reserve.
  Status CheckRoomFor(uint64_t bytes) const;

 private:
  const std::string directory_;
  const uint64_t reserve_bytes_;
};

}  // namespace hearth::library
