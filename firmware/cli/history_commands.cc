// hearth history: size, tiers, check, backup, restore, export.
#include <memory>

#include "firmware/cli/command.h"
#include "firmware/cli/history_export.h"
#include "firmware/cli/history_place.h"
#include "firmware/cli/terminal.h"
#include "firmware/cli/text_table.h"
#include "storage/backup.h"

namespace hearth::cli {

namespace {

std::string TimeCell(const Json& time_ms) {
  return time_ms.is_number() ? UtcText(time_ms.get<int64_t>()) : "-";
}

double NumberOf(const Json& stats, const char* key) {
  return stats.contains(key) && stats[key].is_number() ? stats[key].get<double>() : 0;
}

std::string SizeRows(const Json& stats) {
  return TextTable({{"file", stats.value("path", "")},
                    {"size", SizeText(NumberOf(stats, "bytes"))},
                    {"limit", SizeText(NumberOf(stats, "bytes_max"))},
                    {"free on the disk", SizeText(NumberOf(stats, "bytes_free"))},
                    {"series", std::to_string(stats.value("series", int64_t{0}))}});
}

std::string TierRows(const Json& stats) {
  std::vector<std::vector<std::string>> rows = {
      {"tier", "step", "keep", "rows", "bytes", "oldest", "newest"}};
  int64_t frames = 0;
  double bytes = 0;
  for (const Json& tier : stats["tiers"]) {
    frames += tier.value("rows", int64_t{0});
    bytes += NumberOf(tier, "bytes");
    rows.push_back({tier.value("name", ""), SpanText(tier.value("step_s", int64_t{0})),
                    SpanText(tier.value("keep_s", int64_t{0})),
                    std::to_string(tier.value("rows", int64_t{0})),
                    SizeText(NumberOf(tier, "bytes")), TimeCell(tier["oldest_ms"]),
                    TimeCell(tier["newest_ms"])});
  }
  rows.push_back({"total", "", "", std::to_string(frames), SizeText(bytes)});
  return TextTable(rows);
}

Status ShowStats(const Invocation& invocation, bool tiers) {
  HEARTH_ASSIGN_OR_RETURN(const HistoryPlace place, HistoryPlace::Find(invocation));
  HEARTH_ASSIGN_OR_RETURN(const Json stats, place.Stats());
  if (!stats.is_object() || !stats.contains("tiers") || !stats["tiers"].is_array()) {
    return DataLoss("what answered is no history of Hearth: " + DumpJson(stats).substr(0, 200));
  }
  if (invocation.json) {
    Print(DumpJson(stats) + "\n");
    return Status::Ok();
  }
  if (tiers) Print(TierRows(stats));
  Print(SizeRows(stats));
  return Status::Ok();
}

// The file's pages first, then everything in it: each frame and chunk has a checksum of its own.
Status Check(const Invocation& invocation) {
  HEARTH_ASSIGN_OR_RETURN(const HistoryPlace place, HistoryPlace::Find(invocation));
  if (place.is_file()) {
    HEARTH_RETURN_IF_ERROR(storage::CheckHistoryCopy(place.path(), storage::Tail::kForever));
  }
  HEARTH_ASSIGN_OR_RETURN(const auto copy, place.Copy());
  HEARTH_ASSIGN_OR_RETURN(const int64_t samples, CountSamples(copy->history()));
  const storage::HistoryStats stats = copy->history().stats();
  if (invocation.json) {
    Print(DumpJson(Json{{"status", stats.frames_broken == 0 ? "ok" : "damaged"},
                        {"series", stats.series},
                        {"samples", samples},
                        {"frames_broken", stats.frames_broken}}) +
          "\n");
  }
  if (stats.frames_broken > 0) {
    return DataLoss(std::to_string(stats.frames_broken) +
                    " frames do not decode; they are read as gaps");
  }
  if (!invocation.json) {
    Print("ok: " + std::to_string(samples) + " samples of " + std::to_string(stats.series) +
          " series\n");
  }
  return Status::Ok();
}

Status Backup(const Invocation& invocation, const std::string& file) {
  HEARTH_ASSIGN_OR_RETURN(const HistoryPlace place, HistoryPlace::Find(invocation));
  HEARTH_RETURN_IF_ERROR(place.CopyTo(file));
  Print("the history is in " + file + "\n");
  return Status::Ok();
}

Status Restore(const Invocation& invocation, const std::string& file) {
  HEARTH_ASSIGN_OR_RETURN(const HistoryPlace place, HistoryPlace::Find(invocation));
  HEARTH_ASSIGN_OR_RETURN(const std::string what, place.Restore(file));
  Print(what + "\n");
  return Status::Ok();
}

Status Export(const Invocation& invocation, const ExportOptions& options) {
  HEARTH_ASSIGN_OR_RETURN(const HistoryPlace place, HistoryPlace::Find(invocation));
  HEARTH_ASSIGN_OR_RETURN(const auto copy, place.Copy());
  return ExportHistory(copy->history(), options);
}

void AddExport(CLI::App& history, Invocation& invocation) {
  const auto options = std::make_shared<ExportOptions>();
  CLI::App* const command =
      AddCommand(history, invocation, "export", "write samples as text",
                 [&invocation, options] { return Export(invocation, *options); });
  command->add_option("--format", options->format, "csv or openmetrics")
      ->check(CLI::IsMember({"csv", "openmetrics"}))
      ->capture_default_str();
  command->add_option("--match", options->selectors,
                      "series selector as in PromQL, e.g. 'vllm:num_requests_running' or "
                      "'{model_name=\"demo\"}'; may be repeated; everything when absent");
  command->add_option("--start", options->start,
                      "Unix seconds, 2026-01-31T23:59:59Z, or a time before now such as 6h; the "
                      "oldest sample when absent");
  command->add_option("--end", options->end, "likewise; now when absent");
  command->add_option("--step", options->step, "one sample for each such step, e.g. 1m");
  command->add_option("-o,--output", options->output, "file to write; standard output when absent");
}

}  // namespace

void AddHistoryCommands(CLI::App& hearth, Invocation& invocation) {
  CLI::App* const history = hearth.add_subcommand("history", "the metric history of the box");
  history->require_subcommand(1);
  AddCommand(*history, invocation, "size", "what the history takes and may take",
             [&invocation] { return ShowStats(invocation, /*tiers=*/false); });
  AddCommand(*history, invocation, "tiers", "its tiers: step, age, size",
             [&invocation] { return ShowStats(invocation, /*tiers=*/true); });
  AddCommand(*history, invocation, "check", "reads all of it and says whether it is whole",
             [&invocation] { return Check(invocation); });
  const auto target = std::make_shared<std::string>();
  AddCommand(*history, invocation, "backup", "copies it into a new file",
             [&invocation, target] { return Backup(invocation, *target); })
      ->add_option("FILE", *target, "the file to make")
      ->required();
  const auto source = std::make_shared<std::string>();
  AddCommand(*history, invocation, "restore",
             "hands a backup in, which hearthd takes when it starts the next time",
             [&invocation, source] { return Restore(invocation, *source); })
      ->add_option("FILE", *source, "the backup")
      ->required();
  AddExport(*history, invocation);
}

}  // namespace hearth::cli
