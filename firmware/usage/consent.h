// Whether usage data may be recorded and sent. A no wins, wherever it is said: in the environment, in
// the configuration of the box, on the usage page. Without a yes from somewhere nothing happens.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace hearth::usage {

struct Consent {
  std::optional<bool> enabled = {};  // nullopt: nobody has answered
  std::string decider = {};          // environment | setting | answer; empty: nobody
  std::string place = {};            // "DO_NOT_TRACK=1", "/etc/hearth/hearth.yaml:12"; of no answer
  std::string decided_by = {};       // both in words
  bool can_change = true;            // by an answer on the page
};

struct ConsentSources {
  std::string opt_out = {};             // "DO_NOT_TRACK=1": what in the environment forbids it
  std::optional<bool> configured = {};  // usage_stats.enabled of the box
  std::string configured_where = {};    // file:line, variable or flag
};

// What in the environment forbids it: HEARTH_USAGE_STATS_ENABLED=0, RAY_USAGE_STATS_ENABLED=0, or any
// DO_NOT_TRACK that is not 0 or false. Empty: nothing does. get: as getenv.
std::string OptOutIn(const std::function<const char*(const char*)>& get);

// answer: what somebody last said on the page.
Consent Decide(const ConsentSources& sources, std::optional<bool> answer);

}  // namespace hearth::usage
