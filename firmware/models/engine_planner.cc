#include "firmware/models/engine_planner.h"

#include <poll.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/clock.h"
#include "firmware/models/engine_process.h"

namespace hearth::models {
namespace {

// Until a frame, or the end of the channel, can be read. False at the deadline.
bool WaitReadable(int fd, double deadline_s) {
  while (true) {
    const double left_s = deadline_s - MonotonicSeconds();
    if (left_s <= 0) return false;
    pollfd readable{fd, POLLIN, 0};
    const int timeout_ms = static_cast<int>(std::ceil(std::min(left_s, 60.0) * 1000));
    if (poll(&readable, 1, timeout_ms) > 0) return true;
  }
}

}  // namespace

Result<protocol::Planned> PlanEngine(const std::string& executable, protocol::Load load,
                                     double timeout_s) {
  const double deadline_s = MonotonicSeconds() + timeout_s;
  load.plan_only = true;
  const std::string model = load.model;
  HEARTH_ASSIGN_OR_RETURN(const auto engine, EngineProcess::Start(executable));
  // A failure to send shows in what is received.
  (void)engine->channel().Send(std::move(load)).ok();
  while (WaitReadable(engine->channel().fd(), deadline_s)) {
    auto message = engine->channel().Receive();
    if (!message.ok()) {
      return Unavailable("the engine that was to plan '" + model + "' " + engine->Wait(1.0).how);
    }
    if (auto* planned = std::get_if<protocol::Planned>(&*message)) return std::move(*planned);
    if (auto* failed = std::get_if<protocol::Failed>(&*message)) {
      return InvalidArgument(std::move(failed->message));
    }
  }
  return DeadlineExceeded("the engine did not say in " +
                          std::to_string(static_cast<int>(timeout_s)) + " s what the model in '" +
                          model + "' takes; is its disk slow, or one of its files no file?");
}

}  // namespace hearth::models
