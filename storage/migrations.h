// The schema of a database as a list of steps: step i takes user_version i to i + 1.
#pragma once

#include <cstdint>
#include <span>

#include "base/status.h"
#include "storage/sqlite.h"

namespace hearth::storage {

struct Schema {
  // Told apart from other programs' databases by SQLite's application_id.
  int32_t application_id;
  // SQL of each step, in order. A published step is never edited; a change is a new step.
  std::span<const char* const> steps;
};

// Reads only. kFailedPrecondition for a file of another application or one of a newer release.
Status CheckSchema(Connection& connection, const Schema& schema);

// Brings the database to the newest schema, each step in a transaction of its own. Refuses as
// CheckSchema.
Status Migrate(Connection& connection, const Schema& schema);

}  // namespace hearth::storage
