// The process around the loop: frames in, frames out, and three threads.
//
//   receiver  frames of hearthd -> InputProcessor -> Inbox
//   loop      the thread that called Run: loads the model, then EngineLoop
//   outbox    StepResults -> OutputProcessor -> frames to hearthd
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "base/bounded_queue.h"
#include "engine/core/engine_loop.h"
#include "engine/core/inbox.h"
#include "engine/model/decoder.h"
#include "engine/protocol/channel.h"
#include "engine/protocol/pulse.h"
#include "engine/text/chat_template.h"
#include "engine/text/tokenizer.h"
#include "engine/worker/input_processor.h"
#include "engine/worker/output_processor.h"

namespace hearth::engine {

class Worker {
 public:
  // Takes over `fd`, a connected stream socket whose peer speaks engine/protocol. `pulse` shows what
  // this process does.
  Worker(int fd, std::unique_ptr<protocol::Pulse> pulse);

  // Serves until Shutdown and returns the exit status: 0, or 1 after Failed. When the peer is gone
  // nobody is left to serve: the process exits at once, with status 0.
  int Run();

 private:
  using OutboxItem = std::variant<OutputProcessor::Request, StepResult>;

  Status Load(const protocol::Load& load);
  // Load, with memory that runs out as an error.
  Status LoadOrRunOut(const protocol::Load& load);
  int Plan(const protocol::Load& load);  // Planned or Failed; the exit status
  Status LoadText(const std::string& model_dir);
  Status CheckVocabulary(const std::string& model_dir, int vocab_size) const;
  protocol::Ready MakeReady(const protocol::Load& load, double load_time_s) const;
  void Serve(const protocol::Load& load);
  int Fail(const Status& status);

  void ReceiveFrames();
  void HandleGenerate(const protocol::Generate& generate);
  void Send(const protocol::Message& message);

  protocol::Channel channel_;
  const std::unique_ptr<protocol::Pulse> pulse_;
  Inbox inbox_;
  BoundedQueue<OutboxItem> outbox_;

  // Set by Load, constant afterwards.
  std::unique_ptr<Tokenizer> tokenizer_;
  std::optional<ChatTemplate> chat_template_;  // empty when the model has none
  std::unique_ptr<Model> model_;
  std::unique_ptr<InputProcessor> input_processor_;
  int max_model_len_ = 0;

  std::atomic<bool> ready_ = false;    // what Load set may be read by the receiver
  std::atomic<int> exit_status_ = 0;   // of a process whose peer goes away
};

}  // namespace hearth::engine
