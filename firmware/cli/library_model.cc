#include "firmware/cli/library_model.h"

#include <algorithm>
#include <cmath>

#include "firmware/cli/model_directory.h"
#include "firmware/cli/read_json.h"
#include "firmware/cli/text_table.h"

namespace hearth::cli {
namespace {

constexpr size_t kBarMax = 30;
constexpr size_t kBarMin = 8;

std::string Joined(const Json& list) {
  std::string text;
  for (const Json& item : list) {
    if (item.is_string()) text += (text.empty() ? "" : ", ") + item.get<std::string>();
  }
  return text;
}

double ShareOf(const Json& job) {
  const double total = NumberOf(job, "bytes_total").value_or(0);
  if (total <= 0) return 0;
  return std::clamp(NumberOf(job, "bytes_done").value_or(0) / total, 0.0, 1.0);
}

std::string BytesText(const Json& job) {
  return SizeText(NumberOf(job, "bytes_done").value_or(0)) + " of " +
         SizeText(NumberOf(job, "bytes_total").value_or(0));
}

std::string BarText(double share, size_t width) {
  const auto full = static_cast<size_t>(std::lround(share * static_cast<double>(width)));
  return "[" + std::string(full, '#') + std::string(width - full, '.') + "] ";
}

std::string PercentText(double share) {
  const std::string number = std::to_string(static_cast<int>(share * 100));  // 100 only when all
  return std::string(number.size() < 3 ? 3 - number.size() : 0, ' ') + number + " %";
}

}  // namespace

Result<Json> FindInLibrary(const Json& answer, const std::string& id) {
  std::string ids;
  for (const Json& model : ListOf(answer, "models")) {
    if (TextOf(model, "id") == id) return model;
    ids += (ids.empty() ? "'" : ", '") + TextOf(model, "id") + "'";
  }
  return NotFound("there is no '" + id + "' in the library; it holds " +
                  (ids.empty() ? "nothing" : ids));
}

bool HasEnded(const Json& job) {
  const std::string state = TextOf(job, "state");
  return state == "done" || state == "failed" || state == "cancelled";
}

std::string JobLine(const Json& job, size_t columns) {
  const std::string state = TextOf(job, "state");
  const std::string model = TextOf(job, "model");
  if (const auto retry_s = NumberOf(job, "retry_in_s")) {
    return model + ": " + TextOf(job, "error") + "; tried again in " + DurationText(*retry_s);
  }
  if (NumberOf(job, "bytes_total").value_or(0) <= 0) return model + ": " + state;
  const double share = ShareOf(job);
  std::string text = PercentText(share) + "  " + BytesText(job);
  if (!HasEnded(job) && state != "running") text += "  " + state;
  if (const double rate = NumberOf(job, "rate_bytes_s").value_or(0); rate > 0) {
    text += "  " + SizeText(rate) + "/s";
  }
  if (const auto left_s = NumberOf(job, "eta_s")) {
    text += "  " + DurationText(std::ceil(*left_s)) + " left";
  }
  const size_t taken = text.size() + 3;  // the bar's brackets and a space
  if (taken + kBarMin > columns) return text;
  return BarText(share, std::min(kBarMax, columns - taken)) + text;
}

Status OutcomeOfJob(const Json& job) {
  const std::string state = TextOf(job, "state");
  const std::string what = TextOf(job, "kind") + " of '" + TextOf(job, "model") + "'";
  if (state == "done") return Status::Ok();
  if (state == "cancelled") return Aborted("the " + what + " was cancelled");
  const std::string error = TextOf(job, "error");
  return FailedPrecondition("the " + what + " failed" + (error.empty() ? "" : ": " + error));
}

std::string LibraryTables(const Json& answer, int64_t now_ms) {
  std::string text;
  const Json& models = ListOf(answer, "models");
  if (models.empty()) {
    text += "the library in " + TextOf(answer, "models_directory") +
            " is empty; 'hearth pull ORG/NAME' and 'hearth import PATH' fill it\n";
  } else {
    std::vector<std::vector<std::string>> rows = {
        {"id", "state", "size", "dtype", "revision", "from", "verified", "served as"}};
    for (const Json& model : models) {
      const std::string served = Joined(ListOf(model, "served_as"));
      rows.push_back({TextOf(model, "id"), TextOf(model, "state"),
                      SizeText(NumberOf(model, "bytes").value_or(0)), TextOf(model, "dtype"),
                      TextOf(model, "revision").substr(0, 12), TextOf(model, "source"),
                      AgoText(CountOf(model, "verified_ms"), now_ms),
                      served.empty() ? "-" : served});
    }
    text += TextTable(rows);
  }
  std::vector<std::vector<std::string>> jobs = {{"job", "kind", "model", "state", "how far"}};
  for (const Json& job : ListOf(answer, "jobs")) {
    const Json& id = PartOf(job, "id");
    jobs.push_back({id.is_string() ? id.get<std::string>() : DumpJson(id), TextOf(job, "kind"),
                    TextOf(job, "model"), TextOf(job, "state"),
                    TextOf(job, "state") == "failed" ? TextOf(job, "error") : JobLine(job, 0)});
  }
  if (jobs.size() > 1) text += "\n" + TextTable(jobs);
  const Json& disk = PartOf(answer, "disk");
  text += "\n" + SizeText(NumberOf(disk, "free_bytes").value_or(0)) + " free of " +
          SizeText(NumberOf(disk, "total_bytes").value_or(0)) + " on the disk of " +
          TextOf(answer, "models_directory") + ", the last " +
          SizeText(NumberOf(disk, "reserve_bytes").value_or(0)) + " are left free\n";
  if (const double garbage = NumberOf(answer, "garbage_bytes").value_or(0); garbage > 0) {
    text += SizeText(garbage) +
            " are left of pulls that were broken off; 'hearth library --gc' removes them\n";
  }
  if (const std::string problem = TextOf(answer, "problem"); !problem.empty()) {
    text += "trouble: " + problem + "\n";
  }
  if (TruthOf(answer, "offline")) text += "offline: nothing is pulled\n";
  return text;
}

std::string DescribeLibraryModel(const Json& model, int64_t now_ms) {
  const std::string problem = TextOf(model, "problem");
  const std::string served = Joined(ListOf(model, "served_as"));
  const auto parameters = NumberOf(model, "num_parameters");
  std::vector<std::vector<std::string>> rows = {
      {"id", TextOf(model, "id")},
      {"state", TextOf(model, "state") + (problem.empty() ? "" : ": " + problem)},
      {"revision", TextOf(model, "revision")},
      {"from", TextOf(model, "source")},
      {"path", TextOf(model, "path")},
      {"size", SizeText(NumberOf(model, "bytes").value_or(0)) + " in " +
                   std::to_string(CountOf(model, "num_files")) + " files"},
      {"content hash", TextOf(model, "content_hash")},
      {"added", AgoText(CountOf(model, "added_ms"), now_ms)},
      {"verified", AgoText(CountOf(model, "verified_ms"), now_ms)},
      {"architecture", TextOf(model, "architecture")},
      {"dtype", TextOf(model, "dtype")},
      {"parameters",
       parameters ? ParametersText(static_cast<int64_t>(*parameters)) : "not known"},
      {"served as", served}};
  std::string text;
  for (auto& row : rows) {
    if (row[1].empty()) row[1] = "-";
    text += row[0] + std::string(14 - row[0].size(), ' ') + row[1] + "\n";
  }
  return text;
}

}  // namespace hearth::cli
