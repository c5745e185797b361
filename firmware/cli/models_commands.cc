// hearth models, load, unload, logs: what is served.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

#include "base/clock.h"
#include "firmware/cli/box_client.h"
#include "firmware/cli/command.h"
#include "firmware/cli/new_lines.h"
#include "firmware/cli/read_json.h"
#include "firmware/cli/served_models.h"
#include "firmware/cli/terminal.h"
#include "firmware/cli/text_table.h"

namespace hearth::cli {
namespace {

constexpr auto kLookEvery = std::chrono::milliseconds(200);
// A model that had failed says so until its replica is made anew.
constexpr double kStaleS = 2;
constexpr int kLogLinesMax = 500;  // hearthd keeps no more of a model

Status ShowModels(const Invocation& invocation) {
  HEARTH_ASSIGN_OR_RETURN(const Json served, BoxClient(invocation).Get("/api/models"));
  if (invocation.json) {
    PrintJson(served);
    return Status::Ok();
  }
  if (ListOf(served, "models").empty()) {
    Print("no model is served; 'hearth config set' or the page's Configuration adds one\n");
    return Status::Ok();
  }
  Print(ServedTable(served, WallMillis()));
  return Status::Ok();
}

enum class Wish { kLoad, kUnload };

// nullopt: not yet.
std::optional<Status> OutcomeOf(const Json& model, Wish wish, double waited_s) {
  const std::string state = TextOf(model, "state");
  const std::string name = TextOf(model, "model_name");
  if (wish == Wish::kUnload) {
    if (state == "asleep" || state == "stopped") return Status::Ok();
    return std::nullopt;
  }
  if (state == "ready") return Status::Ok();
  const bool has_ended = state == "failed" || state == "degraded" || state == "stopped";
  if (!has_ended || waited_s < kStaleS) return std::nullopt;
  return Unavailable("model '" + name + "' is " + state + ": " + TextOf(model, "why") +
                     " ('hearth logs " + name + "' shows what its engine said)");
}

std::string StepText(const Json& model) {
  const std::string loading = LoadingText(model);
  const int64_t ongoing = CountOf(model, "num_ongoing");
  std::string text = "'" + TextOf(model, "model_name") + "' is " + TextOf(model, "state");
  if (!loading.empty()) return text + ": " + loading;
  if (ongoing > 0) text += ", " + std::to_string(ongoing) + " requests are answered";
  return text;
}

Status Follow(const Invocation& invocation, BoxClient& box, const std::string& name, Wish wish) {
  const double begun_s = MonotonicSeconds();
  const Interrupts interrupts;
  ProgressLine progress(/*silent=*/invocation.json);
  while (true) {
    HEARTH_ASSIGN_OR_RETURN(const Json served, box.Get("/api/models"));
    HEARTH_ASSIGN_OR_RETURN(const Json model, FindServed(served, name));
    const auto outcome = OutcomeOf(model, wish, MonotonicSeconds() - begun_s);
    if (outcome) {
      progress.Clear();
      if (!outcome->ok()) return *outcome;
      if (invocation.json) {
        PrintJson(model);
      } else {
        Print("'" + TextOf(model, "model_name") + "' is " + TextOf(model, "state") + " after " +
              DurationText(MonotonicSeconds() - begun_s) + "\n");
      }
      return Status::Ok();
    }
    if (interrupts.happened()) {
      progress.Clear();
      return Aborted("nobody waits any more; the box goes on, 'hearth models' shows how far it is");
    }
    progress.Show(TextOf(model, "state") + LoadingText(model), StepText(model));
    std::this_thread::sleep_for(kLookEvery);
  }
}

Status Change(const Invocation& invocation, const std::string& name, Wish wish, bool wait) {
  BoxClient box(invocation);
  HEARTH_ASSIGN_OR_RETURN(const Json served, box.Get("/api/models"));
  HEARTH_ASSIGN_OR_RETURN(const Json model, FindServed(served, name));  // an alias will do
  const std::string own_name = TextOf(model, "model_name");
  const std::string verb = wish == Wish::kLoad ? "load" : "unload";
  HEARTH_ASSIGN_OR_RETURN(
      const Json accepted,
      box.Post("/api/models/" + PathSegment(own_name) + "/" + verb, Json::object()));
  if (wait) return Follow(invocation, box, own_name, wish);
  if (invocation.json) {
    PrintJson(accepted);
  } else {
    Print("'" + own_name + "' " + verb + "s; 'hearth models' shows how far it is\n");
  }
  return Status::Ok();
}

struct LogFlags {
  std::string name;
  int lines = 100;
  bool follow = false;
};

std::vector<std::string> NamesOf(const Json& served) {
  std::vector<std::string> names;
  for (const Json& model : ListOf(served, "models")) names.push_back(TextOf(model, "model_name"));
  return names;
}

// One line is {"time_ms", "replica", "text"}; of several models each says which is its own.
void PrintLine(const Invocation& invocation, const Json& line, const std::string& prefix) {
  if (invocation.json) {
    Json told = line;
    told["model_name"] = prefix;
    return PrintJson(told);
  }
  std::string text = TextOf(line, "text");
  if (IsTerminal(STDOUT_FILENO)) text = Harmless(text);
  Print(UtcText(CountOf(line, "time_ms")) + " " + prefix + "#" +
        std::to_string(CountOf(line, "replica")) + " " + text + "\n");
}

struct ModelLine {
  std::string model;
  Json line;
};

// What the logs of `models` hold beyond `seen`, which grows, the oldest first.
Result<std::vector<ModelLine>> NewLines(BoxClient& box, const std::vector<std::string>& models,
                                        std::map<std::string, Json>& seen) {
  std::vector<ModelLine> lines;
  for (const std::string& model : models) {
    HEARTH_ASSIGN_OR_RETURN(const Json log,
                            box.Get("/api/models/" + PathSegment(model) +
                                    "/log?lines=" + std::to_string(kLogLinesMax)));
    Json now = ListOf(log, "lines");
    for (size_t i = SeenLines(seen[model], now); i < now.size(); ++i) {
      lines.push_back({model, now[i]});
    }
    seen[model] = std::move(now);
  }
  std::stable_sort(lines.begin(), lines.end(), [](const ModelLine& a, const ModelLine& b) {
    return CountOf(a.line, "time_ms") < CountOf(b.line, "time_ms");
  });
  return lines;
}

Status ShowLogs(const Invocation& invocation, const LogFlags& flags) {
  BoxClient box(invocation);
  HEARTH_ASSIGN_OR_RETURN(const Json served, box.Get("/api/models"));
  std::vector<std::string> models = NamesOf(served);
  if (!flags.name.empty()) {
    HEARTH_ASSIGN_OR_RETURN(const Json model, FindServed(served, flags.name));
    models = {TextOf(model, "model_name")};
  }
  std::map<std::string, Json> seen;
  HEARTH_ASSIGN_OR_RETURN(std::vector<ModelLine> lines, NewLines(box, models, seen));
  const auto wanted = static_cast<size_t>(flags.lines);
  if (lines.size() > wanted) {
    lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(wanted));
  }
  const Interrupts interrupts;
  while (true) {
    for (const ModelLine& line : lines) PrintLine(invocation, line.line, line.model);
    if (std::fflush(stdout) != 0 || !flags.follow) return Status::Ok();  // the reader may be gone
    std::this_thread::sleep_for(kLookEvery);
    if (interrupts.happened()) return Status::Ok();
    HEARTH_ASSIGN_OR_RETURN(lines, NewLines(box, models, seen));
  }
}

void AddChange(CLI::App& hearth, Invocation& invocation, const char* verb, Wish wish,
               const char* help) {
  const auto name = std::make_shared<std::string>();
  const auto wait = std::make_shared<bool>(true);
  CLI::App* const command =
      AddCommand(hearth, invocation, verb, help, [&invocation, name, wait, wish] {
        return Change(invocation, *name, wish, *wait);
      });
  command->add_option("NAME", *name, "a served model, or one of its aliases")->required();
  command->add_flag("!--no-wait", *wait, "return when it has begun");
}

}  // namespace

void AddModelsCommands(CLI::App& hearth, Invocation& invocation) {
  AddCommand(hearth, invocation, "models", "the models that are served",
             [&invocation] { return ShowModels(invocation); });
  AddChange(hearth, invocation, "load", Wish::kLoad,
            "starts or wakes a model now, and tries a failed one again");
  AddChange(hearth, invocation, "unload", Wish::kUnload,
            "lets a model finish and sleep, which frees its memory, until a request wakes it");
  const auto flags = std::make_shared<LogFlags>();
  CLI::App* const logs = AddCommand(hearth, invocation, "logs", "what the engines said",
                                    [&invocation, flags] { return ShowLogs(invocation, *flags); });
  logs->add_option("NAME", flags->name, "a served model; all of them when absent");
  logs->add_flag("-f,--follow", flags->follow, "wait for more until Ctrl-C");
  logs->add_option("-n,--lines", flags->lines, "the last so many lines")
      ->check(CLI::Range(0, kLogLinesMax))
      ->capture_default_str();
}

}  // namespace hearth::cli
