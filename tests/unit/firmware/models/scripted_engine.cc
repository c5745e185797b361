// An engine that behaves as its model's name says, to show the supervisor every way an engine can go.

#include <poll.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

#include "engine/protocol/channel.h"
#include "engine/protocol/pulse.h"

namespace hearth::protocol {
namespace {

class ScriptedEngine {
 public:
  int Run() {
    const auto first = channel_.Receive();
    if (!first.ok()) return 2;
    const Load& load = std::get<Load>(*first);
    script_ = load.model.substr(load.model.rfind('/') + 1);
    directory_ = std::filesystem::path(load.model).parent_path();
    pulse_->Enter(Phase::kLoading);
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
    if (script_ == "freezes-while-loading") return Freeze();
    if (script_ == "runs-out-of-memory-once" && !IsFirstLife() && !HasHappened("ran-out")) {
      return Say(Failed{"memory ran out: 8 MiB are needed, 1 MiB is free", true}), 1;
    }
    if (script_ == "talks") Talk();
    if (load.plan_only) return Plan(), 0;
    Say(Progress{"loading weights", 0.5});
    Ready ready;
    ready.device = "cpu";
    ready.max_model_len = 64;
    ready.max_num_seqs = load.max_num_seqs;
    ready.enable_prefix_caching = load.enable_prefix_caching;
    ready.block_size = 16;
    ready.num_blocks = 8;
    ready.weight_bytes = kWeightBytes;
    ready.kv_cache_bytes = 8 * 16 * kKvBytesPerToken;
    ready.workspace_bytes = kWorkspaceBytes;
    Say(ready);
    while (true) {
      WaitForMail();
      const auto message = channel_.Receive();
      const bool is_shutdown = message.ok() && std::holds_alternative<Shutdown>(*message);
      if (is_shutdown && script_ == "ignores-shutdown") continue;
      if (!message.ok() || is_shutdown) return 0;
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

  // As an idle engine: it shows that it is there.
  void WaitForMail() {
    pulse_->Enter(Phase::kIdle);
    pollfd readable{channel_.fd(), POLLIN, 0};
    while (poll(&readable, 1, kIdleBeatMs) == 0) pulse_->Beat();
  }

  int Freeze() {
    while (true) pause();
  }

  // The first engine of its replica leaves a mark that the next one finds.
  bool IsFirstLife() { return !HasHappened("first-life"); }

  bool HasHappened(const char* what) {
    const auto mark = directory_ / what;
    const bool has = std::filesystem::exists(mark);
    std::ofstream(mark) << what;
    return has;
  }

  void Talk() {
    const std::string line(3000, 'y');
    for (int i = 0; i < 600; ++i) {
      const std::string text = "<6>line " + std::to_string(i) + (i == 599 ? line : "") + "\n";
      if (write(STDERR_FILENO, text.data(), text.size()) < 0) std::_Exit(7);
    }
  }

  // One step that takes long and shows that it moves.
  void ComputeSlowly() {
    for (int i = 0; i < 200; ++i) {
      usleep(10'000);
      pulse_->Beat();
    }
  }

  int WaitForShutdown() {
    while (true) {
      WaitForMail();
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
    if (generate.prompt == "wait") return;  // accepted, and never in a batch
    pulse_->BeginBatch(3);
    pulse_->AddToBatch(generate.request_id);
    if (script_ == "dies-on-requests" || generate.prompt == "die") std::_Exit(6);
    if (script_ == "dies-once" && IsFirstLife()) std::_Exit(6);
    if (generate.prompt == "freeze") Freeze();
    if (generate.prompt == "slow") ComputeSlowly();
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

  static constexpr int kIdleBeatMs = 50;

  Channel channel_{3};
  const std::unique_ptr<Pulse> pulse_ = Pulse::Open(4).value();
  std::filesystem::path directory_;  // of the model, where it has one
  std::string script_;
  std::string text_ = "hello";
};

}  // namespace
}  // namespace hearth::protocol

int main() { return hearth::protocol::ScriptedEngine().Run(); }
