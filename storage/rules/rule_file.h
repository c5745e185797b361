// Rule files: Prometheus's YAML of recording and alerting rules, read and checked whole.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "storage/promql/ast.h"
#include "storage/rules/template.h"

namespace hearth::rules {

inline constexpr int64_t kDefaultIntervalMs = 15'000;

struct Rule {
  enum class Kind { kRecord, kAlert };
  Kind kind = Kind::kRecord;
  std::string name;  // of the recorded series, or the alert
  std::shared_ptr<const promql::Expr> expr;
  std::string query;  // canonical text of expr
  int64_t for_ms = 0;
  int64_t keep_firing_for_ms = 0;
  // By name, sorted. A recording rule's labels are plain text and it has no annotations.
  std::vector<std::pair<std::string, Template>> labels;
  std::vector<std::pair<std::string, Template>> annotations;
};

struct RuleGroup {
  std::string file;
  std::string name;
  int64_t interval_ms = kDefaultIntervalMs;
  int64_t limit = 0;  // alerts or series of one rule; 0: any number
  // Expressions look at the time so long before the evaluation's. What they give is recorded at the
  // evaluation's own time, as the history takes nothing into the past (Prometheus records it there).
  int64_t query_offset_ms = 0;
  std::vector<Rule> rules;
};

// `file` names the text in messages and in RuleGroup::file. kInvalidArgument for the first mistake:
// "hearth.rules.yml:12: group 'hearth-box': rule 'HearthDiskFull': for: ...".
Result<std::vector<RuleGroup>> ParseRuleFile(const std::string& file, std::string_view text);

// Reads and parses. kNotFound and others as the system says; kResourceExhausted beyond 4 MiB.
Result<std::vector<RuleGroup>> ReadRuleFile(const std::string& path);

}  // namespace hearth::rules
