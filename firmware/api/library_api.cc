#include "firmware/api/library_api.h"

#include <limits>

#include "base/fields.h"
#include "firmware/api/field_reader.h"

namespace hearth::api {

namespace {

using library::JobView;
using library::Library;

void SendJson(http::Response& response, int status, const Json& body) {
  response.SetHeader("Cache-Control", "no-store");
  response.Send(status, "application/json", DumpJson(body));
}

// What is exhausted here is the disk.
void SendRefusal(http::Response& response, const Status& status) {
  if (status.code() == StatusCode::kResourceExhausted) {
    return http::SendError(response, 507, status.message());
  }
  http::SendStatus(response, status);
}

void SendStarted(http::Response& response, const Result<Library::Started>& started) {
  if (!started.ok()) return SendRefusal(response, started.status());
  SendJson(response, started->joined ? 200 : 202, Json{{"job", ToJson(started->job)}});
}

// "Org", "Name" as one id: a path comes decoded, so both spellings of the slash are the same.
std::string ModelOf(const http::Request& request, size_t num_parts) {
  std::string model;
  for (size_t i = 0; i < num_parts; ++i) {
    model += (i > 0 ? "/" : "") + request.path_parameters[i];
  }
  return model;
}

// The members of a body that are texts. False: it was answered.
bool ReadTexts(const http::Request& request, http::Response& response,
               std::initializer_list<std::pair<const char*, std::string*>> members) {
  const auto json = ParseJson(request.body);
  if (!json.ok() || !json->is_object()) {
    http::SendError(response, 400, "the body must be a JSON object");
    return false;
  }
  FieldReader reader(*json);
  for (const auto& [name, text] : members) {
    reader.String(name, *text);
    if (text->empty()) reader.Fail(name, std::string("'") + name + "' is needed");
  }
  if (!reader.error()) return true;
  http::SendError(response, 400, reader.error()->message, reader.error()->param);
  return false;
}

// After what changed a job: the job as it is now.
void SendChanged(Library* library, const http::Request& request, http::Response& response,
                 const Status& changed) {
  if (!changed.ok()) return SendRefusal(response, changed);
  const auto job = library->JobOf(request.path_parameters[0]);
  if (!job.ok()) return SendRefusal(response, job.status());
  SendJson(response, 202, Json{{"job", ToJson(*job)}});
}

std::vector<http::Route> JobRoutes(Library* library) {
  using http::Request;
  using http::Response;
  return {
      {"GET", "/api/library/jobs", http::Scope::kAdmin,
       [=](const Request&, Response& response) {
         Json jobs = Json::array();
         for (const JobView& job : library->Jobs()) jobs.push_back(ToJson(job));
         SendJson(response, 200, Json{{"jobs", std::move(jobs)}});
       }},
      {"GET", "/api/library/jobs/{}", http::Scope::kAdmin,
       [=](const Request& request, Response& response) {
         const auto job = library->JobOf(request.path_parameters[0]);
         if (!job.ok()) return SendRefusal(response, job.status());
         SendJson(response, 200, ToJson(*job));
       }},
      {"POST", "/api/library/jobs/{}/pause", http::Scope::kAdmin,
       [=](const Request& request, Response& response) {
         SendChanged(library, request, response, library->Pause(request.path_parameters[0]));
       }},
      {"POST", "/api/library/jobs/{}/resume", http::Scope::kAdmin,
       [=](const Request& request, Response& response) {
         SendChanged(library, request, response, library->Resume(request.path_parameters[0]));
       }},
      {"DELETE", "/api/library/jobs/{}", http::Scope::kAdmin,
       [=](const Request& request, Response& response) {
         SendChanged(library, request, response, library->Cancel(request.path_parameters[0]));
       }},
  };
}

// Of a model of one part, or of two.
std::vector<http::Route> ModelRoutes(Library* library, size_t num_parts) {
  using http::Request;
  using http::Response;
  const std::string model = num_parts == 1 ? "{}" : "{}/{}";
  http::Route upload{"PUT", "/api/library/uploads/" + model + "/{}", http::Scope::kAdmin,
                     [=](const Request& request, Response& response) {
                       const Status taken =
                           library->TakeUpload(ModelOf(request, num_parts),
                                               request.path_parameters[num_parts], request.body_path);
                       if (!taken.ok()) return SendRefusal(response, taken);
                       SendJson(response, 201, Json::object());
                     }};
  upload.streams = true;
  upload.body_directory = library->uploads_directory();
  upload.body_bytes_max = std::numeric_limits<size_t>::max() / 2;  // the disk is the bound
  upload.admit = [=](const Request& request, std::optional<uint64_t> bytes) {
    if (!bytes) return InvalidArgument("an upload needs its length: send Content-Length");
    return library->AdmitUpload(ModelOf(request, num_parts), request.path_parameters[num_parts],
                                *bytes);
  };
  return {
      std::move(upload),
      {"POST", "/api/library/uploads/" + model + "/finish", http::Scope::kAdmin,
       [=](const Request& request, Response& response) {
         SendStarted(response, library->FinishUpload(ModelOf(request, num_parts)));
       }},
      {"POST", "/api/library/models/" + model + "/verify", http::Scope::kAdmin,
       [=](const Request& request, Response& response) {
         SendStarted(response, library->StartVerify(ModelOf(request, num_parts)));
       }},
      {"DELETE", "/api/library/models/" + model, http::Scope::kAdmin,
       [=](const Request& request, Response& response) {
         const Status removed =
             library->Remove(ModelOf(request, num_parts), request.Parameter("path").value_or(""));
         if (!removed.ok()) return SendRefusal(response, removed);
         SendJson(response, 200, Json::object());
       }},
  };
}

}  // namespace

std::vector<http::Route> LibraryRoutes(library::Library* library) {
  using http::Request;
  using http::Response;
  std::vector<http::Route> routes = {
      {"GET", "/api/library", http::Scope::kAdmin,
       [=](const Request&, Response& response) { SendJson(response, 200, ToJson(library->View())); }},
      {"POST", "/api/library/pulls", http::Scope::kAdmin,
       [=](const Request& request, Response& response) {
         std::string model;
         std::string revision = "main";
         if (!ReadTexts(request, response, {{"model", &model}, {"revision", &revision}})) return;
         SendStarted(response, library->StartPull(model, revision));
       }},
      {"POST", "/api/library/imports", http::Scope::kAdmin,
       [=](const Request& request, Response& response) {
         std::string path;
         std::string model;
         if (!ReadTexts(request, response, {{"path", &path}, {"model", &model}})) return;
         SendStarted(response, library->StartImport(path, model));
       }},
      {"POST", "/api/library/gc", http::Scope::kAdmin,
       [=](const Request&, Response& response) {
         SendJson(response, 200, Json{{"removed_bytes", library->CollectGarbage()}});
       }},
  };
  for (auto& others : {JobRoutes(library), ModelRoutes(library, 1), ModelRoutes(library, 2)}) {
    routes.insert(routes.end(), others.begin(), others.end());
  }
  return routes;
}

}  // namespace hearth::api
