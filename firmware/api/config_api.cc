#include "firmware/api/config_api.h"

#include <algorithm>
#include <charconv>

#include "base/json.h"
#include "firmware/apply/line_diff.h"

namespace hearth::api {
namespace {

using apply::Applier;
using apply::ConfigStore;

constexpr int64_t kListMax = 1000;
constexpr int64_t kListDefault = 100;
constexpr size_t kAuthorBytesMax = 64;

struct Answer {
  int http_status = 200;
  Json body;
  std::string download = {};  // the name of a file; the body is then its text
  const char* type = "application/json";
};

Result<Json> ReadObject(const http::Request& request) {
  if (request.body.empty()) return Json::object();
  HEARTH_ASSIGN_OR_RETURN(Json json, ParseJson(request.body));
  if (!json.is_object()) return InvalidArgument("the body must be a JSON object");
  return json;
}

Result<std::string> TextField(const Json& body, const char* name) {
  const auto it = body.find(name);
  if (it == body.end() || !it->is_string()) {
    return InvalidArgument(std::string("the field '") + name + "' must be a string");
  }
  return it->get<std::string>();
}

Result<int64_t> IdField(const Json& body, const char* name) {
  const auto it = body.find(name);
  if (it == body.end() || !it->is_number_integer()) {
    return InvalidArgument(std::string("the field '") + name +
                           "' must be the number of a revision");
  }
  return it->get<int64_t>();
}

Result<int64_t> ReadId(const std::string& text) {
  int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc{} || end != text.data() + text.size() || id < 1) {
    return InvalidArgument("'" + text + "' is not the number of a revision or an apply");
  }
  return id;
}

struct Page {
  int64_t limit = kListDefault;
  int64_t before = 0;
};
Result<Page> ReadPage(const http::Request& request) {
  Page page;
  if (const auto text = request.Parameter("limit")) {
    HEARTH_ASSIGN_OR_RETURN(page.limit, ReadId(*text));
    if (page.limit > kListMax) {
      return InvalidArgument("'limit' is " + *text + ", at most " + std::to_string(kListMax));
    }
  }
  if (const auto text = request.Parameter("before")) {
    HEARTH_ASSIGN_OR_RETURN(page.before, ReadId(*text));
  }
  return page;
}

// ---- To JSON

Json ToJson(const config::Problem& problem) {
  return Json{{"severity", problem.severity == config::Severity::kError ? "error" : "warning"},
              {"path", problem.path},
              {"line", problem.place.line},
              {"column", problem.place.column},
              {"value", problem.value},
              {"message", problem.message},
              {"allowed", problem.allowed},
              {"nearest", problem.nearest}};
}

Json ToJson(const std::vector<config::Problem>& problems) {
  Json list = Json::array();
  for (const auto& problem : problems) list.push_back(ToJson(problem));
  return list;
}

Json ToJson(const std::vector<config::Capped>& caps) {
  Json list = Json::array();
  for (const auto& capped : caps) {
    list.push_back(Json{{"path", capped.path},
                        {"configured", capped.configured},
                        {"effective", capped.effective},
                        {"reason", capped.reason}});
  }
  return list;
}

Json ToJson(const models::FitEstimate& fit) {
  Json segments = Json::array(), models = Json::array();
  for (const auto& segment : fit.segments) {
    segments.push_back(Json{{"model_name", segment.model_name},
                            {"kind", KindName(segment.kind)},
                            {"bytes", segment.bytes},
                            {"state", StateName(segment.state)}});
  }
  for (const auto& model : fit.models) {
    models.push_back(Json{{"model_name", model.model_name},
                          {"kv_cache_bytes", model.kv_cache_bytes},
                          {"kv_cache_tokens", model.kv_cache_tokens},
                          {"needed_bytes", model.needed_bytes},
                          {"largest_max_model_len", model.largest_max_model_len}});
  }
  return Json{{"bytes_total", fit.bytes_total},
              {"bytes_free", fit.bytes_free},
              {"bytes_limit", fit.bytes_limit},
              {"needed_bytes", fit.needed_bytes},
              {"fits", fit.fits},
              {"fits_together", fit.fits_together},
              {"segments", std::move(segments)},
              {"models", std::move(models)},
              {"sentences", fit.sentences}};
}

// What clients will notice.
Json Interruption(const apply::Validated& validated) {
  std::vector<std::string> removed, replaced;
  for (const apply::Change& change : validated.changes) {
    if (change.kind == apply::Change::Kind::kRemove) removed.push_back(change.model_name);
    if (change.kind == apply::Change::Kind::kReplace) replaced.push_back(change.model_name);
  }
  const double wait_s = validated.fit ? validated.fit->announced_wait_s : 0;
  std::string sentence = "Nothing is interrupted.";
  if (wait_s > 0) {
    const auto seconds = [](double s) { return std::to_string(static_cast<int64_t>(s)) + " s"; };
    sentence = "Requests wait at most " + seconds(wait_s) +
               " while the engines change places: until the running ones have ended, and then "
               "about " +
               seconds(validated.fit->load_wait_s) + " for the load.";
  }
  for (const std::string& name : removed) {
    sentence += " '" + name + "' finishes its requests and takes no more.";
  }
  return Json{
      {"wait_s", wait_s}, {"replaced", replaced}, {"removed", removed}, {"sentence", sentence}};
}

std::string StateOf(const apply::Revision& revision, int64_t active) {
  if (revision.id == active) return "active";
  return revision.outcome.empty() ? "saved" : revision.outcome;
}

Json ToJson(const apply::Revision& revision, int64_t active, bool with_document) {
  Json json{{"id", revision.id},
            {"created_ms", revision.created_ms},
            {"author", revision.author},
            {"note", revision.note},
            {"state", StateOf(revision, active)},
            {"outcome", revision.outcome},
            {"reason", revision.reason}};
  if (with_document) json["document"] = revision.document;
  return json;
}

Json ToJson(const apply::ApplyRecord& record) {
  if (const auto report = ParseJson(record.report); report.ok() && report->is_object()) {
    Json json = *report;
    json["ended_ms"] = record.ended_ms;
    json["state"] = record.state;
    return json;
  }
  apply::ApplyStatus status;
  status.id = record.id;
  status.revision = record.revision;
  status.previous = record.previous;
  status.author = record.author;
  status.started_ms = record.started_ms;
  status.ended_ms = record.ended_ms;
  status.state = record.state;
  status.reason = record.reason;
  status.message = record.message;
  status.steps.clear();  // they went with the process
  Json json = apply::ToJson(status);
  return json;
}

class Handlers {
 public:
  Handlers(Applier* applier, ConfigStore* store, std::string read_only)
      : applier_(applier), store_(store), read_only_(std::move(read_only)) {}

  Result<Answer> Show(const http::Request&) {
    HEARTH_ASSIGN_OR_RETURN(const int64_t active, store_->active());
    HEARTH_ASSIGN_OR_RETURN(const int64_t newest, store_->newest());
    Json revision = nullptr;
    if (newest > 0) {
      HEARTH_ASSIGN_OR_RETURN(const auto found, store_->Get(newest));
      revision = ToJson(found, active, true);
    }
    HEARTH_ASSIGN_OR_RETURN(Json apply, LastApply());
    const std::string recovery = applier_->recovery();
    return Answer{200, Json{{"revision", std::move(revision)},
                            {"active", active},
                            {"newest", newest},
                            {"read_only", read_only_.empty() ? Json() : Json(read_only_)},
                            {"recovery", recovery.empty() ? Json() : Json{{"reason", recovery}}},
                            {"apply", std::move(apply)},
                            {"effective", ToJson(applier_->capped())}}};
  }

  Result<Answer> Schema(const http::Request&) { return Answer{200, config::ModelConfigSchema()}; }

  Result<Answer> Validate(const http::Request& request) {
    HEARTH_ASSIGN_OR_RETURN(const Json body, ReadObject(request));
    HEARTH_ASSIGN_OR_RETURN(const std::string document, TextField(body, "document"));
    const apply::Validated validated = applier_->Validate(document);
    const bool ok = validated.checked.ok();
    return Answer{200, Json{{"ok", ok},
                            {"problems", ToJson(validated.checked.problems)},
                            {"normal", validated.checked.normal},
                            {"effective", ToJson(validated.checked.capped)},
                            {"changes", apply::ToJson(validated.changes)},
                            {"fit", validated.fit ? ToJson(*validated.fit) : Json()},
                            {"interruption", ok ? Interruption(validated) : Json()}}};
  }

  Result<Answer> Diff(const http::Request& request) {
    HEARTH_ASSIGN_OR_RETURN(const Json body, ReadObject(request));
    HEARTH_ASSIGN_OR_RETURN(const std::string left, Side(body, "from"));
    const bool has_text = body.contains("document") && body["document"].is_string();
    std::string right;
    if (has_text) {
      right = body["document"].get<std::string>();
    } else {
      HEARTH_ASSIGN_OR_RETURN(right, Side(body, "to"));
    }
    Json lines = Json::array();
    for (const apply::DiffLine& line : apply::DiffLines(left, right)) {
      lines.push_back(Json{{"op", std::string(1, line.op)},
                           {"left", line.left > 0 ? Json(line.left) : Json()},
                           {"right", line.right > 0 ? Json(line.right) : Json()},
                           {"text", line.text}});
    }
    return Answer{200, Json{{"lines", std::move(lines)},
                            {"changes", applier_->validator().ChangesBetween(left, right)}}};
  }

  Result<Answer> List(const http::Request& request) {
    HEARTH_ASSIGN_OR_RETURN(const Page page, ReadPage(request));
    HEARTH_ASSIGN_OR_RETURN(const int64_t active, store_->active());
    HEARTH_ASSIGN_OR_RETURN(const auto revisions, store_->List(page.limit, page.before));
    Json rows = Json::array();
    for (const auto& revision : revisions) rows.push_back(ToJson(revision, active, false));
    return Answer{200, Json{{"revisions", std::move(rows)}, {"active", active}}};
  }

  Result<Answer> Get(const http::Request& request) {
    HEARTH_ASSIGN_OR_RETURN(const int64_t id, ReadId(request.path_parameters.at(0)));
    HEARTH_ASSIGN_OR_RETURN(const int64_t active, store_->active());
    HEARTH_ASSIGN_OR_RETURN(const auto revision, store_->Get(id));
    return Answer{200, ToJson(revision, active, true)};
  }

  Result<Answer> Export(const http::Request& request) {
    HEARTH_ASSIGN_OR_RETURN(const int64_t id, ReadId(request.path_parameters.at(0)));
    HEARTH_ASSIGN_OR_RETURN(const auto revision, store_->Get(id));
    const std::string format = request.Parameter("format").value_or("yaml");
    const auto checked = config::CheckModelConfig(revision.document, {});
    if (!checked.ok()) return InvalidArgument("revision " + std::to_string(id) + " cannot be read");
    const std::string name = "hearth-config-" + std::to_string(id);
    if (format == "yaml") {
      return Answer{200, config::ExportYaml(checked.normal), name + ".yaml", "application/yaml"};
    }
    if (format == "json") return Answer{200, checked.normal.dump(2) + "\n", name + ".json"};
    return InvalidArgument("'format' is '" + format + "'; it must be yaml or json");
  }

  Result<Answer> Save(const http::Request& request) {
    HEARTH_ASSIGN_OR_RETURN(const Json body, ReadObject(request));
    return SaveDocument(request, body);
  }

  Result<Answer> Apply(const http::Request& request) {
    HEARTH_ASSIGN_OR_RETURN(const Json body, ReadObject(request));
    if (!read_only_.empty()) return FailedPrecondition(read_only_);
    int64_t revision = 0;
    if (body.contains("document")) {
      HEARTH_ASSIGN_OR_RETURN(const Answer saved, SaveDocument(request, body));
      if (saved.http_status != 201) return saved;
      revision = saved.body["id"].get<int64_t>();
    } else {
      HEARTH_ASSIGN_OR_RETURN(revision, IdField(body, "revision"));
    }
    return Begin(request, revision);
  }

  Result<Answer> Restore(const http::Request& request) {
    HEARTH_ASSIGN_OR_RETURN(const Json body, ReadObject(request));
    if (!read_only_.empty()) return FailedPrecondition(read_only_);
    HEARTH_ASSIGN_OR_RETURN(const int64_t id, IdField(body, "revision"));
    HEARTH_ASSIGN_OR_RETURN(const int64_t expected, IdField(body, "expected"));
    HEARTH_ASSIGN_OR_RETURN(const auto old, store_->Get(id));
    const auto saved = store_->Save(old.document, AuthorOf(request),
                                    "restored revision " + std::to_string(id), expected);
    if (!saved.ok()) return Conflict(saved.status(), expected);
    return Begin(request, *saved);
  }

  Result<Answer> ShowApply(const http::Request&) {
    HEARTH_ASSIGN_OR_RETURN(Json apply, LastApply());
    return Answer{200, std::move(apply)};
  }

  Result<Answer> GetApply(const http::Request& request) {
    HEARTH_ASSIGN_OR_RETURN(const int64_t id, ReadId(request.path_parameters.at(0)));
    const auto running = applier_->status();
    if (running && running->id == id) return Answer{200, apply::ToJson(*running)};
    HEARTH_ASSIGN_OR_RETURN(const auto record, store_->GetApply(id));
    return Answer{200, ToJson(record)};
  }

  Result<Answer> Confirm(const http::Request& request) {
    HEARTH_RETURN_IF_ERROR(applier_->Keep(AuthorOf(request)));
    return Answer{202, Json::object()};
  }

  Result<Answer> Cancel(const http::Request& request) {
    HEARTH_RETURN_IF_ERROR(applier_->Cancel(AuthorOf(request)));
    return Answer{202, Json::object()};
  }

  Result<Answer> Audit(const http::Request& request) {
    HEARTH_ASSIGN_OR_RETURN(const Page page, ReadPage(request));
    HEARTH_ASSIGN_OR_RETURN(const auto entries, store_->Audit(page.limit, page.before));
    Json rows = Json::array();
    for (const auto& entry : entries) {
      rows.push_back(Json{{"id", entry.id},
                          {"time_ms", entry.time_ms},
                          {"author", entry.author},
                          {"action", entry.action},
                          {"revision", entry.revision},
                          {"apply", entry.apply},
                          {"text", entry.text}});
    }
    return Answer{200, Json{{"entries", std::move(rows)}}};
  }

 private:
  static Answer Error(int http_status, const std::string& message) {
    return {http_status, ParseJson(http::ErrorBody(http_status, message)).value()};
  }

  // Two browsers, or two applies, at once.
  Result<Answer> Conflict(const Status& status, std::optional<int64_t> expected) {
    if (status.code() != StatusCode::kAborted) return status;
    Answer answer = Error(409, status.message());
    HEARTH_ASSIGN_OR_RETURN(const int64_t newest, store_->newest());
    answer.body["newest"] = newest;
    answer.body["expected"] = expected ? Json(*expected) : Json();
    return answer;
  }

  Result<Answer> SaveDocument(const http::Request& request, const Json& body) {
    if (!read_only_.empty()) return FailedPrecondition(read_only_);
    HEARTH_ASSIGN_OR_RETURN(const std::string document, TextField(body, "document"));
    HEARTH_ASSIGN_OR_RETURN(const int64_t expected, IdField(body, "expected"));
    const std::string note =
        body.contains("note") && body["note"].is_string() ? body["note"].get<std::string>() : "";
    const apply::Validated validated = applier_->Validate(document);
    if (!validated.checked.ok()) {
      Answer answer =
          Error(400, "the configuration is refused: " + FirstError(validated.checked.problems));
      answer.body["problems"] = ToJson(validated.checked.problems);
      return answer;
    }
    const auto saved = store_->Save(document, AuthorOf(request), note, expected);
    if (!saved.ok()) return Conflict(saved.status(), expected);
    return Answer{201, Json{{"id", *saved}}};
  }

  static std::string FirstError(const std::vector<config::Problem>& problems) {
    size_t errors = 0;
    std::string first;
    for (const auto& problem : problems) {
      if (problem.severity != config::Severity::kError) continue;
      if (errors++ == 0) first = problem.message;
    }
    return first + (errors > 1 ? " (and " + std::to_string(errors - 1) + " more)" : "");
  }

  Result<Answer> Begin(const http::Request& request, int64_t revision) {
    const auto apply = applier_->Apply(revision, AuthorOf(request));
    if (!apply.ok()) return Conflict(apply.status(), std::nullopt);
    return Answer{202, Json{{"apply", *apply}, {"revision", revision}}};
  }

  Result<Json> LastApply() {
    if (const auto running = applier_->status()) return apply::ToJson(*running);
    HEARTH_ASSIGN_OR_RETURN(const auto record, store_->LastApply());
    return record ? ToJson(*record) : Json();
  }

  Result<std::string> Side(const Json& body, const char* name) {
    const auto it = body.find(name);
    if (it == body.end() || it->is_null()) return std::string();
    HEARTH_ASSIGN_OR_RETURN(const int64_t id, IdField(body, name));
    HEARTH_ASSIGN_OR_RETURN(auto revision, store_->Get(id));
    return std::move(revision.document);
  }

  Applier* const applier_;
  ConfigStore* const store_;
  const std::string read_only_;
};

}  // namespace

std::string AuthorOf(const http::Request& request) {
  const std::string_view client = request.Header("x-hearth-client");
  const bool is_sane =
      !client.empty() && client.size() <= kAuthorBytesMax &&
      std::all_of(client.begin(), client.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
  return (is_sane ? std::string(client) : "API") + " from " + request.remote_address;
}

std::vector<http::Route> ConfigRoutes(Applier* applier, ConfigStore* store,
                                      const std::string& read_only) {
  const auto handlers = std::make_shared<Handlers>(applier, store, read_only);
  using Method = Result<Answer> (Handlers::*)(const http::Request&);
  const auto route = [&](const char* verb, const char* path, Method method) {
    return http::Route{
        verb, path, http::Scope::kAdmin,
        [handlers, method](const http::Request& request, http::Response& response) {
          const Result<Answer> answer = ((*handlers).*method)(request);
          if (!answer.ok()) return http::SendStatus(response, answer.status());
          response.SetHeader("Cache-Control", "no-store");
          if (answer->download.empty()) {
            return response.Send(answer->http_status, answer->type, DumpJson(answer->body));
          }
          response.SetHeader("Content-Disposition",
                             "attachment; filename=\"" + answer->download + "\"");
          response.Send(answer->http_status, answer->type, answer->body.get<std::string>());
        }};
  };
  return {route("GET", "/api/config", &Handlers::Show),
          route("GET", "/api/config/schema", &Handlers::Schema),
          route("POST", "/api/config/validate", &Handlers::Validate),
          route("POST", "/api/config/diff", &Handlers::Diff),
          route("GET", "/api/config/revisions", &Handlers::List),
          route("POST", "/api/config/revisions", &Handlers::Save),
          route("GET", "/api/config/revisions/{}", &Handlers::Get),
          route("GET", "/api/config/revisions/{}/export", &Handlers::Export),
          route("POST", "/api/config/apply", &Handlers::Apply),
          route("GET", "/api/config/apply", &Handlers::ShowApply),
          route("GET", "/api/config/applies/{}", &Handlers::GetApply),
          route("POST", "/api/config/apply/confirm", &Handlers::Confirm),
          route("POST", "/api/config/apply/cancel", &Handlers::Cancel),
          route("POST", "/api/config/restore", &Handlers::Restore),
          route("GET", "/api/config/audit", &Handlers::Audit)};
}

}  // namespace hearth::api
