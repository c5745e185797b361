#include "firmware/library/disk_guard.h"

#include <algorithm>

namespace hearth::library {
namespace {

constexpr uint64_t kReserveBytesMin = uint64_t{2} << 30;
constexpr uint64_t kReserveOneOf = 20;  // 5 %

std::string MiB(uint64_t bytes) { return std::to_string((bytes + (1 << 20) - 1) >> 20) + " MiB"; }

}  // namespace

uint64_t DiskGuard::ReserveOf(const Space& space) const {
  if (reserve_bytes_ > 0) return reserve_bytes_;
  return std::max(kReserveBytesMin, space.total_bytes / kReserveOneOf);
}

Status DiskGuard::CheckRoomFor(uint64_t bytes) const {
  HEARTH_ASSIGN_OR_RETURN(const Space space, SpaceOf(directory_));
  const uint64_t reserve = ReserveOf(space);
  if (space.free_bytes >= reserve && space.free_bytes - reserve >= bytes) return Status::Ok();
  return ResourceExhausted("not enough space in " + directory_ + ": " + MiB(bytes) +
                           " are needed and " + MiB(reserve) + " stay free, " +
                           MiB(space.free_bytes) +
                           " are available; free some (hub.disk_reserve_bytes is what stays free)");
}

}  // namespace hearth::library
