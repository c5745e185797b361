// What GET /api/library says of models and jobs, in words.
#pragma once

#include <cstdint>
#include <string>

#include "base/json.h"
#include "base/result.h"

namespace hearth::cli {

// kNotFound names what there is.
Result<Json> FindInLibrary(const Json& answer, const std::string& id);

// Done, failed or cancelled.
bool HasEnded(const Json& job);

// "[#####.....]  48 %  1.2 of 2.5 GiB  34.1 MiB/s  38 s left", of a job that runs; what it waits for
// of another. `columns` wide at most; the bar gives way first.
std::string JobLine(const Json& job, size_t columns);

// How an ended job ended. Ok: it is done.
Status OutcomeOfJob(const Json& job);

std::string LibraryTables(const Json& answer, int64_t now_ms);
std::string DescribeLibraryModel(const Json& model, int64_t now_ms);

}  // namespace hearth::cli
