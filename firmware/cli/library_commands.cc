// hearth library, pull, import, verify, rm: the models on the disk of the box.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <thread>

#include "base/clock.h"
#include "firmware/cli/box_client.h"
#include "firmware/cli/command.h"
#include "firmware/cli/library_model.h"
#include "firmware/cli/read_json.h"
#include "firmware/cli/terminal.h"
#include "firmware/cli/text_table.h"

namespace hearth::cli {
namespace {

namespace fs = std::filesystem;

constexpr auto kLookEvery = std::chrono::milliseconds(250);
// A line each so much of a job, where no bar can be drawn.
constexpr int kPercentALine = 10;

std::string IdOf(const Json& job) {
  const Json& id = PartOf(job, "id");
  return id.is_string() ? id.get<std::string>() : DumpJson(id);
}

std::string JobPath(const Json& job) { return "/api/library/jobs/" + PathSegment(IdOf(job)); }

std::string ModelPath(const std::string& id) { return "/api/library/models/" + PathSegment(id); }

// Some answers hold the job in "job", some are one.
Json JobOf(const Json& answer) {
  const Json& job = PartOf(answer, "job");
  return job.is_object() ? job : answer;
}

Status ShowLibrary(const Invocation& invocation, bool gc) {
  BoxClient box(invocation);
  if (gc) {
    HEARTH_ASSIGN_OR_RETURN(const Json answer, box.Post("/api/library/gc", Json::object()));
    if (invocation.json) {
      PrintJson(answer);
    } else {
      Print(SizeText(NumberOf(answer, "removed_bytes").value_or(0)) + " were removed\n");
    }
    return Status::Ok();
  }
  HEARTH_ASSIGN_OR_RETURN(const Json library, box.Get("/api/library"));
  if (invocation.json) {
    PrintJson(library);
  } else {
    Print(LibraryTables(library, WallMillis()));
  }
  return Status::Ok();
}

// Where a plain line is due: another state, or another tenth.
std::string StepOf(const Json& job) {
  const double total = NumberOf(job, "bytes_total").value_or(0);
  const double share = total > 0 ? NumberOf(job, "bytes_done").value_or(0) / total : 0;
  return TextOf(job, "state") + std::to_string(static_cast<int>(share * 100) / kPercentALine) +
         TextOf(job, "error");
}

std::string DoneText(const Json& job) {
  const double seconds =
      static_cast<double>(CountOf(job, "ended_ms") - CountOf(job, "started_ms")) / 1000;
  const std::string kind = TextOf(job, "kind");
  const std::string did = kind == "pull" ? "pulled" : kind == "verify" ? "verified" : "imported";
  return "'" + TextOf(job, "model") + "' is " + did + ", " +
         SizeText(NumberOf(job, "bytes_total").value_or(0)) + " in " + DurationText(seconds) + "\n";
}

// Until it ends. How it ended is the status. Ctrl-C ends the looking, not the job.
Status FollowJob(const Invocation& invocation, BoxClient& box, Json job) {
  const Interrupts interrupts;
  ProgressLine progress(/*silent=*/invocation.json);
  while (!HasEnded(job)) {
    progress.Show(StepOf(job), JobLine(job, TerminalColumns()));
    if (interrupts.happened()) {
      progress.Clear();
      const std::string pull = TextOf(job, "kind") == "pull" ? ", 'hearth pull " +
                                   TextOf(job, "model") + " --cancel' ends it" : std::string();
      return Aborted("the box goes on with it; 'hearth library' shows how far it is" + pull);
    }
    std::this_thread::sleep_for(kLookEvery);
    HEARTH_ASSIGN_OR_RETURN(const Json answer, box.Get(JobPath(job)));
    job = JobOf(answer);
  }
  progress.Clear();
  if (invocation.json) {
    PrintJson(job);
  } else if (TextOf(job, "state") == "done") {
    Print(DoneText(job));
  }
  return OutcomeOfJob(job);
}

Status FollowOrTell(const Invocation& invocation, BoxClient& box, const Json& answer, bool wait) {
  const Json job = JobOf(answer);
  if (wait) return FollowJob(invocation, box, job);
  if (invocation.json) {
    PrintJson(job);
  } else {
    Print("job " + IdOf(job) + " has begun; 'hearth library' shows how far it is\n");
  }
  return Status::Ok();
}

// The pull of the model that has not ended.
Result<Json> FindPull(BoxClient& box, const std::string& model) {
  HEARTH_ASSIGN_OR_RETURN(const Json library, box.Get("/api/library"));
  for (const Json& job : ListOf(library, "jobs")) {
    const bool is_it = TextOf(job, "kind") == "pull" && TextOf(job, "model") == model;
    if (is_it && !HasEnded(job)) return job;
  }
  return NotFound("no pull of '" + model + "' is under way; 'hearth library' shows the jobs");
}

struct PullFlags {
  std::string model;
  std::string revision = "main";
  bool wait = true;
  bool cancel = false;
  bool pause = false;
};

Status StopPull(const Invocation& invocation, const PullFlags& flags) {
  BoxClient box(invocation);
  HEARTH_ASSIGN_OR_RETURN(const Json job, FindPull(box, flags.model));
  const Result<Json> answer = flags.cancel ? box.Delete(JobPath(job))
                                           : box.Post(JobPath(job) + "/pause", Json::object());
  if (!answer.ok()) return answer.status();
  if (invocation.json) {
    PrintJson(answer->is_null() ? job : JobOf(*answer));
  } else {
    Print("the pull of '" + flags.model + "' " +
          (flags.cancel ? "is cancelled and what it had is removed\n"
                        : "pauses; 'hearth pull " + flags.model + "' goes on with it\n"));
  }
  return Status::Ok();
}

Status Pull(const Invocation& invocation, const PullFlags& flags) {
  if (flags.cancel || flags.pause) return StopPull(invocation, flags);
  BoxClient box(invocation);
  HEARTH_ASSIGN_OR_RETURN(
      Json answer,
      box.Post("/api/library/pulls", Json{{"model", flags.model}, {"revision", flags.revision}}));
  if (TextOf(JobOf(answer), "state") == "paused") {
    HEARTH_RETURN_IF_ERROR(box.Post(JobPath(JobOf(answer)) + "/resume", Json::object()).status());
  }
  return FollowOrTell(invocation, box, answer, flags.wait);
}

struct ImportFlags {
  std::string path;
  std::string name;
  bool wait = true;
};

Status Import(const Invocation& invocation, const ImportFlags& flags) {
  std::error_code error;
  const fs::path path = fs::absolute(flags.path, error).lexically_normal();
  if (error) return ErrnoStatus("cannot find '" + flags.path + "'", error.value());
  fs::path named = path;
  if (named.filename().empty()) named = named.parent_path();  // it ended in a slash
  const std::string name = flags.name.empty() ? named.filename().string() : flags.name;
  BoxClient box(invocation);
  HEARTH_ASSIGN_OR_RETURN(
      const Json answer,
      box.Post("/api/library/imports", Json{{"path", path.string()}, {"model", name}}));
  return FollowOrTell(invocation, box, answer, flags.wait);
}

Status Verify(const Invocation& invocation, const std::string& id, bool wait) {
  BoxClient box(invocation);
  HEARTH_ASSIGN_OR_RETURN(const Json answer,
                          box.Post(ModelPath(id) + "/verify", Json::object()));
  return FollowOrTell(invocation, box, answer, wait);
}

Status Remove(const Invocation& invocation, const std::string& id, bool yes) {
  BoxClient box(invocation);
  HEARTH_ASSIGN_OR_RETURN(const Json library, box.Get("/api/library"));
  HEARTH_ASSIGN_OR_RETURN(const Json model, FindInLibrary(library, id));
  const std::string size = SizeText(NumberOf(model, "bytes").value_or(0));
  if (!yes) {
    if (!IsTerminal(STDIN_FILENO)) {
      return InvalidArgument("'" + id + "' (" + size +
                             ") is removed for good; say so with --yes, nobody can be asked here");
    }
    Tell("Remove '" + id + "' (" + size + ") from the disk? [y/N] ");
    std::string answer;
    std::getline(std::cin, answer);
    if (answer != "y" && answer != "yes") return Aborted("'" + id + "' stays");
  }
  HEARTH_ASSIGN_OR_RETURN(const Json answer, box.Delete(ModelPath(id)));
  if (invocation.json) {
    PrintJson(Json{{"removed", id}, {"bytes", PartOf(model, "bytes")}});
  } else {
    Print("'" + id + "' is removed, " + size + " are free again\n");
  }
  return Status::Ok();
}

void AddPull(CLI::App& hearth, Invocation& invocation) {
  const auto flags = std::make_shared<PullFlags>();
  CLI::App* const pull =
      AddCommand(hearth, invocation, "pull",
                 "downloads a model, goes on with one that was broken off, and checks every byte",
                 [&invocation, flags] { return Pull(invocation, *flags); });
  pull->add_option("ORG/NAME", flags->model, "as the hub calls it, e.g. Qwen/Qwen2.5-0.5B-Instruct")
      ->required();
  pull->add_option("--revision", flags->revision, "a branch, a tag or a commit")
      ->capture_default_str();
  pull->add_flag("!--no-wait", flags->wait, "return when it has begun");
  CLI::Option* const cancel =
      pull->add_flag("--cancel", flags->cancel, "end the pull under way and remove what it had");
  pull->add_flag("--pause", flags->pause, "let the pull under way rest; pulling again goes on")
      ->excludes(cancel);
}

}  // namespace

void AddLibraryCommands(CLI::App& hearth, Invocation& invocation) {
  const auto gc = std::make_shared<bool>(false);
  AddCommand(hearth, invocation, "library", "the models on the disk of the box, and what comes in",
             [&invocation, gc] { return ShowLibrary(invocation, *gc); })
      ->add_flag("--gc", *gc, "remove what broken-off pulls left");
  AddPull(hearth, invocation);

  const auto import = std::make_shared<ImportFlags>();
  CLI::App* command =
      AddCommand(hearth, invocation, "import", "copies a model's directory into the library",
                 [&invocation, import] { return Import(invocation, *import); });
  command->add_option("PATH", import->path, "a directory on the box, e.g. on a USB disk")
      ->required();
  command->add_option("--name", import->name, "its name in the library; the directory's when absent");
  command->add_flag("!--no-wait", import->wait, "return when it has begun");

  const auto id = std::make_shared<std::string>();
  const auto wait = std::make_shared<bool>(true);
  command = AddCommand(hearth, invocation, "verify",
                       "reads a model's files and compares each with its hash",
                       [&invocation, id, wait] { return Verify(invocation, *id, *wait); });
  command->add_option("ID", *id, "a model of the library")->required();
  command->add_flag("!--no-wait", *wait, "return when it has begun");

  const auto yes = std::make_shared<bool>(false);
  command = AddCommand(hearth, invocation, "rm", "removes a model from the library",
                       [&invocation, id, yes] { return Remove(invocation, *id, *yes); });
  command->add_option("ID", *id, "a model of the library")->required();
  command->add_flag("--yes", *yes, "do not ask");
}

}  // namespace hearth::cli
