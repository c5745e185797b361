// What hearthd and an engine say to each other; the only part of engine/ that firmware sees.
//
//   hearthd -> engine:  Load, Generate, Abort, Shutdown
//   engine -> hearthd:  Progress, Ready | Planned | Failed, then Accepted | Refused per request,
//                       and one StepOutput per step
//
// Every time is CLOCK_MONOTONIC in seconds, which both processes share. Text is UTF-8.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/fields.h"
#include "base/json.h"

namespace hearth::protocol {

// ---- hearthd -> engine -------------------------------------------------------------------------

// The first frame of a connection: which model to serve and how. Names and defaults are vLLM's.
struct Load {
  std::string model;                  // a Hugging Face directory
  std::string served_model_name;
  int max_model_len = 0;              // tokens; 0 = the model's max_position_embeddings
  int max_num_seqs = 64;              // sequences in one step
  int max_num_batched_tokens = 2048;  // tokens in one step
  int block_size = 16;                // tokens of one KV block
  int64_t kv_cache_bytes = 0;         // 0 = chosen from the memory that is free
  std::string dtype = "auto";         // auto | bfloat16 | float32: how weights are kept
  int num_threads = 0;                // 0 = physical cores
  bool enable_prefix_caching = true;  // keep the KV of what was computed for prompts that share it
  bool plan_only = false;             // answer Planned instead of loading, and exit

  template <typename V>
  void VisitFields(V& v) {
    v("model", model);
    v("served_model_name", served_model_name);
    v("max_model_len", max_model_len);
    v("max_num_seqs", max_num_seqs);
    v("max_num_batched_tokens", max_num_batched_tokens);
    v("block_size", block_size);
    v("kv_cache_bytes", kv_cache_bytes);
    v("dtype", dtype);
    v("num_threads", num_threads);
    v("enable_prefix_caching", enable_prefix_caching);
    v("plan_only", plan_only);
  }
};

// An absent optional means "the model's generation_config.json decides, else OpenAI's default".
struct SamplingParams {
  std::optional<double> temperature;  // 0 = greedy
  std::optional<double> top_p;        // (0, 1]
  std::optional<int> top_k;           // 0 or -1 = all
  std::optional<int64_t> seed;
  std::optional<int> max_tokens;      // absent: up to max_model_len
  int min_tokens = 0;
  bool ignore_eos = false;
  bool include_stop_str_in_output = false;
  std::vector<std::string> stop;
  std::vector<int> stop_token_ids;

  template <typename V>
  void VisitFields(V& v) {
    v("temperature", temperature);
    v("top_p", top_p);
    v("top_k", top_k);
    v("seed", seed);
    v("max_tokens", max_tokens);
    v("min_tokens", min_tokens);
    v("ignore_eos", ignore_eos);
    v("include_stop_str_in_output", include_stop_str_in_output);
    v("stop", stop);
    v("stop_token_ids", stop_token_ids);
  }
};

// Exactly one of messages, prompt, prompt_token_ids is set.
struct Generate {
  uint64_t request_id = 0;  // unique for the life of hearthd
  double arrival_time_s = 0;
  Json messages;            // array of {role, content, ...}; null when unused
  Json chat_template_kwargs;  // object of whitelisted keys, or null
  bool add_generation_prompt = true;
  std::optional<std::string> prompt;
  std::vector<int> prompt_token_ids;
  SamplingParams sampling_params;

  template <typename V>
  void VisitFields(V& v) {
    v("request_id", request_id);
    v("arrival_time_s", arrival_time_s);
    v("messages", messages);
    v("chat_template_kwargs", chat_template_kwargs);
    v("add_generation_prompt", add_generation_prompt);
    v("prompt", prompt);
    v("prompt_token_ids", prompt_token_ids);
    v("sampling_params", sampling_params);
  }
};

// The sequence's KV blocks are free after the next step. Unknown ids are ignored: the request may have
// finished while this frame was under way. A live request still gets its FinishedRequest (abort).
struct Abort {
  uint64_t request_id = 0;
  template <typename V>
  void VisitFields(V& v) {
    v("request_id", request_id);
  }
};

// Abort what runs and exit with status 0. hearthd drains first, if it wants to.
struct Shutdown {
  template <typename V>
  void VisitFields(V&) {}
};

// ---- engine -> hearthd -------------------------------------------------------------------------

struct Progress {
  std::string phase;    // "reading config", "loading weights", ...
  double fraction = 0;  // of the whole load, 0..1
  template <typename V>
  void VisitFields(V& v) {
    v("phase", phase);
    v("fraction", fraction);
  }
};

struct Ready {
  std::string architecture;    // "Qwen2ForCausalLM"
  std::string device;          // "cpu" | "cuda"
  std::string device_name;     // "Intel(R) Xeon(R) ... (2 threads, avx512)"
  std::string dtype;           // of the weights in memory
  std::string kv_cache_dtype;  // of the KV cache: "float32" | "bfloat16"
  bool enable_prefix_caching = false;
  int max_model_len = 0;       // effective
  int max_num_seqs = 0;        // sequences in one step
  int vocab_size = 0;
  int block_size = 0;          // tokens
  int num_blocks = 0;          // KV blocks in the pool
  int64_t num_parameters = 0;
  int64_t weight_bytes = 0;
  int64_t kv_cache_bytes = 0;
  int64_t workspace_bytes = 0;  // reserved for activations, logits and scratch
  double load_time_s = 0;
  template <typename V>
  void VisitFields(V& v) {
    v("architecture", architecture);
    v("device", device);
    v("device_name", device_name);
    v("dtype", dtype);
    v("kv_cache_dtype", kv_cache_dtype);
    v("enable_prefix_caching", enable_prefix_caching);
    v("max_model_len", max_model_len);
    v("max_num_seqs", max_num_seqs);
    v("vocab_size", vocab_size);
    v("block_size", block_size);
    v("num_blocks", num_blocks);
    v("num_parameters", num_parameters);
    v("weight_bytes", weight_bytes);
    v("kv_cache_bytes", kv_cache_bytes);
    v("workspace_bytes", workspace_bytes);
    v("load_time_s", load_time_s);
  }
};

// What the model would take, found by the code that loads it, without reading a weight or taking
// memory. Fields that Ready has too will be the same in it.
struct Planned {
  std::string architecture;
  std::string device;
  std::string device_name;
  std::string dtype;
  int64_t num_parameters = 0;
  int64_t weight_bytes = 0;
  int64_t kv_bytes_per_token = 0;  // of the KV cache, all layers
  int64_t workspace_bytes = 0;
  int max_position_embeddings = 0;  // tokens: the longest context the model knows
  int max_model_len = 0;            // tokens: what was asked for, or the model's own
  int max_num_seqs = 0;             // sequences in one step
  int block_size = 0;               // tokens
  int64_t memory_total_bytes = 0;   // of the device, or what this process may take of it
  int64_t memory_free_bytes = 0;    // now
  template <typename V>
  void VisitFields(V& v) {
    v("architecture", architecture);
    v("device", device);
    v("device_name", device_name);
    v("dtype", dtype);
    v("num_parameters", num_parameters);
    v("weight_bytes", weight_bytes);
    v("kv_bytes_per_token", kv_bytes_per_token);
    v("workspace_bytes", workspace_bytes);
    v("max_position_embeddings", max_position_embeddings);
    v("max_model_len", max_model_len);
    v("max_num_seqs", max_num_seqs);
    v("block_size", block_size);
    v("memory_total_bytes", memory_total_bytes);
    v("memory_free_bytes", memory_free_bytes);
  }
};

// The model cannot be served; the engine exits after this frame with a non-zero status.
struct Failed {
  std::string message;  // one clear sentence for the log, /health and the page
  bool is_out_of_memory = false;  // which may be another process's doing, and pass
  template <typename V>
  void VisitFields(V& v) {
    v("message", message);
    v("is_out_of_memory", is_out_of_memory);
  }
};

// The prompt was tokenized and fits; tokens will follow.
struct Accepted {
  uint64_t request_id = 0;
  int num_prompt_tokens = 0;
  template <typename V>
  void VisitFields(V& v) {
    v("request_id", request_id);
    v("num_prompt_tokens", num_prompt_tokens);
  }
};

// The request will not run; no further frame carries its id.
struct Refused {
  uint64_t request_id = 0;
  int status_code = 0;  // base StatusCode as a number
  std::string message;
  std::string code;     // OpenAI's error code, e.g. "context_length_exceeded"; may be empty
  std::string param;    // the field at fault, e.g. "messages"; may be empty
  template <typename V>
  void VisitFields(V& v) {
    v("request_id", request_id);
    v("status_code", status_code);
    v("message", message);
    v("code", code);
    v("param", param);
  }
};

// What one step brought for one request. `text` may be empty while a UTF-8 character or a possible
// stop string is held back; num_new_tokens counts it all the same.
struct RequestDelta {
  uint64_t request_id = 0;
  std::string text;
  std::vector<int> token_ids;
  // Of the prompt, in the prefix cache when the request was first scheduled: known with its first
  // delta, and the same in all of them.
  int num_cached_tokens = 0;
  template <typename V>
  void VisitFields(V& v) {
    v("request_id", request_id);
    v("text", text);
    v("token_ids", token_ids);
    v("num_cached_tokens", num_cached_tokens);
  }
};

// The end of an accepted request; sent exactly once, in the same StepOutput as its last delta or later.
// Times of phases that were never reached are 0.
struct FinishedRequest {
  uint64_t request_id = 0;
  std::string finish_reason;  // "stop" | "length" | "abort" | "error"
  std::string stop_reason;    // the stop string or token id that ended it; may be empty
  std::string error;          // for "error"
  int num_prompt_tokens = 0;
  int num_cached_tokens = 0;  // of the prompt, in the prefix cache when first scheduled
  int num_generation_tokens = 0;
  int num_preemptions = 0;
  double queued_time_s = 0;       // put into the waiting queue
  double scheduled_time_s = 0;    // first scheduled
  double first_token_time_s = 0;
  double last_token_time_s = 0;
  template <typename V>
  void VisitFields(V& v) {
    v("request_id", request_id);
    v("finish_reason", finish_reason);
    v("stop_reason", stop_reason);
    v("error", error);
    v("num_prompt_tokens", num_prompt_tokens);
    v("num_cached_tokens", num_cached_tokens);
    v("num_generation_tokens", num_generation_tokens);
    v("num_preemptions", num_preemptions);
    v("queued_time_s", queued_time_s);
    v("scheduled_time_s", scheduled_time_s);
    v("first_token_time_s", first_token_time_s);
    v("last_token_time_s", last_token_time_s);
  }
};

// State after the step; counters are per step, not running totals.
struct StepStats {
  uint64_t step = 0;       // counts from 1
  double time_s = 0;       // end of the step: the stamp shared by its tokens
  double duration_s = 0;
  int num_sequences = 0;   // computed together in this step
  int num_requests_running = 0;
  int num_requests_waiting = 0;     // came and do not run; also those that were preempted
  int num_blocks_used = 0;          // held by a request; what is merely cached counts as free
  int num_blocks_total = 0;
  int num_prompt_tokens = 0;        // computed in this step, each token of a prompt once
  int num_generation_tokens = 0;    // sampled in this step
  int num_preemptions = 0;
  int prefix_cache_queries = 0;     // tokens of the requests that this step scheduled first
  int prefix_cache_hits = 0;        // of those, the tokens found
  double estimated_flops = 0;       // of matrix products and attention
  double estimated_read_bytes = 0;  // weights, KV cache and activations
  double estimated_write_bytes = 0;
  template <typename V>
  void VisitFields(V& v) {
    v("step", step);
    v("time_s", time_s);
    v("duration_s", duration_s);
    v("num_sequences", num_sequences);
    v("num_requests_running", num_requests_running);
    v("num_requests_waiting", num_requests_waiting);
    v("num_blocks_used", num_blocks_used);
    v("num_blocks_total", num_blocks_total);
    v("num_prompt_tokens", num_prompt_tokens);
    v("num_generation_tokens", num_generation_tokens);
    v("num_preemptions", num_preemptions);
    v("prefix_cache_queries", prefix_cache_queries);
    v("prefix_cache_hits", prefix_cache_hits);
    v("estimated_flops", estimated_flops);
    v("estimated_read_bytes", estimated_read_bytes);
    v("estimated_write_bytes", estimated_write_bytes);
  }
};

// One per step. A step without tokens (only an abort, say) is sent too, so that gauges fall to zero.
struct StepOutput {
  StepStats stats;
  std::vector<RequestDelta> deltas;
  std::vector<FinishedRequest> finished;
  template <typename V>
  void VisitFields(V& v) {
    v("stats", stats);
    v("deltas", deltas);
    v("finished", finished);
  }
};

using Message = std::variant<Load, Generate, Abort, Shutdown, Progress, Ready, Planned, Failed,
                             Accepted, Refused, StepOutput>;

// CBOR of {"type": name, ...fields}.
std::vector<uint8_t> EncodeMessage(const Message& message);

// kInvalidArgument for bytes that are no message: unknown type, wrong field type, broken CBOR.
Result<Message> DecodeMessage(std::span<const uint8_t> bytes);

}  // namespace hearth::protocol
