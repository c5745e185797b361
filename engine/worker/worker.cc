#include "engine/worker/worker.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <system_error>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "engine/model/memory_plan.h"

namespace hearth::engine {
namespace {

// Steps that may wait to be sent before the loop waits for hearthd: a second of them, or so.
constexpr size_t kOutboxCapacity = 64;

constexpr const char* kDevice = "cpu";

constexpr int kOutOfMemoryExitStatus = 12;  // ENOMEM

Status CheckLoad(const protocol::Load& load) {
  if (load.max_num_seqs < 1) {
    return InvalidArgument("max_num_seqs is " + std::to_string(load.max_num_seqs) +
                           "; it must be at least 1");
  }
  if (load.max_num_batched_tokens < load.max_num_seqs) {
    return InvalidArgument("max_num_batched_tokens is " +
                           std::to_string(load.max_num_batched_tokens) +
                           "; it must be at least max_num_seqs, which is " +
                           std::to_string(load.max_num_seqs));
  }
  return Status::Ok();
}

LoadOptions OptionsOf(const protocol::Load& load) {
  return {.dtype = load.dtype,
          .num_threads = load.num_threads,
          .max_model_len = load.max_model_len,
          .max_num_batched_tokens = load.max_num_batched_tokens,
          .max_num_seqs = load.max_num_seqs,
          .block_size = load.block_size,
          .kv_cache_bytes = load.kv_cache_bytes};
}

protocol::Planned MakePlanned(const protocol::Load& load, const MemoryPlan& plan) {
  protocol::Planned planned;
  planned.architecture = plan.config.architecture;
  planned.device = kDevice;
  planned.device_name = plan.device_name;
  planned.dtype = plan.dtype;
  planned.num_parameters = plan.num_parameters;
  planned.weight_bytes = plan.weight_bytes;
  planned.kv_bytes_per_token = plan.kv_bytes_per_token;
  planned.workspace_bytes = plan.workspace_bytes;
  planned.max_position_embeddings = plan.config.max_position_embeddings;
  planned.max_model_len = plan.max_model_len;
  planned.max_num_seqs = load.max_num_seqs;
  planned.block_size = load.block_size;
  planned.memory_total_bytes = plan.memory_total_bytes;
  planned.memory_free_bytes = plan.memory_free_bytes;
  return planned;
}

// Of the process, for OutOfMemory, which the run time calls without an argument.
const protocol::Pulse* g_pulse = nullptr;

// Memory has run out while requests are served: whoever asked for it cannot go on, and no other thread
// can tell what it left half done. hearthd starts a fresh engine. Nothing here allocates.
void OutOfMemory() {
  const protocol::PulseReading pulse = g_pulse->ReadWithoutIds();
  const std::string_view phase = protocol::PhaseName(pulse.phase);
  char text[256];
  const int size = std::snprintf(
      text, sizeof text, "<3>engine: out of memory in step %llu: %.*s (batch of %d, %d tokens%s)\n",
      static_cast<unsigned long long>(pulse.steps + 1), static_cast<int>(phase.size()),
      phase.data(), pulse.num_in_batch, pulse.num_batched_tokens,
      pulse.reading_prompt != 0 ? "; a prompt is being read" : "");
  [[maybe_unused]] const ssize_t written =
      write(STDERR_FILENO, text, static_cast<size_t>(std::max(size, 0)));
  std::_Exit(kOutOfMemoryExitStatus);
}

std::string Mib(int64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

}  // namespace

Worker::Worker(int fd, std::unique_ptr<protocol::Pulse> pulse)
    : channel_(fd), pulse_(std::move(pulse)), outbox_(kOutboxCapacity) {}

int Worker::Run() {
  auto first = channel_.Receive();
  if (!first.ok()) {
    LOG(kError) << "no Load frame came: " << first.status().message();
    return first.status().code() == StatusCode::kUnavailable ? 0 : 1;
  }
  const auto* load = std::get_if<protocol::Load>(&*first);
  if (load == nullptr) return Fail(InvalidArgument("the first frame was not Load"));
  if (!load->served_model_name.empty()) SetLogTag("engine " + load->served_model_name);

  if (load->plan_only) return Plan(*load);

  std::thread receiver(&Worker::ReceiveFrames, this);
  const double start_s = MonotonicSeconds();
  if (const Status status = LoadOrRunOut(*load); !status.ok()) {
    exit_status_ = Fail(status);
    channel_.Shutdown();  // wakes the receiver; what was sent can still be read
    receiver.join();
    return exit_status_;
  }
  g_pulse = pulse_.get();
  std::set_new_handler(OutOfMemory);
  ready_ = true;
  Send(MakeReady(*load, MonotonicSeconds() - start_s));
  Serve(*load);
  receiver.join();
  return 0;
}

int Worker::Fail(const Status& status) {
  LOG(kError) << status.message();
  Send(protocol::Failed{status.message(), status.code() == StatusCode::kResourceExhausted});
  return 1;
}

int Worker::Plan(const protocol::Load& load) {
  const auto planned = [&]() -> Result<protocol::Planned> {
    HEARTH_RETURN_IF_ERROR(CheckLoad(load));
    HEARTH_RETURN_IF_ERROR(LoadText(load.model));
    HEARTH_ASSIGN_OR_RETURN(const MemoryPlan plan, PlanMemory(load.model, OptionsOf(load)));
    HEARTH_RETURN_IF_ERROR(CheckVocabulary(load.model, plan.config.vocab_size));
    return MakePlanned(load, plan);
  }();
  if (!planned.ok()) return Fail(planned.status());
  Send(*planned);
  return 0;
}

Status Worker::LoadText(const std::string& model_dir) {
  HEARTH_ASSIGN_OR_RETURN(tokenizer_, Tokenizer::Load(model_dir));
  auto chat_template = ChatTemplate::LoadFromModel(model_dir);
  if (chat_template.ok()) {
    chat_template_ = *std::move(chat_template);
  } else if (chat_template.status().code() != StatusCode::kNotFound) {
    return chat_template.status();
  }
  return Status::Ok();
}

Status Worker::CheckVocabulary(const std::string& model_dir, int vocab_size) const {
  if (tokenizer_->vocab_size() <= vocab_size) return Status::Ok();
  return InvalidArgument(model_dir + ": tokenizer.json has token ids up to " +
                         std::to_string(tokenizer_->vocab_size() - 1) +
                         ", but the vocab_size of config.json is " + std::to_string(vocab_size) +
                         "; the two belong to different models");
}

Status Worker::Load(const protocol::Load& load) {
  HEARTH_RETURN_IF_ERROR(CheckLoad(load));
  pulse_->Enter(protocol::Phase::kLoading);
  const auto progress = [this](std::string_view phase, double fraction) {
    pulse_->Beat();
    Send(protocol::Progress{std::string(phase), fraction});
  };
  progress("reading tokenizer", 0);
  HEARTH_RETURN_IF_ERROR(LoadText(load.model));
  LoadOptions options = OptionsOf(load);
  options.beats = pulse_->beats();
  HEARTH_ASSIGN_OR_RETURN(model_, Model::Load(load.model, options, progress));
  if (model_->generation_config().repetition_penalty.value_or(1) != 1) {
    LOG(kWarning) << "generation_config.json asks for a repetition_penalty of "
                  << *model_->generation_config().repetition_penalty
                  << ", which this engine does not apply; answers may repeat themselves more";
  }
  const int vocab_size = model_->config().vocab_size;
  HEARTH_RETURN_IF_ERROR(CheckVocabulary(load.model, vocab_size));
  // A sequence that the pool cannot hold alone could never finish.
  max_model_len_ = std::min(model_->max_model_len(), model_->num_blocks() * model_->block_size());
  if (max_model_len_ < model_->max_model_len()) {
    LOG(kWarning) << "the context is " << max_model_len_ << " instead of "
                  << model_->max_model_len() << " tokens: the KV cache of "
                  << model_->kv_cache_bytes() << " bytes holds no more; raise kv_cache_bytes";
  }
  input_processor_ = std::make_unique<InputProcessor>(
      tokenizer_.get(), chat_template_ ? &*chat_template_ : nullptr,
      InputProcessor::Options{.max_model_len = max_model_len_,
                              .vocab_size = vocab_size,
                              .generation_config = model_->generation_config()});
  return Status::Ok();
}

Status Worker::LoadOrRunOut(const protocol::Load& load) {
  std::string what = "memory ran out while " + load.model + " was loaded";
  try {
    const Status loaded = Load(load);
    if (loaded.code() != StatusCode::kResourceExhausted) return loaded;
    what = loaded.message();
  } catch (const std::bad_alloc&) {
  } catch (const std::system_error& error) {  // a thread that cannot be started
    return ResourceExhausted(load.model + " cannot be loaded: " + error.what());
  }
  model_.reset();
  try {
    HEARTH_ASSIGN_OR_RETURN(const MemoryPlan plan, PlanMemory(load.model, OptionsOf(load)));
    return ResourceExhausted(what + " (its weights and workspace need " +
                             Mib(plan.weight_bytes + plan.workspace_bytes) + ", " +
                             Mib(plan.memory_free_bytes) + " are free)");
  } catch (const std::bad_alloc&) {  // not even that much
    return ResourceExhausted(what + "; this process may take no more: free some, or raise its limit");
  }
}

protocol::Ready Worker::MakeReady(const protocol::Load& load, double load_time_s) const {
  protocol::Ready ready;
  ready.architecture = model_->config().architecture;
  ready.device = kDevice;
  ready.device_name = model_->device_name();
  ready.dtype = model_->dtype();
  ready.kv_cache_dtype = model_->kv_cache_dtype();
  ready.enable_prefix_caching = load.enable_prefix_caching;
  ready.max_model_len = max_model_len_;
  ready.max_num_seqs = load.max_num_seqs;
  ready.vocab_size = model_->config().vocab_size;
  ready.block_size = model_->block_size();
  ready.num_blocks = model_->num_blocks();
  ready.num_parameters = model_->num_parameters();
  ready.weight_bytes = model_->weight_bytes();
  ready.kv_cache_bytes = model_->kv_cache_bytes();
  ready.workspace_bytes = model_->workspace_bytes();
  ready.load_time_s = load_time_s;
  LOG(kInfo) << "loaded " << ready.architecture << " from " << load.model << " in "
             << ready.load_time_s << " s: " << ready.num_parameters << " parameters, "
             << ready.weight_bytes << " bytes of " << ready.dtype << " weights, KV cache of "
             << ready.num_blocks << " blocks of " << ready.block_size << " tokens ("
             << ready.kv_cache_bytes << " bytes of " << ready.kv_cache_dtype
             << (ready.enable_prefix_caching ? ", with" : ", without") << " prefix caching), "
             << ready.workspace_bytes << " bytes of workspace, context " << ready.max_model_len
             << " tokens, " << ready.device_name;
  return ready;
}

void Worker::Serve(const protocol::Load& load) {
  std::thread outbox([this] {
    OutputProcessor processor(tokenizer_.get(), [this](uint64_t request_id) {
      inbox_.RequestEnd(request_id, EndCause::kStopString);
    });
    while (auto item = outbox_.Pop()) {
      if (auto* request = std::get_if<OutputProcessor::Request>(&*item)) {
        processor.Add(std::move(*request));
      } else {
        Send(processor.Process(std::get<StepResult>(*item)));
      }
    }
  });
  EngineLoop loop({.max_num_seqs = load.max_num_seqs,
                   .max_num_batched_tokens = load.max_num_batched_tokens,
                   .num_blocks = model_->num_blocks(),
                   .block_size = model_->block_size(),
                   .enable_prefix_caching = load.enable_prefix_caching},
                  [this](const StepBatch& batch) { return model_->Forward(batch); }, &inbox_,
                  Clock::System(), [this](StepResult result) { outbox_.Push(std::move(result)); },
                  model_->step_cost(), pulse_.get());
  loop.Run();
  outbox_.Close();
  outbox.join();
}

// A failure means that hearthd is gone; the receiver sees that too and ends the process.
void Worker::Send(const protocol::Message& message) {
  if (const Status status = channel_.Send(message); !status.ok()) {
    LOG(kDebug) << status.message();
  }
}

void Worker::ReceiveFrames() {
  while (true) {
    auto message = channel_.Receive();
    if (!message.ok()) {
      if (message.status().code() != StatusCode::kUnavailable) {
        LOG(kError) << "hearthd sent what is no frame: " << message.status().message();
        exit_status_ = 1;
      }
      std::_Exit(exit_status_);
    }
    if (const auto* generate = std::get_if<protocol::Generate>(&*message)) {
      pulse_->ReadsPrompt(generate->request_id);
      HandleGenerate(*generate);
      pulse_->ReadsPrompt(0);
    } else if (const auto* abort = std::get_if<protocol::Abort>(&*message)) {
      inbox_.RequestEnd(abort->request_id, EndCause::kAbort);
    } else if (std::holds_alternative<protocol::Shutdown>(*message)) {
      if (!ready_) std::_Exit(0);  // in the middle of a load there is nothing to finish
      inbox_.Close();
      return;
    } else {
      LOG(kWarning) << "ignored a frame that only an engine sends, or a second Load";
    }
  }
}

void Worker::HandleGenerate(const protocol::Generate& generate) {
  const auto refuse = [&](const Status& status) {
    protocol::Refused refused;
    refused.request_id = generate.request_id;
    refused.status_code = static_cast<int>(status.code());
    refused.message = status.message();
    Send(refused);
  };
  if (!ready_) return refuse(Unavailable("the model is still loading; try again later"));
  if (const Status status = inbox_.Reserve(generate.request_id); !status.ok()) {
    return refuse(status);
  }
  auto prepared = input_processor_->Process(generate);
  if (const auto* refused = std::get_if<protocol::Refused>(&prepared)) {
    inbox_.Release(generate.request_id);
    return Send(*refused);
  }
  auto& request = std::get<PreparedRequest>(prepared);
  Send(protocol::Accepted{generate.request_id, request.sequence->num_prompt_tokens});
  outbox_.Push(std::move(request.output));  // before the loop can publish a token of it
  inbox_.Submit(std::move(request.sequence));
}

}  // namespace hearth::engine
