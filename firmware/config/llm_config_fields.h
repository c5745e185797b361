// The fields of Ray Serve LLM's LLMConfig, each named once. Sources: Ray's configuration reference
// (June 2026), serve/config.py, and vLLM's engine arguments.
#pragma once

#include "firmware/config/field_table.h"
#include "firmware/config/model_config.h"

namespace hearth::config {

void VisitFields(LlmConfig& config, FieldVisitor& v);

// The fields of a Serve application around llm_configs (`applications[i]`), without its args.
void VisitApplicationFields(FieldVisitor& v);

// Rules between fields, of a config whose fields are right one by one. `json`: the text's map.
void CheckTogether(const Document& document, const Json& json, const std::string& path,
                   const LlmConfig& config, std::vector<Problem>& problems);

// What the box takes but caps.
std::vector<Capped> CapsOf(const LlmConfig& config, const std::string& path, const BoxFacts& facts);

}  // namespace hearth::config
