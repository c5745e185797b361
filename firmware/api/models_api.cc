#include "firmware/api/models_api.h"

#include <functional>

#include "base/json.h"
#include "firmware/api/config_api.h"
#include "firmware/api/model_edits.h"

namespace hearth::api {
namespace {

using apply::Applier;
using apply::ConfigStore;

// How long an edit waits for the apply before it, which may only have its last commit to do.
constexpr double kBeforeS = 5;
// How long a change that starts no engine takes at most.
constexpr double kLiveS = 30;

class ModelEditor {
 public:
  ModelEditor(Applier* applier, ConfigStore* store, std::string read_only)
      : applier_(applier), store_(store), read_only_(std::move(read_only)) {}

  // On top of what serves. The id of the apply.
  Result<int64_t> Edit(const http::Request& request, const std::string& note,
                       const std::function<Status(Json& normal)>& change) const {
    if (!read_only_.empty()) return FailedPrecondition(read_only_);
    if (!applier_->WaitForEnd(kBeforeS)) {
      return FailedPrecondition("a configuration is being applied; wait for it, or cancel it");
    }
    HEARTH_ASSIGN_OR_RETURN(Json normal, Normal());
    HEARTH_RETURN_IF_ERROR(change(normal));
    const std::string document = config::ExportYaml(normal);
    for (const config::Problem& problem : applier_->Validate(document).checked.problems) {
      if (problem.severity == config::Severity::kError) return InvalidArgument(problem.message);
    }
    HEARTH_ASSIGN_OR_RETURN(const int64_t newest, store_->newest());
    const std::string author = AuthorOf(request);
    HEARTH_ASSIGN_OR_RETURN(const int64_t id, store_->Save(document, author, note, newest));
    return applier_->Apply(id, author, Applier::Watching::kUnwatched);
  }

  // The same, and returns when it serves so.
  Status EditLive(const http::Request& request, const std::string& note,
                  const std::function<Status(Json& normal)>& change) const {
    HEARTH_ASSIGN_OR_RETURN(const int64_t id, Edit(request, note, change));
    if (!applier_->WaitForEnd(kLiveS)) {
      return Unavailable("apply " + std::to_string(id) + " has not ended yet");
    }
    HEARTH_ASSIGN_OR_RETURN(const apply::ApplyRecord record, store_->GetApply(id));
    if (record.state == "confirmed") return Status::Ok();
    return Unavailable("the change was not taken: " + record.message);
  }

 private:
  Result<Json> Normal() const {
    HEARTH_ASSIGN_OR_RETURN(const int64_t active, store_->active());
    if (active == 0) return Json{{"llm_configs", Json::array()}};
    HEARTH_ASSIGN_OR_RETURN(const apply::Revision revision, store_->Get(active));
    return config::CheckModelConfig(revision.document, {}).normal;
  }

  Applier* const applier_;
  ConfigStore* const store_;
  const std::string read_only_;
};

void SendOutcome(http::Response& response, const Status& status) {
  // Somebody else changed the configuration in between.
  if (status.code() == StatusCode::kAborted)
    return http::SendError(response, 409, status.message());
  if (!status.ok()) return http::SendStatus(response, status);
  response.Send(200, "application/json", "{}");
}

void Add(const ModelEditor& editor, const http::Request& request, http::Response& response) {
  const auto body = ParseJson(request.body);
  if (!body.ok()) return http::SendStatus(response, body.status());
  const auto id = editor.Edit(request, "a model was added",
                              [&](Json& normal) { return AddModel(*body, normal); });
  if (!id.ok()) return SendOutcome(response, id.status());
  response.Send(202, "application/json", DumpJson(Json{{"apply", *id}}));
}

void Change(const ModelEditor& editor, const http::Request& request, http::Response& response) {
  const auto body = ParseJson(request.body);
  if (!body.ok()) return http::SendStatus(response, body.status());
  const std::string& name = request.path_parameters.at(0);
  SendOutcome(response, editor.EditLive(request, "'" + name + "' was changed", [&](Json& normal) {
    return ChangeModel(name, *body, normal);
  }));
}

void Remove(const ModelEditor& editor, const http::Request& request, http::Response& response) {
  const std::string& name = request.path_parameters.at(0);
  SendOutcome(response, editor.EditLive(request, "'" + name + "' was removed",
                                        [&](Json& normal) { return RemoveModel(name, normal); }));
}

}  // namespace

std::vector<http::Route> ModelsRoutes(Applier* applier, ConfigStore* store,
                                      const std::string& read_only) {
  const ModelEditor editor(applier, store, read_only);
  using http::Request;
  using http::Response;
  return {{"POST", "/api/models", http::Scope::kAdmin,
           [=](const Request& request, Response& response) { Add(editor, request, response); }},
          {"PATCH", "/api/models/{*}", http::Scope::kAdmin,
           [=](const Request& request, Response& response) { Change(editor, request, response); }},
          {"DELETE", "/api/models/{*}", http::Scope::kAdmin,
           [=](const Request& request, Response& response) { Remove(editor, request, response); }}};
}

}  // namespace hearth::api
