// An engine that behaves as its model's name says, to show the supervisor every way an engine can go.

#include <unistd.h>

#include <cstdlib>
#include <string>

#include "engine/protocol/channel.h"

namespace hearth::protocol {
namespace {

class ScriptedEngine {
 public:
  int Run() {
    const auto first = channel_.Receive();
    if (!first.ok()) return 2;
    script_ = std::get<Load>(*first).model;
    if (script_ == "dies-while-loading") return 3;
    if (script_ == "cannot-be-loaded") return Say(Failed{"the file is broken"}), 1;
    if (script_ == "talks-rubbish") return Rubbish();
    Say(Progress{"loading weights", 0.5});
    Ready ready;
    ready.device = "cpu";
    ready.max_model_len = 64;
    Say(ready);
    while (true) {
      const auto message = channel_.Receive();
      if (!message.ok() || std::holds_alternative<Shutdown>(*message)) return 0;
      if (const auto* generate = std::get_if<Generate>(&*message)) Answer(*generate);
      if (const auto* abort = std::get_if<Abort>(&*message)) Finish(abort->request_id, "abort");
    }
  }

 private:
  void Say(const Message& message) {
    if (!channel_.Send(message).ok()) std::_Exit(4);
  }

  int Rubbish() {
    const char text[] = "\x05\x00\x00\x00hello";
    return write(channel_.fd(), text, sizeof text - 1) > 0 ? 0 : 5;
  }

  void Answer(const Generate& generate) {
    if (generate.prompt == "refuse") {
      return Say(Refused{generate.request_id, static_cast<int>(StatusCode::kInvalidArgument),
                         "too long", "context_length_exceeded", "prompt"});
    }
    Say(Accepted{generate.request_id, 3});
    if (script_ == "dies-on-requests" || generate.prompt == "die") std::_Exit(6);
    StepOutput step;
    step.deltas.push_back({generate.request_id, "hello", {1}});
    step.stats.num_generation_tokens = 1;
    Say(step);
    if (generate.prompt != "hold") Finish(generate.request_id, "stop");
  }

  void Finish(uint64_t request_id, const std::string& reason) {
    StepOutput step;
    FinishedRequest finished;
    finished.request_id = request_id;
    finished.finish_reason = reason;
    finished.num_generation_tokens = 1;
    step.finished.push_back(finished);
    Say(step);
  }

  Channel channel_{3};
  std::string script_;
};

}  // namespace
}  // namespace hearth::protocol

int main() { return hearth::protocol::ScriptedEngine().Run(); }
