// What /api/models did, kept over restarts: models that were added, and settings that were changed.
//
// One JSON document of storage::RevisionFile:
//
//   {"models": {"llama": {"model": "/models/llama", "log_engine_metrics": true, "slo": {...}},
//               "demo": {"log_engine_metrics": false}}}
//
// An entry with "model" is a model that was added; all else it runs with is what the command line
// says for every model. An entry without it holds the settings of a model of the command line. The
// command line wins over the document: it alone says which directory a model of its names is, and a
// model of it that was unloaded serves again after a restart; its kept settings hold.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "firmware/api/model_fields.h"
#include "firmware/models/model_manager.h"
#include "storage/revision_file.h"

namespace hearth::api {

// Any thread.
class KeptModels {
 public:
  // Opens the file, or makes it. What is broken does not stop the start: a broken file is set
  // aside, a document that cannot be read gives way to the revision before it, and a file that
  // cannot be opened leaves nothing kept until the next start; troubles() tells.
  // kFailedPrecondition: the file is not ours or a newer release's. `command_line`: the names of
  // its models.
  static Result<std::unique_ptr<KeptModels>> Open(const std::string& path, const Clock* clock,
                                                  std::set<std::string> command_line);

  // At the start: gives a model of the command line its kept settings.
  void ApplySettings(models::ModelOptions& model);
  // At the start: the models to serve beside those of the command line.
  std::vector<models::ModelOptions> Added(const models::ModelOptions& defaults);
  // Sentences about what was found broken.
  std::vector<std::string> troubles() const;

  // Ok means the disk has it. Anything else leaves the document in doubt; a restart tells.
  Status KeepAdded(const models::ModelOptions& model);
  Status KeepSettings(const std::string& model_name, const ModelChanges& changes);
  Status Forget(const std::string& model_name);

 private:
  explicit KeptModels(std::set<std::string> command_line)
      : command_line_(std::move(command_line)) {}
  Status Load();
  // `change` edits the member "models". Nothing is written when nothing changes.
  Status Change(const std::string& note, const std::function<void(Json& models)>& change);
  void Trouble(std::string sentence);

  const std::set<std::string> command_line_;
  mutable std::mutex mutex_;
  std::unique_ptr<storage::RevisionFile> file_;  // null: it could not be opened
  Json models_ = Json::object();
  int64_t revision_ = 0;  // of models_
  std::vector<std::string> troubles_;
};

}  // namespace hearth::api
