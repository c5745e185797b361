// What GET /api/models says of the served models, in words.
#pragma once

#include <cstdint>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "firmware/cli/box_client.h"

namespace hearth::cli {

// The model of that name or alias in an answer of GET /api/models. kNotFound names those there are.
Result<Json> FindServed(const Json& answer, const std::string& name);

// It answers requests, or will when one wakes it.
bool IsWell(const Json& model);

// Of all replicas: what they say they hold, or what their parts add up to. 0: nothing known.
double MemoryOf(const Json& model);

// "weights 45 %", what a model that loads is at; empty when none does.
std::string LoadingText(const Json& model);

// name, state, replicas, ongoing, waiting, memory, last used.
std::string ServedTable(const Json& answer, int64_t now_ms);

}  // namespace hearth::cli
