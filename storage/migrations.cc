#include "storage/migrations.h"

#include <string>

namespace hearth::storage {

Status CheckSchema(Connection& connection, const Schema& schema) {
  const auto newest = static_cast<int64_t>(schema.steps.size());
  HEARTH_ASSIGN_OR_RETURN(const int64_t id, connection.QueryInt("PRAGMA application_id"));
  HEARTH_ASSIGN_OR_RETURN(const int64_t version, connection.QueryInt("PRAGMA user_version"));
  HEARTH_ASSIGN_OR_RETURN(const int64_t objects,
                          connection.QueryInt("SELECT count(*) FROM sqlite_schema"));
  if (id != schema.application_id && (id != 0 || objects != 0)) {
    return FailedPrecondition(connection.path() + " belongs to another program (application_id " +
                              std::to_string(id) + ", expected " +
                              std::to_string(schema.application_id) + "); name another file");
  }
  if (version > newest) {
    return FailedPrecondition(connection.path() + " has schema version " + std::to_string(version) +
                              ", this release knows up to " + std::to_string(newest) +
                              "; install the newer release again or move the file away");
  }
  return Status::Ok();
}

Status Migrate(Connection& connection, const Schema& schema) {
  HEARTH_RETURN_IF_ERROR(CheckSchema(connection, schema));
  const auto newest = static_cast<int64_t>(schema.steps.size());
  HEARTH_ASSIGN_OR_RETURN(const int64_t version, connection.QueryInt("PRAGMA user_version"));
  for (int64_t step = version; step < newest; ++step) {
    HEARTH_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(connection));
    HEARTH_RETURN_IF_ERROR(connection.Execute(schema.steps[static_cast<size_t>(step)]));
    HEARTH_RETURN_IF_ERROR(
        connection.Execute("PRAGMA application_id = " + std::to_string(schema.application_id) +
                           "; PRAGMA user_version = " + std::to_string(step + 1)));
    HEARTH_RETURN_IF_ERROR(transaction.Commit());
  }
  return Status::Ok();
}

}  // namespace hearth::storage
