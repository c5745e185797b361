#include "firmware/cli/served_models.h"

#include <algorithm>
#include <cmath>

#include "firmware/cli/read_json.h"
#include "firmware/cli/text_table.h"

namespace hearth::cli {
namespace {

bool HasName(const Json& model, const std::string& name) {
  if (TextOf(model, "model_name") == name) return true;
  const Json& aliases = ListOf(model, "aliases");
  return std::find(aliases.begin(), aliases.end(), Json(name)) != aliases.end();
}

double MemoryOfReplica(const Json& replica) {
  const Json& memory = PartOf(replica, "memory");
  if (const auto resident = NumberOf(memory, "resident")) return *resident;
  double sum = 0;
  for (const char* part : {"weights", "kv_cache", "workspace"}) {
    sum += NumberOf(memory, part).value_or(0);
  }
  return sum;
}

std::string ReplicasText(const Json& model) {
  const Json& scaling = PartOf(model, "autoscaling");
  return std::to_string(CountOf(scaling, "current_replicas")) + "/" +
         std::to_string(CountOf(scaling, "target_replicas"));
}

}  // namespace

Result<Json> FindServed(const Json& answer, const std::string& name) {
  std::string names;
  for (const Json& model : ListOf(answer, "models")) {
    if (HasName(model, name)) return model;
    names += (names.empty() ? "'" : ", '") + TextOf(model, "model_name") + "'";
  }
  return NotFound("there is no served model '" + name + "'; this box serves " +
                  (names.empty() ? "none" : names));
}

bool IsWell(const Json& model) {
  const std::string state = TextOf(model, "state");
  return state == "ready" || state == "asleep";
}

double MemoryOf(const Json& model) {
  double sum = 0;
  for (const Json& replica : ListOf(model, "replicas")) sum += MemoryOfReplica(replica);
  return sum;
}

std::string LoadingText(const Json& model) {
  for (const Json& replica : ListOf(model, "replicas")) {
    const std::string state = TextOf(replica, "state");
    if (state != "loading" && state != "restarting") continue;
    const auto percent = std::lround(NumberOf(replica, "progress").value_or(0) * 100);
    const std::string phase = TextOf(replica, "phase");
    return (phase.empty() ? state : phase) + " " + std::to_string(percent) + " %";
  }
  return "";
}

std::string ServedTable(const Json& answer, int64_t now_ms) {
  std::vector<std::vector<std::string>> rows = {
      {"name", "state", "replicas", "ongoing", "waiting", "memory", "last used"}};
  for (const Json& model : ListOf(answer, "models")) {
    const std::string loading = LoadingText(model);
    const double memory = MemoryOf(model);
    rows.push_back({TextOf(model, "model_name"),
                    TextOf(model, "state") + (loading.empty() ? "" : " (" + loading + ")"),
                    ReplicasText(model), std::to_string(CountOf(model, "num_ongoing")),
                    std::to_string(CountOf(model, "num_waiting")),
                    memory > 0 ? SizeText(memory) : "-",
                    AgoText(CountOf(model, "last_used_ms"), now_ms)});
  }
  return TextTable(rows);
}

}  // namespace hearth::cli
