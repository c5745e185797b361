#include "firmware/apply/config_store.h"

namespace hearth::apply {

using storage::Connection;
using storage::Statement;
using storage::Transaction;

namespace {

constexpr int32_t kApplicationId = 0x48656163;  // "Heac"

constexpr const char* kSteps[] = {
    "CREATE TABLE revisions(id INTEGER PRIMARY KEY AUTOINCREMENT, created_ms INTEGER NOT NULL,"
    " author TEXT NOT NULL, note TEXT NOT NULL, document TEXT NOT NULL);",
    "CREATE TABLE applies(id INTEGER PRIMARY KEY AUTOINCREMENT, revision INTEGER NOT NULL,"
    " previous INTEGER NOT NULL, author TEXT NOT NULL, started_ms INTEGER NOT NULL,"
    " ended_ms INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT 'running',"
    " reason TEXT NOT NULL DEFAULT '', message TEXT NOT NULL DEFAULT '',"
    " report TEXT NOT NULL DEFAULT '');"
    "CREATE INDEX applies_by_revision ON applies(revision, id);"
    "CREATE TABLE audit(id INTEGER PRIMARY KEY AUTOINCREMENT, time_ms INTEGER NOT NULL,"
    " author TEXT NOT NULL, action TEXT NOT NULL, revision INTEGER NOT NULL,"
    " apply INTEGER NOT NULL, text TEXT NOT NULL);"
    // 'active': the id of a revision.
    "CREATE TABLE facts(name TEXT PRIMARY KEY, value INTEGER NOT NULL);"
    "CREATE TABLE seeds(id INTEGER PRIMARY KEY CHECK(id = 1), document TEXT NOT NULL);"
    "CREATE TABLE starts(id INTEGER PRIMARY KEY AUTOINCREMENT, time_ms INTEGER NOT NULL,"
    " revision INTEGER NOT NULL, served INTEGER NOT NULL DEFAULT 0);",
};
const storage::Schema kSchema{kApplicationId, kSteps};

constexpr const char* kNewest = "SELECT coalesce(max(id), 0) FROM revisions";
constexpr const char* kActive =
    "SELECT coalesce((SELECT value FROM facts WHERE name = 'active'), 0)";

Status SetFact(Connection& connection, std::string_view name, int64_t value) {
  HEARTH_ASSIGN_OR_RETURN(
      Statement set, connection.Prepare("INSERT INTO facts(name, value) VALUES(?, ?) "
                                        "ON CONFLICT(name) DO UPDATE SET value = excluded.value"));
  set.Bind(1, name).Bind(2, value);
  return set.Run();
}

Result<std::optional<std::string>> LastSeed(Connection& connection) {
  auto text = connection.QueryText("SELECT document FROM seeds WHERE id = 1");
  if (text.ok()) return std::optional(std::move(text).value());
  if (text.status().code() == StatusCode::kNotFound) return std::optional<std::string>();
  return text.status();
}

Status SetSeed(Connection& connection, const std::string& document) {
  HEARTH_ASSIGN_OR_RETURN(Statement set,
                          connection.Prepare("INSERT OR REPLACE INTO seeds VALUES(1, ?)"));
  set.Bind(1, std::string_view(document));
  return set.Run();
}

ApplyRecord ApplyOf(const Statement& row) {
  return {row.Int(0),
          row.Int(1),
          row.Int(2),
          std::string(row.Text(3)),
          row.Int(4),
          row.Int(5),
          std::string(row.Text(6)),
          std::string(row.Text(7)),
          std::string(row.Text(8)),
          std::string(row.Text(9))};
}

}  // namespace

Result<std::unique_ptr<ConfigStore>> ConfigStore::Open(const std::string& path,
                                                       const Clock* clock) {
  HEARTH_ASSIGN_OR_RETURN(auto database,
                          storage::SmallDatabase::Open({path, "the configuration", kSchema}));
  return std::unique_ptr<ConfigStore>(new ConfigStore(std::move(database), clock));
}

Status ConfigStore::Commit(const Work& work) {
  return Read([&](Connection& connection) -> Status {
    HEARTH_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(connection));
    HEARTH_RETURN_IF_ERROR(work(connection));
    return transaction.Commit();
  });
}

Status ConfigStore::Read(const Work& work) {
  std::lock_guard lock(mutex_);
  const auto run = [&]() -> Status {
    HEARTH_ASSIGN_OR_RETURN(Connection* const connection, database_->Ready());
    return work(*connection);
  };
  const Status status = run();
  database_->DropAfter(status);
  return status;
}

Status ConfigStore::AddAudit(Connection& connection, const AuditEntry& entry) {
  HEARTH_ASSIGN_OR_RETURN(Statement insert,
                          connection.Prepare("INSERT INTO audit(time_ms, author, action, revision, "
                                             "apply, text) VALUES(?, ?, ?, ?, ?, ?)"));
  insert.Bind(1, clock_->WallMillis()).Bind(2, std::string_view(entry.author));
  insert.Bind(3, std::string_view(entry.action)).Bind(4, entry.revision).Bind(5, entry.apply);
  insert.Bind(6, std::string_view(entry.text));
  HEARTH_RETURN_IF_ERROR(insert.Run());
  return connection.Execute("DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - " +
                            std::to_string(kAuditKept));
}

Result<int64_t> ConfigStore::Insert(Connection& connection, const std::string& document,
                                    const std::string& author, const std::string& note) {
  if (document.size() > kDocumentBytesMax) {
    return InvalidArgument("a configuration of " + std::to_string(document.size()) +
                           " bytes is larger than the limit of " +
                           std::to_string(kDocumentBytesMax));
  }
  HEARTH_ASSIGN_OR_RETURN(Statement insert,
                          connection.Prepare("INSERT INTO revisions(created_ms, author, note, "
                                             "document) VALUES(?, ?, ?, ?)"));
  insert.Bind(1, clock_->WallMillis()).Bind(2, std::string_view(author));
  insert.Bind(3, std::string_view(note)).Bind(4, std::string_view(document));
  HEARTH_RETURN_IF_ERROR(insert.Run());
  HEARTH_ASSIGN_OR_RETURN(const int64_t id, connection.QueryInt(kNewest));
  HEARTH_RETURN_IF_ERROR(connection.Execute(
      "DELETE FROM revisions WHERE id <= " + std::to_string(id - kRevisionsKept) + " AND id != (" +
      kActive + ") AND id NOT IN (SELECT revision FROM applies WHERE state = 'running')"));
  return id;
}

Status ConfigStore::SetActive(Connection& connection, int64_t revision) {
  return SetFact(connection, "active", revision);
}

Result<int64_t> ConfigStore::Save(const std::string& document, const std::string& author,
                                  const std::string& note, int64_t expected) {
  int64_t id = 0;
  const Status done = Commit([&](Connection& connection) -> Status {
    HEARTH_ASSIGN_OR_RETURN(const int64_t newest, connection.QueryInt(kNewest));
    if (newest != expected) {
      return Aborted("the configuration was changed by another: revision " +
                     std::to_string(expected) + " was expected to be the newest, it is " +
                     std::to_string(newest) + "; look at it and change that");
    }
    HEARTH_ASSIGN_OR_RETURN(id, Insert(connection, document, author, note));
    return AddAudit(connection,
                    {.author = author, .action = "saved", .revision = id, .text = note});
  });
  HEARTH_RETURN_IF_ERROR(done);
  return id;
}

Result<int64_t> ConfigStore::Seed(const std::string& document, const std::string& source,
                                  bool always, const std::optional<std::string>& as) {
  int64_t active_id = 0;
  const Status done = Commit([&](Connection& connection) -> Status {
    HEARTH_ASSIGN_OR_RETURN(active_id, connection.QueryInt(kActive));
    HEARTH_ASSIGN_OR_RETURN(const auto last, LastSeed(connection));
    bool is_known = last == document;
    if (is_known && always && active_id != 0) {
      HEARTH_ASSIGN_OR_RETURN(const std::string serves,
                              connection.QueryText("SELECT document FROM revisions WHERE id = " +
                                                   std::to_string(active_id)));
      is_known = serves == document;
    }
    if (is_known && active_id != 0) return Status::Ok();
    const std::string note = "from " + source;
    HEARTH_ASSIGN_OR_RETURN(active_id, Insert(connection, as.value_or(document), source, note));
    HEARTH_RETURN_IF_ERROR(SetActive(connection, active_id));
    HEARTH_RETURN_IF_ERROR(SetSeed(connection, document));
    return AddAudit(connection, {.author = source,
                                 .action = "seeded",
                                 .revision = active_id,
                                 .text = "active from this start on"});
  });
  HEARTH_RETURN_IF_ERROR(done);
  return active_id;
}

Result<int64_t> ConfigStore::active() {
  int64_t id = 0;
  const Status done = Read([&](Connection& connection) -> Status {
    HEARTH_ASSIGN_OR_RETURN(id, connection.QueryInt(kActive));
    return Status::Ok();
  });
  HEARTH_RETURN_IF_ERROR(done);
  return id;
}

Result<int64_t> ConfigStore::newest() {
  int64_t id = 0;
  const Status done = Read([&](Connection& connection) -> Status {
    HEARTH_ASSIGN_OR_RETURN(id, connection.QueryInt(kNewest));
    return Status::Ok();
  });
  HEARTH_RETURN_IF_ERROR(done);
  return id;
}

Result<std::vector<Revision>> ConfigStore::Revisions(const std::string& document,
                                                     const std::string& rest, int64_t parameter,
                                                     int64_t limit) {
  std::vector<Revision> revisions;
  const Status done = Read([&](Connection& connection) -> Status {
    HEARTH_ASSIGN_OR_RETURN(
        Statement rows,
        connection.Prepare("SELECT r.id, r.created_ms, r.author, r.note, " + document +
                           ", coalesce(a.state, iif(r.id IN (SELECT revision FROM audit WHERE "
                           "action = 'seeded'), 'confirmed', '')), coalesce(a.reason, '') "
                           "FROM revisions r "
                           "LEFT JOIN applies a ON a.id = (SELECT max(id) FROM applies "
                           "WHERE revision = r.id) " +
                           rest));
    rows.Bind(1, parameter).Bind(2, limit);
    while (true) {
      HEARTH_ASSIGN_OR_RETURN(const bool row, rows.Step());
      if (!row) return Status::Ok();
      revisions.push_back({rows.Int(0), rows.Int(1), std::string(rows.Text(2)),
                           std::string(rows.Text(3)), std::string(rows.Text(4)),
                           std::string(rows.Text(5)), std::string(rows.Text(6))});
    }
  });
  HEARTH_RETURN_IF_ERROR(done);
  return revisions;
}

Result<Revision> ConfigStore::Get(int64_t id) {
  HEARTH_ASSIGN_OR_RETURN(auto revisions, Revisions("r.document", "WHERE r.id = ? LIMIT ?", id, 1));
  if (!revisions.empty()) return std::move(revisions[0]);
  HEARTH_ASSIGN_OR_RETURN(const int64_t last, newest());
  return NotFound("there is no revision " + std::to_string(id) + "; the newest is " +
                  std::to_string(last));
}

Result<std::vector<Revision>> ConfigStore::List(int64_t limit, int64_t before) {
  return Revisions("''", "WHERE r.id < ? ORDER BY r.id DESC LIMIT ?",
                   before > 0 ? before : std::numeric_limits<int64_t>::max(), limit);
}

Result<int64_t> ConfigStore::BeginApply(int64_t revision, const std::string& author) {
  int64_t id = 0;
  const Status done = Commit([&](Connection& connection) -> Status {
    HEARTH_ASSIGN_OR_RETURN(
        const int64_t running,
        connection.QueryInt("SELECT coalesce(max(id), 0) FROM applies WHERE state = 'running'"));
    if (running != 0) {
      return Aborted("apply " + std::to_string(running) + " is running; wait for it, or cancel it");
    }
    HEARTH_ASSIGN_OR_RETURN(Statement insert,
                            connection.Prepare("INSERT INTO applies(revision, previous, author, "
                                               "started_ms) VALUES(?, (" +
                                               std::string(kActive) + "), ?, ?)"));
    insert.Bind(1, revision).Bind(2, std::string_view(author)).Bind(3, clock_->WallMillis());
    HEARTH_RETURN_IF_ERROR(insert.Run());
    HEARTH_ASSIGN_OR_RETURN(id, connection.QueryInt("SELECT max(id) FROM applies"));
    HEARTH_RETURN_IF_ERROR(connection.Execute("DELETE FROM applies WHERE id <= " +
                                              std::to_string(id - kAppliesKept)));
    return AddAudit(
        connection,
        {.author = author, .action = "apply_started", .revision = revision, .apply = id});
  });
  HEARTH_RETURN_IF_ERROR(done);
  return id;
}

Status ConfigStore::NoteStep(int64_t apply, const std::string& text) {
  return Commit([&](Connection& connection) {
    return AddAudit(connection,
                    {.author = "hearthd", .action = "step", .apply = apply, .text = text});
  });
}

namespace {

Status CloseApply(Connection& connection, const ApplyRecord& end) {
  HEARTH_ASSIGN_OR_RETURN(
      Statement update,
      connection.Prepare("UPDATE applies SET state = ?, reason = ?, message = ?, report = ?, "
                         "ended_ms = ? WHERE id = ? AND state = 'running'"));
  update.Bind(1, std::string_view(end.state)).Bind(2, std::string_view(end.reason));
  update.Bind(3, std::string_view(end.message)).Bind(4, std::string_view(end.report));
  update.Bind(5, end.ended_ms).Bind(6, end.id);
  HEARTH_RETURN_IF_ERROR(update.Run());
  if (connection.changes() == 1) return Status::Ok();
  return FailedPrecondition("apply " + std::to_string(end.id) + " has ended already");
}

Result<int64_t> RevisionOf(Connection& connection, int64_t apply) {
  return connection.QueryInt("SELECT revision FROM applies WHERE id = " + std::to_string(apply));
}

}  // namespace

Status ConfigStore::Confirm(int64_t apply, const std::string& author, const std::string& message,
                            const std::string& report) {
  return Commit([&](Connection& connection) -> Status {
    HEARTH_ASSIGN_OR_RETURN(const int64_t revision, RevisionOf(connection, apply));
    HEARTH_RETURN_IF_ERROR(CloseApply(connection, {.id = apply,
                                                   .ended_ms = clock_->WallMillis(),
                                                   .state = "confirmed",
                                                   .message = message,
                                                   .report = report}));
    HEARTH_RETURN_IF_ERROR(SetActive(connection, revision));
    return AddAudit(connection, {.author = author,
                                 .action = "confirmed",
                                 .revision = revision,
                                 .apply = apply,
                                 .text = message});
  });
}

Status ConfigStore::End(int64_t apply, const std::string& state, const std::string& reason,
                        const std::string& message, const std::string& report) {
  return Commit([&](Connection& connection) -> Status {
    HEARTH_ASSIGN_OR_RETURN(const int64_t revision, RevisionOf(connection, apply));
    HEARTH_RETURN_IF_ERROR(CloseApply(connection, {.id = apply,
                                                   .ended_ms = clock_->WallMillis(),
                                                   .state = state,
                                                   .reason = reason,
                                                   .message = message,
                                                   .report = report}));
    return AddAudit(connection, {.author = "hearthd",
                                 .action = state,
                                 .revision = revision,
                                 .apply = apply,
                                 .text = reason + ": " + message});
  });
}

Result<std::vector<ApplyRecord>> ConfigStore::Applies(const std::string& rest, int64_t parameter) {
  std::vector<ApplyRecord> applies;
  const Status done = Read([&](Connection& connection) -> Status {
    HEARTH_ASSIGN_OR_RETURN(
        Statement rows,
        connection.Prepare("SELECT id, revision, previous, author, started_ms, "
                           "ended_ms, state, reason, message, report FROM applies " +
                           rest));
    rows.Bind(1, parameter);
    while (true) {
      HEARTH_ASSIGN_OR_RETURN(const bool row, rows.Step());
      if (!row) return Status::Ok();
      applies.push_back(ApplyOf(rows));
    }
  });
  HEARTH_RETURN_IF_ERROR(done);
  return applies;
}

Result<std::optional<ApplyRecord>> ConfigStore::EndInterrupted(const std::string& why) {
  HEARTH_ASSIGN_OR_RETURN(auto running,
                          Applies("WHERE state = 'running' ORDER BY id DESC LIMIT ?", 1));
  if (running.empty()) return std::optional<ApplyRecord>();
  HEARTH_RETURN_IF_ERROR(End(running[0].id, "returned", "interrupted",
                             why + "; revision " + std::to_string(running[0].previous) + " serves",
                             ""));
  HEARTH_ASSIGN_OR_RETURN(ApplyRecord ended, GetApply(running[0].id));
  return std::optional(std::move(ended));
}

Result<std::optional<ApplyRecord>> ConfigStore::LastApply() {
  HEARTH_ASSIGN_OR_RETURN(auto applies, Applies("ORDER BY id DESC LIMIT ?", 1));
  return applies.empty() ? std::optional<ApplyRecord>() : std::optional(std::move(applies[0]));
}

Result<ApplyRecord> ConfigStore::GetApply(int64_t id) {
  HEARTH_ASSIGN_OR_RETURN(auto applies, Applies("WHERE id = ?", id));
  if (applies.empty()) return NotFound("there is no apply " + std::to_string(id));
  return std::move(applies[0]);
}

Status ConfigStore::Note(const std::string& author, const std::string& action,
                         const std::string& text, int64_t revision, int64_t apply) {
  return Commit([&](Connection& connection) {
    return AddAudit(
        connection,
        {.author = author, .action = action, .revision = revision, .apply = apply, .text = text});
  });
}

Result<std::vector<AuditEntry>> ConfigStore::Audit(int64_t limit, int64_t before) {
  std::vector<AuditEntry> entries;
  const Status done = Read([&](Connection& connection) -> Status {
    HEARTH_ASSIGN_OR_RETURN(
        Statement rows,
        connection.Prepare("SELECT id, time_ms, author, action, revision, apply, text "
                           "FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?"));
    rows.Bind(1, before > 0 ? before : std::numeric_limits<int64_t>::max()).Bind(2, limit);
    while (true) {
      HEARTH_ASSIGN_OR_RETURN(const bool row, rows.Step());
      if (!row) return Status::Ok();
      entries.push_back({rows.Int(0), rows.Int(1), std::string(rows.Text(2)),
                         std::string(rows.Text(3)), rows.Int(4), rows.Int(5),
                         std::string(rows.Text(6))});
    }
  });
  HEARTH_RETURN_IF_ERROR(done);
  return entries;
}

Result<ConfigStore::Start> ConfigStore::BeginStart(int64_t revision, double within_s) {
  Start start;
  const Status done = Commit([&](Connection& connection) -> Status {
    const int64_t now_ms = clock_->WallMillis();
    const auto since_ms = now_ms - static_cast<int64_t>(within_s * 1000);
    // Those since the last start that served, or of another revision.
    HEARTH_ASSIGN_OR_RETURN(
        const int64_t crashes,
        connection.QueryInt(
            "SELECT count(*) FROM starts WHERE time_ms >= " + std::to_string(since_ms) +
            " AND time_ms <= " + std::to_string(now_ms) +
            " AND id > coalesce((SELECT max(id) FROM starts WHERE served OR revision != " +
            std::to_string(revision) + "), 0)"));
    HEARTH_ASSIGN_OR_RETURN(
        Statement insert, connection.Prepare("INSERT INTO starts(time_ms, revision) VALUES(?, ?)"));
    insert.Bind(1, now_ms).Bind(2, revision);
    HEARTH_RETURN_IF_ERROR(insert.Run());
    HEARTH_ASSIGN_OR_RETURN(start.id, connection.QueryInt("SELECT max(id) FROM starts"));
    start.crashes = static_cast<int>(crashes);
    return connection.Execute("DELETE FROM starts WHERE id <= " + std::to_string(start.id - 1000));
  });
  HEARTH_RETURN_IF_ERROR(done);
  return start;
}

Status ConfigStore::MarkServed(int64_t start) {
  return Commit([&](Connection& connection) {
    return connection.Execute("UPDATE starts SET served = 1 WHERE id = " + std::to_string(start));
  });
}

}  // namespace hearth::apply
