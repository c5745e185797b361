// Reads the tokenizer of a Hugging Face directory.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"
#include "engine/text/tokenizer.h"

namespace hearth::engine {

// tokenizer.json and, where present, tokenizer_config.json of `model_dir`. Errors name the file and
// the part of it that is broken or of a kind that is not supported, and what is.
Result<TokenizerParts> ReadTokenizerParts(const std::string& model_dir);

// The whole file. kNotFound when there is none; kResourceExhausted above `bytes_max`.
Result<std::string> ReadModelFile(const std::string& path, size_t bytes_max);

// A special token of tokenizer_config.json: a string or an object with "content"; empty when absent
// or null.
Result<std::string> SpecialTokenContent(const Json& config, const std::string& name);

}  // namespace hearth::engine
