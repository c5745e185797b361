// How an apply goes, as the page shows it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "firmware/models/probe.h"

namespace hearth::apply {

enum class Step { kValidate, kFit, kStart, kProbe, kSwitch, kDrain, kWatch, kConfirm, kReturn };
inline constexpr size_t kSteps = 9;
std::string_view StepName(Step step);

struct StepStatus {
  std::string state = "waiting";  // waiting | running | done | failed | skipped
  int64_t started_ms = 0;         // Unix; 0: not yet
  int64_t ended_ms = 0;
  std::string text;
  double progress = 0;  // 0..1 while it runs, where it is known
};

// Why an apply did not end as confirmed.
struct Failure {
  std::string reason;   // a class, for the metric: kFailureReasons
  std::string message;  // a sentence
};
inline constexpr std::string_view kFailureReasons[] = {
    "invalid",        "does_not_fit", "load_failed", "not_ready", "probe_failed",
    "engine_crashed", "cancelled",    "interrupted", "not_kept"};

struct ApplyStatus {
  int64_t id = 0;
  int64_t revision = 0;
  int64_t previous = 0;
  std::string author;
  int64_t started_ms = 0;
  int64_t ended_ms = 0;
  std::string state = "running";  // running | watching | confirmed | returned | failed
  std::string reason;
  std::string message;
  std::vector<StepStatus> steps = std::vector<StepStatus>(kSteps);
  std::optional<models::ProbeAnswer> probe;
  int64_t watch_until_ms = 0;
  double announced_wait_s = 0;

  StepStatus& at(Step step) { return steps[static_cast<size_t>(step)]; }
  bool has_ended() const { return ended_ms != 0; }

  // The steps of one that comes to its end: a step that still runs becomes `running_becomes`, one
  // that waits was not needed.
  void CloseSteps(const std::string& running_becomes, const std::string& text, int64_t now_ms);
};

Json ToJson(const ApplyStatus& status);

}  // namespace hearth::apply
