#include "firmware/models/quarantine.h"

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

namespace hearth::models {

uint64_t Quarantine::Fingerprint(const std::string& model_name, protocol::Generate generate) {
  generate.request_id = 0;
  generate.arrival_time_s = 0;
  const std::vector<uint8_t> bytes = protocol::EncodeMessage(std::move(generate));
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::hash<std::string_view> hash;
  return hash(text) * 31 + hash(model_name);
}

bool Quarantine::OnCrash(uint64_t fingerprint, uint64_t crash_id, const std::string& model_name,
                         double now_s) {
  std::lock_guard lock(mutex_);
  ForgetOldLocked(now_s);
  Suspect& suspect = suspects_[fingerprint];
  suspect.last_time_s = now_s;
  // The same request may have been in the batch several times.
  if (suspect.last_crash_id != crash_id && ++suspect.num_crashes == kCrashesMax) {
    news_.push_back(model_name);
  }
  suspect.last_crash_id = crash_id;
  num_suspects_ = suspects_.size();
  return suspect.num_crashes >= kCrashesMax;
}

void Quarantine::OnAnswered(uint64_t fingerprint) {
  std::lock_guard lock(mutex_);
  suspects_.erase(fingerprint);
  num_suspects_ = suspects_.size();
}

Status Quarantine::Check(uint64_t fingerprint, double now_s) const {
  std::lock_guard lock(mutex_);
  const auto it = suspects_.find(fingerprint);
  if (it == suspects_.end() || it->second.num_crashes < kCrashesMax ||
      now_s >= it->second.last_time_s + kRefusedForS) {
    return Status::Ok();
  }
  return InvalidArgument(kQuarantinedMessage);
}

std::vector<std::string> Quarantine::TakeNews() {
  std::lock_guard lock(mutex_);
  return std::exchange(news_, {});
}

void Quarantine::ForgetOldLocked(double now_s) {
  std::erase_if(suspects_, [&](const auto& each) {
    return now_s >= each.second.last_time_s + kRefusedForS;
  });
  if (suspects_.size() < kSuspectsMax) return;
  suspects_.erase(std::min_element(suspects_.begin(), suspects_.end(),
                                   [](const auto& a, const auto& b) {
                                     return a.second.last_time_s < b.second.last_time_s;
                                   }));
}

}  // namespace hearth::models
