// An engine that behaves as its model's name says, to show the supervisor every way an engine can go.

#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "engine/protocol/channel.h"

namespace hearth::protocol {
namespace {

class ScriptedEngine {
 public:
  int Run() {
    const auto first = channel_.Receive();
    if (!first.ok()) return 2;
    const Load& load = std::get<Load>(*first);
    script_ = load.model.substr(load.model.rfind('/') + 1);
    // "fits but never-ready": the plan of one that is fine.
    if (script_.starts_with(kFitsBut)) {
      if (load.plan_only) return Plan(), 0;
      script_.erase(0, kFitsBut.size());
    }
    // "answers as B" says "B" where "answers" says "hello": a test sees who answered.
    if (const size_t as = script_.find(" as "); as != std::string::npos) {
      text_ = script_.substr(as + 4);
      script_.resize(as);
    }
    if (script_ == "dies-while-loading") return 3;
    if (script_ == "cannot-be-loaded") return Say(Failed{"the file is broken"}), 1;
    if (script_ == "talks-rubbish") return Rubbish();
    if (script_ == "never-ready") return WaitForShutdown();
    if (load.plan_only) return Plan(), 0;
    Say(Progress{"loading weights", 0.5});
    Ready ready;
    ready.device = "cpu";
    ready.max_model_len = 64;
    ready.block_size = 16;
    ready.num_blocks = 8;
    ready.weight_bytes = kWeightBytes;
    ready.kv_cache_bytes = 8 * 16 * kKvBytesPerToken;
    ready.workspace_bytes = kWorkspaceBytes;
    Say(ready);
    while (true) {
      const auto message = channel_.Receive();
      if (!message.ok() || std::holds_alternative<Shutdown>(*message)) return 0;
      if (const auto* generate = std::get_if<Generate>(&*message)) Answer(*generate);
      if (const auto* abort = std::get_if<Abort>(&*message)) Finish(abort->request_id, "abort");
    }
  }

 private:
  static constexpr std::string_view kFitsBut = "fits but ";
  static constexpr int64_t kWeightBytes = int64_t{8} << 20;
  static constexpr int64_t kWorkspaceBytes = int64_t{1} << 20;
  static constexpr int64_t kKvBytesPerToken = 1024;

  // Of a box with 100 MiB, of which half are free.
  void Plan() {
    Planned planned;
    planned.device = "cpu";
    planned.weight_bytes = kWeightBytes;
    planned.workspace_bytes = kWorkspaceBytes;
    planned.kv_bytes_per_token = kKvBytesPerToken;
    planned.max_position_embeddings = planned.max_model_len = 64;
    planned.max_num_seqs = 2;
    planned.block_size = 16;
    planned.memory_total_bytes = int64_t{100} << 20;
    planned.memory_free_bytes = int64_t{50} << 20;
    Say(planned);
  }

  void Say(const Message& message) {
    if (!channel_.Send(message).ok()) std::_Exit(4);
  }

  int Rubbish() {
    const char text[] = "\x05\x00\x00\x00hello";
    return write(channel_.fd(), text, sizeof text - 1) > 0 ? 0 : 5;
  }

  int WaitForShutdown() {
    while (true) {
      const auto message = channel_.Receive();
      if (!message.ok() || std::holds_alternative<Shutdown>(*message)) return 0;
    }
  }

  void Answer(const Generate& generate) {
    const bool is_chat = !generate.messages.is_null();
    if (generate.prompt == "refuse" || (is_chat && script_ == "has-no-chat-template")) {
      return Say(Refused{generate.request_id, static_cast<int>(StatusCode::kInvalidArgument),
                         "too long", "context_length_exceeded", "prompt"});
    }
    Say(Accepted{generate.request_id, 3});
    if (script_ == "dies-on-requests" || generate.prompt == "die") std::_Exit(6);
    if (script_ == "computes-nonsense") return Finish(generate.request_id, "error");
    if (script_ == "says-nothing") return;
    const int num_steps = generate.prompt == "long" ? 5 : 1;
    for (int i = 0; i < num_steps; ++i) {
      if (i > 0) usleep(500);
      StepOutput step;
      step.deltas.push_back({generate.request_id, text_, {1}});
      step.stats.num_generation_tokens = 1;
      step.stats.num_requests_running = 1;
      Say(step);
    }
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
  std::string text_ = "hello";
};

}  // namespace
}  // namespace hearth::protocol

int main() { return hearth::protocol::ScriptedEngine().Run(); }
