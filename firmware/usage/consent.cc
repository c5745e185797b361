#include "firmware/usage/consent.h"

namespace hearth::usage {

std::string OptOutIn(const std::function<const char*(const char*)>& get) {
  const auto text = [&](const char* name) {
    const char* const value = get(name);
    return std::string(value == nullptr ? "" : value);
  };
  for (const char* const name : {"HEARTH_USAGE_STATS_ENABLED", "RAY_USAGE_STATS_ENABLED"}) {
    const std::string value = text(name);
    if (value == "0" || value == "false") return name + ("=" + value);
  }
  const std::string do_not_track = text("DO_NOT_TRACK");
  if (do_not_track.empty() || do_not_track == "0" || do_not_track == "false") return "";
  return "DO_NOT_TRACK=" + do_not_track;
}

Consent Decide(const ConsentSources& sources, std::optional<bool> answer) {
  if (!sources.opt_out.empty()) {
    return {false, "environment", sources.opt_out,
            sources.opt_out + " in the environment of hearthd", false};
  }
  const auto of_setting = [&] {
    const std::string& where = sources.configured_where;
    return Consent{sources.configured, "setting", where,
                   "the setting usage_stats.enabled" + (where.empty() ? "" : " of " + where),
                   sources.configured == true};
  };
  if (sources.configured == false) return of_setting();
  if (answer) return {answer, "answer", "", "an answer on the usage page", true};
  if (sources.configured) return of_setting();
  return {};
}

}  // namespace hearth::usage
