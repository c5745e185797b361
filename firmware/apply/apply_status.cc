#include "firmware/apply/apply_status.h"

namespace hearth::apply {

std::string_view StepName(Step step) {
  constexpr std::string_view kNames[kSteps] = {"validate", "fit",   "start",   "probe", "switch",
                                               "drain",    "watch", "confirm", "return"};
  return kNames[static_cast<size_t>(step)];
}

void ApplyStatus::CloseSteps(const std::string& running_becomes, const std::string& text,
                             int64_t now_ms) {
  StepStatus& drain = at(Step::kDrain);
  if (drain.state == "running") {
    drain.state = "done";
    drain.text = "the old engine finishes what it was asked, in the background";
    drain.ended_ms = now_ms;
  }
  for (StepStatus& step : steps) {
    if (step.state == "waiting") step.state = "skipped";
    if (step.state != "running") continue;
    step.state = running_becomes;
    if (!text.empty()) step.text = text;
    step.ended_ms = now_ms;
  }
}

Json ToJson(const ApplyStatus& status) {
  Json steps = Json::array();
  for (size_t i = 0; i < status.steps.size(); ++i) {
    const StepStatus& step = status.steps[i];
    steps.push_back(Json{{"name", StepName(static_cast<Step>(i))},
                         {"state", step.state},
                         {"started_ms", step.started_ms},
                         {"ended_ms", step.ended_ms},
                         {"text", step.text},
                         {"progress", step.progress}});
  }
  Json probe = nullptr;
  if (status.probe) {
    probe = Json{{"prompt", status.probe->prompt},
                 {"text", status.probe->text},
                 {"tokens", status.probe->num_tokens},
                 {"ttft_ms", status.probe->ttft_s * 1000},
                 {"duration_ms", status.probe->duration_s * 1000}};
  }
  return Json{{"id", status.id},
              {"revision", status.revision},
              {"previous", status.previous},
              {"author", status.author},
              {"started_ms", status.started_ms},
              {"ended_ms", status.ended_ms},
              {"state", status.state},
              {"reason", status.reason},
              {"message", status.message},
              {"steps", std::move(steps)},
              {"probe", std::move(probe)},
              {"watch_until_ms", status.watch_until_ms},
              {"announced_wait_s", status.announced_wait_s}};
}

}  // namespace hearth::apply
