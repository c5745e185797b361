// The fields of a usage report: one table that builds the report and explains it on the page.
//
// Names and values are those of Ray's usage statistics where Ray has such a field: general fields, and
// `extra_usage_tags`, whose values are texts, joined by commas with one part per model. No model name,
// no path, no prompt and no address is in any field.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "firmware/config/model_config.h"

namespace hearth::usage {

struct UsageModel {
  config::LlmConfig config;
  std::string architecture;  // "Qwen2ForCausalLM"; empty: its config.json was not read
  std::string outcome;       // success | starting | other
  std::string device;        // "cpu" | "cuda"; empty: no engine was ready yet
  std::string dtype;
  int max_model_len = 0;     // effective
};

struct UsageFacts {
  std::string session_id;  // random; of one run of hearthd
  int64_t session_start_ms = 0;
  int64_t collect_ms = 0;
  int64_t seq_number = 0;  // reports that were made in this session before
  int64_t total_success = 0;
  int64_t total_failed = 0;
  std::string os;
  std::string libc_version;
  int num_cpus = 0;
  int64_t memory_bytes = 0;
  std::vector<std::string> gpus;  // a name each
  std::vector<UsageModel> models;
  std::string apply_outcome;  // confirmed | a class of reasons; empty: no apply has ended
  bool settled = true;  // no model is being loaded
};

struct UsageField {
  const char* name;
  bool is_tag;  // under extra_usage_tags
  const char* help;
  Json (*value)(const UsageFacts& facts);
};

std::span<const UsageField> UsageFields();

Json MakeReport(const UsageFacts& facts);
// The bytes of a report, as they are shown and as they are sent.
std::string ReportText(const Json& report);

}  // namespace hearth::usage
