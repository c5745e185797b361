// Reads the tokenizer out of a vocabulary-only GGUF file, so that tests can judge our ids by those
// that llama.cpp publishes for the same vocabulary.
#pragma once

#include <string>

#include "base/result.h"
#include "engine/text/tokenizer.h"

namespace hearth::engine {

// A byte-level BPE vocabulary (tokenizer.ggml.model "gpt2") with the pre-tokenizer "qwen2" or
// "gpt-2".
Result<TokenizerParts> ReadGgufVocab(const std::string& path);

}  // namespace hearth::engine
