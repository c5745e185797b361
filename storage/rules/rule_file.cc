#include "storage/rules/rule_file.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>

#include "storage/promql/lexer.h"
#include "storage/promql/parser.h"

namespace hearth::rules {

namespace {

constexpr size_t kFileBytesMax = size_t{4} << 20;

// Where a message points to: file, group and rule while they are being read.
struct Place {
  std::string file;
  std::string group;
  std::string rule;

  Status Wrong(const YAML::Mark& mark, const std::string& what) const {
    std::string text = file;
    if (mark.line >= 0) text += ":" + std::to_string(mark.line + 1);
    if (!group.empty()) text += ": group '" + group + "'";
    if (!rule.empty()) text += ": rule '" + rule + "'";
    return InvalidArgument(text + ": " + what);
  }
};

bool IsName(const std::string& text, bool colons) {
  const auto is_first = [colons](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colons && c == ':');
  };
  if (text.empty() || !is_first(text[0])) return false;
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return is_first(c) || (c >= '0' && c <= '9'); });
}

Result<std::string> Text(const Place& place, const std::string& field, const YAML::Node& node) {
  if (!node.IsScalar()) return place.Wrong(node.Mark(), field + ": a text is needed");
  return node.Scalar();
}

Result<int64_t> Duration(const Place& place, const std::string& field, const YAML::Node& node) {
  HEARTH_ASSIGN_OR_RETURN(const std::string text, Text(place, field, node));
  const Result<int64_t> duration = text == "0" ? int64_t{0} : promql::ParseDurationMs(text);
  if (!duration.ok() || *duration < 0) {
    return place.Wrong(node.Mark(), field + ": " + promql::Quote(text) +
                                        " is no duration; write it as 5m or 1h30m");
  }
  return duration;
}

// Calls read(field, value) for every field of a mapping; a field written twice is a mistake.
Status ForEachField(const Place& place, const YAML::Node& node, const std::string& what,
                    const std::function<Status(const std::string&, const YAML::Node&)>& read) {
  if (!node.IsMap()) return place.Wrong(node.Mark(), what + ": fields of the form 'name: value' are needed");
  std::set<std::string> seen;
  for (const auto& pair : node) {
    HEARTH_ASSIGN_OR_RETURN(const std::string field, Text(place, what, pair.first));
    if (!seen.insert(field).second) {
      return place.Wrong(pair.first.Mark(), field + ": the field is there twice");
    }
    HEARTH_RETURN_IF_ERROR(read(field, pair.second));
  }
  return Status::Ok();
}

Status UnknownField(const Place& place, const std::string& field, const YAML::Node& node,
                    const std::string& known) {
  return place.Wrong(node.Mark(), field + ": there is no such field; there are " + known);
}

Status ReadTemplates(const Place& place, const std::string& field, const YAML::Node& node,
                     std::vector<std::pair<std::string, Template>>& templates) {
  HEARTH_RETURN_IF_ERROR(ForEachField(
      place, node, field, [&](const std::string& name, const YAML::Node& value) -> Status {
        const std::string path = field + "." + name;
        if (!IsName(name, false) || name == "__name__") {
          return place.Wrong(value.Mark(), path + ": this cannot be the name of a label");
        }
        HEARTH_ASSIGN_OR_RETURN(const std::string text, Text(place, path, value));
        Result<Template> parsed = Template::Parse(text);
        if (!parsed.ok()) {
          return place.Wrong(value.Mark(), path + ": " + parsed.status().message());
        }
        templates.emplace_back(name, *std::move(parsed));
        return Status::Ok();
      }));
  std::sort(templates.begin(), templates.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  return Status::Ok();
}

// Group labels are those of each of its rules that does not set them itself.
using Templates = std::vector<std::pair<std::string, Template>>;

class RuleReader {
 public:
  explicit RuleReader(Place place) : place_(std::move(place)) {}

  Result<Rule> Read(const YAML::Node& node) {
    HEARTH_RETURN_IF_ERROR(NameIt(node));
    HEARTH_RETURN_IF_ERROR(ForEachField(
        place_, node, "rule", [this](const std::string& field, const YAML::Node& value) {
          return ReadField(field, value);
        }));
    if (!rule_.expr) return place_.Wrong(node.Mark(), "expr: the field is missing");
    return std::move(rule_);
  }

 private:
  // First of all, so that every other message can say which rule it is about.
  Status NameIt(const YAML::Node& node) {
    if (!node.IsMap()) return place_.Wrong(node.Mark(), "rule: fields are needed");
    const YAML::Node record = node["record"];
    const YAML::Node alert = node["alert"];
    if (record.IsDefined() == alert.IsDefined()) {
      return place_.Wrong(node.Mark(), "record, alert: a rule has exactly one of the two");
    }
    const std::string field = record.IsDefined() ? "record" : "alert";
    const YAML::Node named = record.IsDefined() ? record : alert;
    rule_.kind = record.IsDefined() ? Rule::Kind::kRecord : Rule::Kind::kAlert;
    HEARTH_ASSIGN_OR_RETURN(rule_.name, Text(place_, field, named));
    if (rule_.name.empty()) return place_.Wrong(named.Mark(), field + ": the name is empty");
    place_.rule = rule_.name;
    if (rule_.kind == Rule::Kind::kRecord && !IsName(rule_.name, true)) {
      return place_.Wrong(named.Mark(), "record: " + promql::Quote(rule_.name) +
                                            " cannot be the name of a metric");
    }
    return Status::Ok();
  }

  Status ReadField(const std::string& field, const YAML::Node& value) {
    if (field == "record" || field == "alert") return Status::Ok();
    if (field == "expr") return ReadExpr(value);
    if (field == "labels") return ReadLabels(value);
    const bool is_alerts = field == "for" || field == "keep_firing_for" || field == "annotations";
    if (!is_alerts) {
      return UnknownField(place_, field, value,
                          "record, alert, expr, for, keep_firing_for, labels, annotations");
    }
    if (rule_.kind == Rule::Kind::kRecord) {
      return place_.Wrong(value.Mark(), field + ": a recording rule has no such field");
    }
    if (field == "annotations") {
      return ReadTemplates(place_, field, value, rule_.annotations);
    }
    HEARTH_ASSIGN_OR_RETURN((field == "for" ? rule_.for_ms : rule_.keep_firing_for_ms),
                            Duration(place_, field, value));
    return Status::Ok();
  }

  Status ReadExpr(const YAML::Node& value) {
    HEARTH_ASSIGN_OR_RETURN(const std::string text, Text(place_, "expr", value));
    Result<promql::ExprPtr> expr = promql::Parse(text);
    if (!expr.ok()) return place_.Wrong(value.Mark(), "expr: " + expr.status().message());
    const promql::ValueType type = (*expr)->type();
    if (type != promql::ValueType::kVector && type != promql::ValueType::kScalar) {
      return place_.Wrong(value.Mark(), "expr: it gives a " +
                                            std::string(promql::DocumentedName(type)) +
                                            ", a rule needs an instant vector or a scalar");
    }
    rule_.query = promql::ToString(**expr);
    rule_.expr = *std::move(expr);
    return Status::Ok();
  }

  Status ReadLabels(const YAML::Node& value) {
    HEARTH_RETURN_IF_ERROR(ReadTemplates(place_, "labels", value, rule_.labels));
    for (const auto& label : rule_.labels) {
      if (rule_.kind == Rule::Kind::kAlert && label.first == "alertname") {
        return place_.Wrong(value.Mark(), "labels.alertname: it is the name of the alert");
      }
    }
    return Status::Ok();
  }

  Place place_;
  Rule rule_;
};

class GroupReader {
 public:
  explicit GroupReader(const std::string& file) : place_{file, "", ""} {
    group_.file = file;
  }

  Result<RuleGroup> Read(const YAML::Node& node) {
    if (!node.IsMap()) return place_.Wrong(node.Mark(), "groups: each has the fields name and rules");
    const YAML::Node name = node["name"];
    if (!name.IsDefined()) return place_.Wrong(node.Mark(), "name: the group has none");
    HEARTH_ASSIGN_OR_RETURN(group_.name, Text(place_, "name", name));
    if (group_.name.empty()) return place_.Wrong(name.Mark(), "name: the group's name is empty");
    place_.group = group_.name;
    HEARTH_RETURN_IF_ERROR(ForEachField(
        place_, node, "group", [this](const std::string& field, const YAML::Node& value) {
          return ReadField(field, value);
        }));
    for (Rule& rule : group_.rules) AddGroupLabels(rule);
    return std::move(group_);
  }

 private:
  Status ReadField(const std::string& field, const YAML::Node& value) {
    if (field == "name") return Status::Ok();
    if (field == "labels") return ReadTemplates(place_, field, value, labels_);
    if (field == "rules") return ReadRules(value);
    if (field == "limit") return ReadLimit(value);
    if (field == "query_offset") {
      HEARTH_ASSIGN_OR_RETURN(group_.query_offset_ms, Duration(place_, field, value));
      return Status::Ok();
    }
    if (field != "interval") {
      return UnknownField(place_, field, value,
                          "name, interval, limit, query_offset, labels, rules");
    }
    HEARTH_ASSIGN_OR_RETURN(group_.interval_ms, Duration(place_, field, value));
    if (group_.interval_ms < 1000) {
      return place_.Wrong(value.Mark(), "interval: it is below 1s, the rhythm of the history");
    }
    return Status::Ok();
  }

  Status ReadLimit(const YAML::Node& value) {
    HEARTH_ASSIGN_OR_RETURN(const std::string text, Text(place_, "limit", value));
    const char* end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, group_.limit);
    if (error != std::errc() || at != end || group_.limit < 0) {
      return place_.Wrong(value.Mark(), "limit: " + promql::Quote(text) +
                                            " is no number of at least 0");
    }
    return Status::Ok();
  }

  Status ReadRules(const YAML::Node& value) {
    if (value.IsNull()) return Status::Ok();
    if (!value.IsSequence()) return place_.Wrong(value.Mark(), "rules: a list is needed");
    for (const YAML::Node& node : value) {
      HEARTH_ASSIGN_OR_RETURN(Rule rule, RuleReader(place_).Read(node));
      group_.rules.push_back(std::move(rule));
    }
    return Status::Ok();
  }

  void AddGroupLabels(Rule& rule) const {
    for (const auto& label : labels_) {
      const auto at = std::lower_bound(
          rule.labels.begin(), rule.labels.end(), label.first,
          [](const auto& own, const std::string& name) { return own.first < name; });
      if (at == rule.labels.end() || at->first != label.first) rule.labels.insert(at, label);
    }
  }

  Place place_;
  RuleGroup group_;
  Templates labels_;
};

Result<std::vector<RuleGroup>> ReadGroups(const std::string& file, const YAML::Node& root) {
  std::vector<RuleGroup> groups;
  const Place place{file, "", ""};
  if (root.IsNull()) return groups;
  std::set<std::string> names;
  HEARTH_RETURN_IF_ERROR(ForEachField(
      place, root, "rule file", [&](const std::string& field, const YAML::Node& value) -> Status {
        if (field != "groups") return UnknownField(place, field, value, "groups");
        if (value.IsNull()) return Status::Ok();
        if (!value.IsSequence()) return place.Wrong(value.Mark(), "groups: a list is needed");
        for (const YAML::Node& node : value) {
          HEARTH_ASSIGN_OR_RETURN(RuleGroup group, GroupReader(file).Read(node));
          if (!names.insert(group.name).second) {
            return place.Wrong(node.Mark(), "name: there are two groups '" + group.name + "'");
          }
          groups.push_back(std::move(group));
        }
        return Status::Ok();
      }));
  return groups;
}

}  // namespace

Result<std::vector<RuleGroup>> ParseRuleFile(const std::string& file, std::string_view text) {
  try {
    return ReadGroups(file, YAML::Load(std::string(text)));
  } catch (const YAML::Exception& error) {
    return Place{file, "", ""}.Wrong(error.mark, "this is not YAML: " + error.msg);
  }
}

Result<std::vector<RuleGroup>> ReadRuleFile(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return ErrnoStatus("rule file '" + path + "'", errno);
  std::string text(kFileBytesMax + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(stream.gcount()));
  if (stream.bad()) return ErrnoStatus("rule file '" + path + "'", EIO);
  if (text.size() > kFileBytesMax) {
    return ResourceExhausted("rule file '" + path + "' is larger than 4 MiB; split it");
  }
  return ParseRuleFile(path, text);
}

}  // namespace hearth::rules
