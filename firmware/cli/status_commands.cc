// hearth status: the box at a glance.
#include "base/clock.h"
#include "firmware/cli/box_client.h"
#include "firmware/cli/command.h"
#include "firmware/cli/read_json.h"
#include "firmware/cli/served_models.h"
#include "firmware/cli/terminal.h"
#include "firmware/cli/text_table.h"

namespace hearth::cli {
namespace {

Json FiringOf(const Json& answer) {
  Json firing = Json::array();
  for (const Json& alert : ListOf(PartOf(answer, "data"), "alerts")) {
    if (TextOf(alert, "state") == "firing") firing.push_back(alert);
  }
  return firing;
}

int64_t SumOver(const Json& models, const char* key) {
  int64_t sum = 0;
  for (const Json& model : models) sum += CountOf(model, key);
  return sum;
}

// One document of what several parts of the API say.
Result<Json> Look(BoxClient& box) {
  HEARTH_ASSIGN_OR_RETURN(const Json status, box.Get("/api/status"));
  HEARTH_ASSIGN_OR_RETURN(const Json served, box.Get("/api/models"));
  HEARTH_ASSIGN_OR_RETURN(const Json library, box.Get("/api/library"));
  HEARTH_ASSIGN_OR_RETURN(const Json alerts, box.Get("/api/v1/alerts"));
  const Json& models = ListOf(served, "models");
  Json disk = PartOf(library, "disk");
  if (disk.is_object()) disk["models_directory"] = TextOf(library, "models_directory");
  return Json{{"url", box.url()},
              {"version", TextOf(status, "version")},
              {"uptime_s", NumberOf(status, "uptime_s").value_or(0)},
              {"recovery", PartOf(status, "recovery")},
              {"device", PartOf(status, "device")},
              {"models", models},
              {"requests",
               {{"ongoing", SumOver(models, "num_ongoing")},
                {"waiting", SumOver(models, "num_waiting")}}},
              {"memory", PartOf(served, "memory")},
              {"disk", std::move(disk)},
              {"alerts", FiringOf(alerts)}};
}

// What does not serve, in one sentence; Ok when everything does.
Status Verdict(const Json& look) {
  std::string reasons;
  if (const std::string recovery = TextOf(look, "recovery"); !recovery.empty()) {
    reasons = "recovery mode: " + recovery;
  }
  for (const Json& model : ListOf(look, "models")) {
    if (IsWell(model)) continue;
    const std::string why = TextOf(model, "why");
    reasons += (reasons.empty() ? "" : "; ") + ("model '" + TextOf(model, "model_name")) + "' is " +
               TextOf(model, "state") + (why.empty() ? "" : ": " + why);
  }
  return reasons.empty() ? Status::Ok() : Unavailable(reasons);
}

std::string MemoryText(const Json& memory) {
  if (!memory.is_object()) return "-";
  std::string text = SizeText(NumberOf(memory, "models_bytes").value_or(0)) + " of models, " +
                     SizeText(NumberOf(memory, "free_bytes").value_or(0)) + " free of " +
                     SizeText(NumberOf(memory, "total_bytes").value_or(0));
  const double limit = NumberOf(memory, "limit_bytes").value_or(0);
  return limit > 0 ? text + ", models may take " + SizeText(limit) : text;
}

std::string DiskText(const Json& disk) {
  if (!disk.is_object()) return "-";
  return SizeText(NumberOf(disk, "free_bytes").value_or(0)) + " free of " +
         SizeText(NumberOf(disk, "total_bytes").value_or(0)) + " where models lie (" +
         TextOf(disk, "models_directory") + "); pulls leave " +
         SizeText(NumberOf(disk, "reserve_bytes").value_or(0));
}

std::string AlertsText(const Json& alerts) {
  if (alerts.empty()) return "none fires";
  std::string text;
  for (const Json& alert : alerts) {
    const Json& labels = PartOf(alert, "labels");
    const std::string summary = TextOf(PartOf(alert, "annotations"), "summary");
    text += (text.empty() ? "" : "\n           ") + TextOf(labels, "alertname") + " (" +
            TextOf(labels, "severity") + ")" + (summary.empty() ? "" : ": " + summary);
  }
  return text;
}

void PrintLook(const Json& look) {
  const Json& device = PartOf(look, "device");
  const Json& requests = PartOf(look, "requests");
  Print("hearthd " + TextOf(look, "version") + " at " + TextOf(look, "url") + ", up for " +
        DurationText(NumberOf(look, "uptime_s").value_or(0)) + "\n");
  Print("device     " + TextOf(device, "kind") + ", " + TextOf(device, "name") + "\n");
  Print("memory     " + MemoryText(PartOf(look, "memory")) + "\n");
  Print("disk       " + DiskText(PartOf(look, "disk")) + "\n");
  Print("requests   " + std::to_string(CountOf(requests, "ongoing")) + " ongoing, " +
        std::to_string(CountOf(requests, "waiting")) + " waiting\n");
  Print("alerts     " + AlertsText(ListOf(look, "alerts")) + "\n");
  if (ListOf(look, "models").empty()) return Print("models     none\n");
  Print("\n" + ServedTable(look, WallMillis()));
}

Status ShowStatus(const Invocation& invocation) {
  BoxClient box(invocation);
  HEARTH_ASSIGN_OR_RETURN(const Json look, Look(box));
  if (invocation.json) {
    PrintJson(look);
  } else {
    PrintLook(look);
  }
  return Verdict(look);
}

}  // namespace

void AddStatusCommands(CLI::App& hearth, Invocation& invocation) {
  AddCommand(hearth, invocation, "status",
             "the box at a glance; exit status 4 when something does not serve",
             [&invocation] { return ShowStatus(invocation); });
}

}  // namespace hearth::cli
