// hearth config: get, set, validate, diff, apply, keep, cancel, history, restore, export, audit.
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <set>
#include <thread>

#include "firmware/cli/box_client.h"
#include "firmware/cli/command.h"
#include "firmware/cli/config_edit.h"
#include "firmware/cli/terminal.h"
#include "firmware/cli/text_table.h"
#include "firmware/config/document.h"
#include "firmware/config/model_config.h"

namespace hearth::cli {
namespace {

constexpr auto kLookEvery = std::chrono::milliseconds(200);

std::string RevisionPath(int64_t id) { return "/api/config/revisions/" + std::to_string(id); }

Result<std::string> ReadText(const std::string& file) {
  if (file == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return ErrnoStatus("cannot read '" + file + "'", errno);
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

// "3:9: error: ..." as compilers do, so that editors find the place.
std::string ProblemLine(const std::string& file, const Json& problem) {
  std::string line = file;
  if (problem.value("line", 0) > 0) {
    line += ":" + std::to_string(problem.value("line", 0)) + ":" +
            std::to_string(problem.value("column", 0));
  }
  return line + ": " + problem.value("severity", "error") + ": " + problem.value("message", "") +
         "\n";
}

std::string Shown(const Json& value) { return DumpJson(value); }

void PrintErrors(const std::string& file, const Json& found) {
  for (const Json& problem : found.value("problems", Json::array())) {
    if (problem.value("severity", "") == "error") Print(ProblemLine(file, problem));
  }
}

void PrintFindings(const std::string& file, const Json& found) {
  for (const Json& problem : found.value("problems", Json::array()))
    Print(ProblemLine(file, problem));
  for (const Json& capped : found.value("effective", Json::array())) {
    Print(file + ": note: " + capped.value("path", "") + " is " + Shown(capped["configured"]) +
          ", in effect " + Shown(capped["effective"]) + ": " + capped.value("reason", "") + "\n");
  }
  for (const Json& change : found.value("changes", Json::array())) {
    std::string line = "would " + change.value("kind", "") + " '" + change.value("model", "") + "'";
    for (const Json& field : change.value("fields", Json::array()))
      line += " " + field.get<std::string>();
    Print(line + "\n");
  }
  if (found.contains("fit") && found["fit"].is_object()) {
    for (const Json& sentence : found["fit"].value("sentences", Json::array()))
      Print(sentence.get<std::string>() + "\n");
  }
}

Status Validate(const Invocation& invocation, const std::string& file) {
  HEARTH_ASSIGN_OR_RETURN(const std::string document, ReadText(file));
  HEARTH_ASSIGN_OR_RETURN(
      const Json found,
      BoxClient(invocation).Post("/api/config/validate", Json{{"document", document}}));
  if (invocation.json) {
    Print(DumpJson(found) + "\n");
  } else {
    PrintFindings(file, found);
  }
  if (found.value("ok", false)) return Status::Ok();
  return InvalidArgument("the configuration is refused");
}

Result<Json> RevisionOf(BoxClient& box, int64_t id) {
  if (id > 0) return box.Get(RevisionPath(id));
  HEARTH_ASSIGN_OR_RETURN(Json config, box.Get("/api/config"));
  if (!config["revision"].is_object()) return NotFound("there is no revision yet");
  return std::move(config["revision"]);
}

Status Get(const Invocation& invocation, int64_t id) {
  BoxClient box(invocation);
  HEARTH_ASSIGN_OR_RETURN(const Json revision, RevisionOf(box, id));
  if (invocation.json) {
    Print(DumpJson(revision) + "\n");
    return Status::Ok();
  }
  const std::string document = revision.value("document", "");
  Print(document + (document.ends_with('\n') ? "" : "\n"));
  return Status::Ok();
}

Status Export(const Invocation& invocation, int64_t id, const std::string& format) {
  BoxClient box(invocation);
  if (id == 0) {
    HEARTH_ASSIGN_OR_RETURN(const Json config, box.Get("/api/config"));
    id = config.value("active", int64_t{0});
    if (id == 0) return NotFound("no revision is active");
  }
  HEARTH_ASSIGN_OR_RETURN(const BoxAnswer answer,
                          box.Ask("GET", RevisionPath(id) + "/export?format=" + format));
  if (answer.http_status != 200) return BoxClient::RefusalOf(answer);
  Print(answer.text);
  return Status::Ok();
}

Status Diff(const Invocation& invocation, std::vector<int64_t> ids) {
  BoxClient box(invocation);
  HEARTH_ASSIGN_OR_RETURN(const Json config, box.Get("/api/config"));
  if (ids.empty()) ids.push_back(config.value("active", int64_t{0}));
  if (ids.size() == 1) ids.push_back(config.value("newest", int64_t{0}));
  const auto side = [](int64_t id) { return id > 0 ? Json(id) : Json(); };
  HEARTH_ASSIGN_OR_RETURN(
      const Json diff,
      box.Post("/api/config/diff", Json{{"from", side(ids[0])}, {"to", side(ids[1])}}));
  if (invocation.json) {
    Print(DumpJson(diff) + "\n");
    return Status::Ok();
  }
  Print("--- revision " + std::to_string(ids[0]) + "\n+++ revision " + std::to_string(ids[1]) +
        "\n");
  for (const Json& line : diff["lines"])
    Print(line.value("op", " ") + line.value("text", "") + "\n");
  return Status::Ok();
}

std::string StepLine(const Json& step) {
  const std::string text = step.value("text", "");
  const auto ms = step.value("ended_ms", int64_t{0}) - step.value("started_ms", int64_t{0});
  return step.value("name", "") + " " + step.value("state", "") +
         (ms > 0 ? " (" + std::to_string(ms) + " ms)" : "") + (text.empty() ? "" : ": " + text) +
         "\n";
}

// What to do with an apply that has begun.
struct FollowFlags {
  bool wait = true;
  bool keep = false;  // as soon as the new engines serve: nobody watches them
};

// Prints each step as it ends. How the apply ended is the status.
Status Follow(const Invocation& invocation, BoxClient& box, int64_t apply, bool keep) {
  std::set<std::string> told;
  while (true) {
    HEARTH_ASSIGN_OR_RETURN(const Json status,
                            box.Get("/api/config/applies/" + std::to_string(apply)));
    for (const Json& step : status["steps"]) {
      const std::string state = step.value("state", "");
      const bool has_ended = state == "done" || state == "failed";
      if (!has_ended || invocation.json || !told.insert(step.value("name", "")).second) continue;
      Print(StepLine(step));
      std::fflush(stdout);
    }
    if (status.value("ended_ms", int64_t{0}) != 0) {
      if (invocation.json) Print(DumpJson(status) + "\n");
      if (status.value("state", "") == "confirmed") return Status::Ok();
      return FailedPrecondition("revision " + std::to_string(status.value("revision", int64_t{0})) +
                                " was not taken (" + status.value("reason", "") +
                                "): " + status.value("message", ""));
    }
    if (keep && status.value("state", "") == "watching") {
      // Refused when it has ended meanwhile: the next look says how.
      HEARTH_RETURN_IF_ERROR(box.Ask("POST", "/api/config/apply/confirm", Json::object()).status());
      keep = false;
    }
    std::this_thread::sleep_for(kLookEvery);
  }
}

struct ApplyFlags {
  int64_t revision = 0;
  std::string file;
  std::string note;
  FollowFlags follow;
};

Status FollowStarted(const Invocation& invocation, BoxClient& box, const BoxAnswer& answer,
                     FollowFlags flags) {
  if (answer.http_status == 400 && !invocation.json) PrintErrors("config", answer.json);
  if (answer.http_status != 202) return BoxClient::RefusalOf(answer);
  if (!invocation.json)
    Print("revision " + std::to_string(answer.json.value("revision", int64_t{0})) +
          " is applied\n");
  if (!flags.wait) {
    if (invocation.json) Print(DumpJson(answer.json) + "\n");
    return Status::Ok();
  }
  return Follow(invocation, box, answer.json.value("apply", int64_t{0}), flags.keep);
}

Status Apply(const Invocation& invocation, const ApplyFlags& flags) {
  BoxClient box(invocation);
  HEARTH_ASSIGN_OR_RETURN(const Json config, box.Get("/api/config"));
  const int64_t newest = config.value("newest", int64_t{0});
  Json body{{"revision", flags.revision > 0 ? flags.revision : newest}};
  if (!flags.file.empty()) {
    HEARTH_ASSIGN_OR_RETURN(const std::string document, ReadText(flags.file));
    body = Json{{"document", document}, {"note", flags.note}, {"expected", newest}};
  }
  HEARTH_ASSIGN_OR_RETURN(const BoxAnswer answer, box.Ask("POST", "/api/config/apply", body));
  return FollowStarted(invocation, box, answer, flags.follow);
}

Status Restore(const Invocation& invocation, int64_t revision, FollowFlags flags) {
  BoxClient box(invocation);
  HEARTH_ASSIGN_OR_RETURN(const Json config, box.Get("/api/config"));
  HEARTH_ASSIGN_OR_RETURN(
      const BoxAnswer answer,
      box.Ask("POST", "/api/config/restore",
              Json{{"revision", revision}, {"expected", config.value("newest", int64_t{0})}}));
  return FollowStarted(invocation, box, answer, flags);
}

// word: confirm or cancel. Of the apply that runs.
Status Decide(const Invocation& invocation, const std::string& word) {
  return BoxClient(invocation).Post("/api/config/apply/" + word, Json::object()).status();
}

struct SetFlags {
  std::vector<std::string> changes;
  std::vector<std::string> unset;
  std::string note;
  bool apply = false;
  FollowFlags follow;
};

// A path as problems name it in an application file; what is edited is the list of its models.
std::string InList(const std::string& path) {
  constexpr std::string_view kFile = "applications[0].args.";
  return path.starts_with(kFile) ? path.substr(kFile.size()) : path;
}

Status Edit(Json& normal, const SetFlags& flags) {
  for (const std::string& change : flags.changes) {
    const size_t equals = change.find('=');
    if (equals == std::string::npos) {
      return InvalidArgument("'" + change +
                             "' must be PATH=VALUE, e.g. llm_configs[0].log_engine_metrics=false");
    }
    const auto value = config::ParseDocument(change.substr(equals + 1));
    if (!value.document) return InvalidArgument("'" + change + "': " + value.problems[0].message);
    HEARTH_RETURN_IF_ERROR(SetPath(normal, InList(change.substr(0, equals)), value.document->json));
  }
  for (const std::string& path : flags.unset) {
    HEARTH_RETURN_IF_ERROR(UnsetPath(normal, InList(path)));
  }
  return Status::Ok();
}

Status Set(const Invocation& invocation, const SetFlags& flags) {
  BoxClient box(invocation);
  HEARTH_ASSIGN_OR_RETURN(const Json config, box.Get("/api/config"));
  Json normal{{"llm_configs", Json::array()}};
  if (config["revision"].is_object()) {
    HEARTH_ASSIGN_OR_RETURN(
        Json found,
        box.Post("/api/config/validate", Json{{"document", config["revision"]["document"]}}));
    normal = found["normal"];
  }
  HEARTH_RETURN_IF_ERROR(Edit(normal, flags));
  const Json body{{"document", config::ExportYaml(normal)},
                  {"note", flags.note.empty() ? "hearth config set" : flags.note},
                  {"expected", config.value("newest", int64_t{0})}};
  if (flags.apply) {
    HEARTH_ASSIGN_OR_RETURN(const BoxAnswer answer, box.Ask("POST", "/api/config/apply", body));
    return FollowStarted(invocation, box, answer, flags.follow);
  }
  HEARTH_ASSIGN_OR_RETURN(const BoxAnswer answer, box.Ask("POST", "/api/config/revisions", body));
  if (answer.http_status == 400 && !invocation.json) PrintErrors("config", answer.json);
  if (answer.http_status != 201) return BoxClient::RefusalOf(answer);
  if (invocation.json) {
    Print(DumpJson(answer.json) + "\n");
    return Status::Ok();
  }
  Print("saved as revision " + std::to_string(answer.json.value("id", int64_t{0})) +
        "; 'hearth config apply' makes it serve\n");
  return Status::Ok();
}

Status History(const Invocation& invocation, int64_t limit) {
  HEARTH_ASSIGN_OR_RETURN(
      const Json list,
      BoxClient(invocation).Get("/api/config/revisions?limit=" + std::to_string(limit)));
  if (invocation.json) {
    Print(DumpJson(list) + "\n");
    return Status::Ok();
  }
  std::vector<std::vector<std::string>> rows = {{"revision", "when", "state", "who", "note"}};
  for (const Json& revision : list["revisions"]) {
    const std::string reason = revision.value("reason", "");
    rows.push_back({std::to_string(revision.value("id", int64_t{0})),
                    UtcText(revision.value("created_ms", int64_t{0})),
                    revision.value("state", "") + (reason.empty() ? "" : " (" + reason + ")"),
                    revision.value("author", ""), revision.value("note", "")});
  }
  Print(TextTable(rows));
  return Status::Ok();
}

Status Audit(const Invocation& invocation, int64_t limit) {
  HEARTH_ASSIGN_OR_RETURN(
      const Json list,
      BoxClient(invocation).Get("/api/config/audit?limit=" + std::to_string(limit)));
  if (invocation.json) {
    Print(DumpJson(list) + "\n");
    return Status::Ok();
  }
  std::vector<std::vector<std::string>> rows = {
      {"when", "action", "revision", "apply", "who", "what"}};
  for (const Json& entry : list["entries"]) {
    const auto number = [&entry](const char* name) {
      const auto id = entry.value(name, int64_t{0});
      return id > 0 ? std::to_string(id) : std::string("-");
    };
    rows.push_back({UtcText(entry.value("time_ms", int64_t{0})), entry.value("action", ""),
                    number("revision"), number("apply"), entry.value("author", ""),
                    entry.value("text", "")});
  }
  Print(TextTable(rows));
  return Status::Ok();
}

void AddReaders(CLI::App& config, Invocation& invocation) {
  const auto id = std::make_shared<int64_t>(0);
  AddCommand(config, invocation, "get", "prints the newest revision, or the one named",
             [&invocation, id] { return Get(invocation, *id); })
      ->add_option("REVISION", *id, "its number");
  const auto file = std::make_shared<std::string>("-");
  AddCommand(config, invocation, "validate",
             "says what is wrong with a file, and what it would change",
             [&invocation, file] { return Validate(invocation, *file); })
      ->add_option("FILE", *file, "YAML or JSON; - is standard input");
  const auto ids = std::make_shared<std::vector<int64_t>>();
  AddCommand(config, invocation, "diff",
             "between two revisions; the active and the newest when absent",
             [&invocation, ids] { return Diff(invocation, *ids); })
      ->add_option("REVISION", *ids)
      ->expected(0, 2);
  const auto limit = std::make_shared<int64_t>(20);
  AddCommand(config, invocation, "history", "the revisions, the newest first",
             [&invocation, limit] { return History(invocation, *limit); })
      ->add_option("--limit", *limit, "so many at most")
      ->capture_default_str();
  AddCommand(config, invocation, "audit", "what was done, by whom, the newest first",
             [&invocation, limit] { return Audit(invocation, *limit); })
      ->add_option("--limit", *limit, "so many at most")
      ->capture_default_str();
  const auto format = std::make_shared<std::string>("yaml");
  CLI::App* const command =
      AddCommand(config, invocation, "export", "prints a revision as Ray Serve reads it",
                 [&invocation, id, format] { return Export(invocation, *id, *format); });
  command->add_option("REVISION", *id, "the active one when absent");
  command->add_option("--format", *format)
      ->check(CLI::IsMember({"yaml", "json"}))
      ->capture_default_str();
}

void AddFollowFlags(CLI::App* command, FollowFlags* flags) {
  command->add_flag("!--no-wait", flags->wait, "return when it has begun");
  command->add_flag("--keep", flags->keep, "keep it as soon as it serves, without the watch");
}

void AddWriters(CLI::App& config, Invocation& invocation) {
  const auto set = std::make_shared<SetFlags>();
  CLI::App* command =
      AddCommand(config, invocation, "set",
                 "changes fields by path and saves a revision; comments are not kept",
                 [&invocation, set] { return Set(invocation, *set); });
  command->add_option("PATH=VALUE", set->changes,
                      "e.g. llm_configs[0].engine_kwargs.max_num_seqs=8");
  command->add_option("--unset", set->unset, "a path to take away; may be repeated");
  command->add_option("--note", set->note, "why, for the history");
  command->add_flag("--apply", set->apply, "apply it too");
  AddFollowFlags(command, &set->follow);
  const auto apply = std::make_shared<ApplyFlags>();
  command = AddCommand(config, invocation, "apply",
                       "makes a revision serve, and waits until it is confirmed",
                       [&invocation, apply] { return Apply(invocation, *apply); });
  command->add_option("REVISION", apply->revision, "the newest when absent");
  command->add_option("-f,--file", apply->file, "a file to save and apply; - is standard input");
  command->add_option("--note", apply->note, "why, for the history");
  AddFollowFlags(command, &apply->follow);
  const auto id = std::make_shared<int64_t>(0);
  const auto follow = std::make_shared<FollowFlags>();
  command = AddCommand(config, invocation, "restore",
                       "saves an old revision as the newest and applies it",
                       [&invocation, id, follow] { return Restore(invocation, *id, *follow); });
  command->add_option("REVISION", *id, "its number")->required();
  AddFollowFlags(command, follow.get());
  AddCommand(config, invocation, "keep", "ends the watch of the apply that runs: it is good",
             [&invocation] { return Decide(invocation, "confirm"); });
  AddCommand(config, invocation, "cancel", "takes back the apply that runs",
             [&invocation] { return Decide(invocation, "cancel"); });
}

}  // namespace

void AddConfigCommands(CLI::App& hearth, Invocation& invocation) {
  CLI::App* const config = hearth.add_subcommand("config", "the model configuration of the box");
  config->require_subcommand(1);
  AddReaders(*config, invocation);
  AddWriters(*config, invocation);
}

}  // namespace hearth::cli
