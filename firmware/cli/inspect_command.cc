// hearth inspect: everything that is known of one model, served, in the library or in a directory.
#include <filesystem>

#include "base/clock.h"
#include "firmware/cli/box_client.h"
#include "firmware/cli/command.h"
#include "firmware/cli/library_model.h"
#include "firmware/cli/model_directory.h"
#include "firmware/cli/read_json.h"
#include "firmware/cli/served_models.h"
#include "firmware/cli/terminal.h"
#include "firmware/cli/text_table.h"

namespace hearth::cli {
namespace {

namespace fs = std::filesystem;

// "Org/Name" may be a directory here and a model there; a model of the box is meant then, unless the
// path says that it is one.
bool IsMeantAsPath(const std::string& what) {
  return what.starts_with('/') || what.starts_with("./") || what.starts_with("../") ||
         what == "." || what == "..";
}

bool IsModelDirectory(const std::string& path) {
  std::error_code ignored;
  return fs::is_regular_file(fs::path(path) / "config.json", ignored);
}

// A field of a served model on lines of its own: objects and lists indented below their key.
void AddLines(const std::string& indent, const std::string& key, const Json& value,
              std::string& text) {
  if (value.is_structured() && !value.empty()) {
    text += indent + key + "\n";
    size_t index = 0;
    for (const auto& [name, part] : value.items()) {
      AddLines(indent + "  ", value.is_array() ? std::to_string(index++) : name, part, text);
    }
    return;
  }
  std::string shown = value.is_string() ? value.get<std::string>() : DumpJson(value);
  if (value.is_null() || (value.is_structured() && value.empty()) || shown.empty()) shown = "-";
  const size_t width = 34;
  const std::string left = indent + key;
  text += left + std::string(left.size() < width ? width - left.size() : 1, ' ') + shown + "\n";
}

void PrintServed(const Json& model) {
  std::string text;
  for (const auto& [key, value] : model.items()) AddLines("", key, value, text);
  Print(Harmless(text));
}

Status InspectDirectory(const Invocation& invocation, const std::string& path) {
  HEARTH_ASSIGN_OR_RETURN(const ModelDirectory directory, ReadModelDirectory(path));
  if (invocation.json) {
    PrintJson(Json{{"kind", "directory"}, {"directory", ToJson(directory)}});
  } else {
    Print(Describe(directory));
  }
  return Status::Ok();
}

// The box says where its files are; they can be read when this is the box.
Status InspectLibraryModel(const Invocation& invocation, const Json& model) {
  const std::string path = TextOf(model, "path");
  Json document{{"kind", "library"}, {"library", model}, {"directory", nullptr}};
  std::string files;
  if (!path.empty() && IsModelDirectory(path)) {
    const Result<ModelDirectory> directory = ReadModelDirectory(path);
    if (directory.ok()) document["directory"] = ToJson(*directory);
    files = directory.ok() ? Describe(*directory) : directory.status().message() + "\n";
  }
  if (invocation.json) {
    PrintJson(document);
  } else {
    Print(DescribeLibraryModel(model, WallMillis()) + (files.empty() ? "" : "\n" + files));
  }
  return Status::Ok();
}

Status Inspect(const Invocation& invocation, const std::string& what) {
  if (IsMeantAsPath(what)) return InspectDirectory(invocation, what);
  BoxClient box(invocation);
  const Result<Json> served = box.Get("/api/models");
  if (!served.ok()) {
    // Without a box a directory can still be read.
    if (IsModelDirectory(what)) return InspectDirectory(invocation, what);
    return served.status();
  }
  const Result<Json> model = FindServed(*served, what);
  if (model.ok()) {
    if (invocation.json) {
      PrintJson(Json{{"kind", "served"}, {"served", *model}});
    } else {
      PrintServed(*model);
    }
    return Status::Ok();
  }
  HEARTH_ASSIGN_OR_RETURN(const Json library, box.Get("/api/library"));
  const Result<Json> found = FindInLibrary(library, what);
  if (found.ok()) return InspectLibraryModel(invocation, *found);
  if (IsModelDirectory(what)) return InspectDirectory(invocation, what);
  return NotFound(model.status().message() +
                  "; nor is it in the library ('hearth library' shows it) or a directory with a "
                  "config.json");
}

}  // namespace

void AddInspectCommand(CLI::App& hearth, Invocation& invocation) {
  const auto what = std::make_shared<std::string>();
  AddCommand(hearth, invocation, "inspect",
             "everything that is known of a served model, a model of the library or a directory",
             [&invocation, what] { return Inspect(invocation, *what); })
      ->add_option("NAME|ID|DIRECTORY", *what,
                   "a path that begins with / or . is read here, without a box")
      ->required();
}

}  // namespace hearth::cli
