#include "storage/rules/template.h"

#include <cctype>
#include <charconv>
#include <optional>
#include <utility>

#include "storage/promql/lexer.h"
#include "storage/rules/template_functions.h"

namespace hearth::rules {

struct Template::Node {
  enum class Kind { kLiteral, kLabel, kExternalLabel, kValue, kCall, kIf };
  Kind kind = Kind::kLiteral;
  TemplateValue literal;
  std::string label;
  const TemplateFunction* function = nullptr;
  std::vector<std::shared_ptr<const Node>> arguments;  // of kIf: the condition
  std::vector<std::shared_ptr<const Node>> body, otherwise;
};

namespace {

using Node = Template::Node;
using NodePtr = std::shared_ptr<const Node>;

constexpr int kDepthMax = 20;

NodePtr Literal(TemplateValue value) {
  Node node;
  node.literal = std::move(value);
  return std::make_shared<const Node>(std::move(node));
}

bool IsWord(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// Reads what stands between {{ and }}.
class ActionParser {
 public:
  explicit ActionParser(std::string_view text) : text_(text) {}

  Result<NodePtr> Parse() {
    HEARTH_ASSIGN_OR_RETURN(NodePtr node, Pipeline(0));
    if (at_ < text_.size()) return Unexpected();
    return node;
  }

 private:
  void SkipSpace() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }
  bool Take(std::string_view word) {
    SkipSpace();
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }
  std::string Word() {
    const size_t begin = at_;
    while (at_ < text_.size() && IsWord(text_[at_])) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }
  Status Unexpected() const {
    if (at_ >= text_.size()) return InvalidArgument("the action {{...}} ends too early");
    return InvalidArgument("unexpected " + promql::Quote(text_.substr(at_, 20)));
  }

  // command | command: each takes what stands before it as its last argument.
  Result<NodePtr> Pipeline(int depth) {
    if (depth > kDepthMax) return InvalidArgument("parentheses nest too deeply");
    NodePtr piped;
    do {
      HEARTH_ASSIGN_OR_RETURN(piped, Command(piped, depth));
    } while (Take("|"));
    SkipSpace();
    return piped;
  }

  Result<NodePtr> Command(const NodePtr& piped, int depth) {
    SkipSpace();
    if (at_ < text_.size() && std::isalpha(static_cast<unsigned char>(text_[at_]))) {
      return Call(piped, depth);
    }
    HEARTH_ASSIGN_OR_RETURN(std::optional<NodePtr> operand, Operand(depth));
    if (!operand) return Unexpected();
    if (piped) return InvalidArgument("what follows | is not a function");
    return *std::move(operand);
  }

  Result<NodePtr> Call(const NodePtr& piped, int depth) {
    const std::string name = Word();
    Node call;
    call.kind = Node::Kind::kCall;
    call.function = FindTemplateFunction(name);
    if (call.function == nullptr) {
      return InvalidArgument(promql::Quote(name) + " is not supported in templates");
    }
    while (true) {
      HEARTH_ASSIGN_OR_RETURN(std::optional<NodePtr> operand, Operand(depth));
      if (!operand) break;
      call.arguments.push_back(*std::move(operand));
    }
    if (piped) call.arguments.push_back(piped);
    const size_t count = call.arguments.size();
    if (count < call.function->arguments_min || count > call.function->arguments_max) {
      return InvalidArgument(name + " takes " + std::to_string(call.function->arguments_min) +
                             " arguments at least and " +
                             std::to_string(call.function->arguments_max) + " at most, not " +
                             std::to_string(count));
    }
    return std::make_shared<const Node>(std::move(call));
  }

  // Nothing where an operand could stand but none does.
  Result<std::optional<NodePtr>> Operand(int depth) {
    SkipSpace();
    if (at_ >= text_.size() || text_[at_] == '|' || text_[at_] == ')') {
      return std::optional<NodePtr>();
    }
    const char c = text_[at_];
    if (Take("(")) {
      HEARTH_ASSIGN_OR_RETURN(NodePtr inner, Pipeline(depth + 1));
      if (!Take(")")) return Unexpected();
      return std::optional(std::move(inner));
    }
    if (c == '"' || c == '`') return String();
    if (c == '$' || c == '.') return Variable();
    return Number();
  }

  Result<std::optional<NodePtr>> Variable() {
    const char sign = text_[at_++];
    const std::string name = Word();
    const std::string shown = sign + name;
    Node node;
    if (shown == "$value" || shown == ".Value") {
      node.kind = Node::Kind::kValue;
      return std::optional<NodePtr>(std::make_shared<const Node>(std::move(node)));
    }
    if (shown == "$labels" || shown == ".Labels") {
      node.kind = Node::Kind::kLabel;
    } else if (shown == "$externalLabels" || shown == ".ExternalLabels") {
      node.kind = Node::Kind::kExternalLabel;
    } else {
      return InvalidArgument("unknown variable " + promql::Quote(shown) +
                             ": there are $labels, $externalLabels and $value");
    }
    if (at_ < text_.size() && text_[at_] == '.') ++at_;
    node.label = Word();
    if (node.label.empty()) return InvalidArgument(shown + " needs a label: " + shown + ".name");
    return std::optional<NodePtr>(std::make_shared<const Node>(std::move(node)));
  }

  Result<std::optional<NodePtr>> String() {
    const char quote = text_[at_++];
    std::string value;
    for (; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] != '\\' || quote == '`') {
        value += text_[at_];
        continue;
      }
      if (++at_ == text_.size()) break;
      switch (text_[at_]) {
        case 'n': value += '\n'; break;
        case 't': value += '\t'; break;
        case '\\':
        case '"': value += text_[at_]; break;
        default:
          return InvalidArgument(std::string("unknown escape \\") + text_[at_]);
      }
    }
    if (at_ == text_.size()) return InvalidArgument("a string does not end");
    ++at_;
    return std::optional(Literal(std::move(value)));
  }

  Result<std::optional<NodePtr>> Number() {
    double value = 0;
    const char* end = text_.data() + text_.size();
    const auto [stop, error] = std::from_chars(text_.data() + at_, end, value);
    if (error != std::errc() || (stop != end && IsWord(*stop))) return Unexpected();
    at_ = static_cast<size_t>(stop - text_.data());
    return std::optional(Literal(value));
  }

  const std::string_view text_;
  size_t at_ = 0;
};

Result<TemplateValue> EvaluateIf(const Node& node, const TemplateData& data);

Result<TemplateValue> Evaluate(const Node& node, const TemplateData& data) {
  switch (node.kind) {
    case Node::Kind::kLiteral: return node.literal;
    case Node::Kind::kValue: return TemplateValue(data.value);
    case Node::Kind::kLabel: return TemplateValue(data.labels.Get(node.label));
    case Node::Kind::kExternalLabel: return TemplateValue(data.external_labels.Get(node.label));
    case Node::Kind::kIf: return EvaluateIf(node, data);
    case Node::Kind::kCall: break;
  }
  std::vector<TemplateValue> arguments;
  for (const NodePtr& argument : node.arguments) {
    HEARTH_ASSIGN_OR_RETURN(TemplateValue value, Evaluate(*argument, data));
    arguments.push_back(std::move(value));
  }
  Result<TemplateValue> value = node.function->call(arguments);
  if (!value.ok()) return value.status().WithContext(node.function->name);
  return value;
}

Result<std::string> ExpandAll(const std::vector<NodePtr>& nodes, const TemplateData& data) {
  std::string out;
  for (const NodePtr& node : nodes) {
    HEARTH_ASSIGN_OR_RETURN(const TemplateValue value, Evaluate(*node, data));
    out += TemplateText(value);
  }
  return out;
}

Result<TemplateValue> EvaluateIf(const Node& node, const TemplateData& data) {
  HEARTH_ASSIGN_OR_RETURN(const TemplateValue condition, Evaluate(*node.arguments[0], data));
  HEARTH_ASSIGN_OR_RETURN(std::string text,
                          ExpandAll(IsTrue(condition) ? node.body : node.otherwise, data));
  return TemplateValue(std::move(text));
}

// Puts pieces and actions in a tree: what stands between {{if}} and {{end}} belongs to the `if`.
class TreeBuilder {
 public:
  void Add(NodePtr node) { Current().push_back(std::move(node)); }

  Status AddAction(std::string_view action) {
    const std::string_view words = Trim(action);
    if (words == "end") return End();
    if (words == "else") return Else();
    if (const auto condition = After(words, "else if")) {
      HEARTH_RETURN_IF_ERROR(Else());
      return If(*condition, true);
    }
    if (const auto condition = After(words, "if")) return If(*condition, false);
    HEARTH_ASSIGN_OR_RETURN(NodePtr node, ActionParser(action).Parse());
    Add(std::move(node));
    return Status::Ok();
  }

  Result<std::vector<NodePtr>> Finish() {
    if (!open_.empty()) return InvalidArgument("{{if}} without {{end}}");
    return std::move(nodes_);
  }

 private:
  struct Open {
    Node node;
    bool in_else = false;
    bool chained = false;  // an `else if`: ends with the `if` around it
  };

  static std::string_view Trim(std::string_view text) {
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) {
      text.remove_prefix(1);
    }
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) {
      text.remove_suffix(1);
    }
    return text;
  }

  // What follows `word`, where `text` begins with it and it ends there.
  static std::optional<std::string_view> After(std::string_view text, std::string_view word) {
    if (!text.starts_with(word)) return std::nullopt;
    text.remove_prefix(word.size());
    if (!text.empty() && IsWord(text.front())) return std::nullopt;
    return text;
  }

  std::vector<NodePtr>& Current() {
    if (open_.empty()) return nodes_;
    return open_.back().in_else ? open_.back().node.otherwise : open_.back().node.body;
  }

  Status If(std::string_view condition, bool chained) {
    if (open_.size() == kDepthMax) return InvalidArgument("{{if}} nests too deeply");
    HEARTH_ASSIGN_OR_RETURN(NodePtr node, ActionParser(condition).Parse());
    Open& open = open_.emplace_back();
    open.node.kind = Node::Kind::kIf;
    open.node.arguments.push_back(std::move(node));
    open.chained = chained;
    return Status::Ok();
  }

  Status Else() {
    if (open_.empty() || open_.back().in_else) return InvalidArgument("{{else}} without {{if}}");
    open_.back().in_else = true;
    return Status::Ok();
  }

  Status End() {
    if (open_.empty()) return InvalidArgument("{{end}} without {{if}}");
    for (bool chained = true; chained;) {
      chained = open_.back().chained;
      auto node = std::make_shared<const Node>(std::move(open_.back().node));
      open_.pop_back();
      Add(std::move(node));
    }
    return Status::Ok();
  }

  std::vector<NodePtr> nodes_;
  std::vector<Open> open_;
};

// Where the action that begins at `at` (after "{{") ends: the "}}" outside of strings.
size_t ActionEnd(std::string_view text, size_t at) {
  char quote = 0;
  for (; at < text.size(); ++at) {
    if (quote != 0) {
      if (text[at] == '\\' && quote == '"') ++at;
      else if (text[at] == quote) quote = 0;
    } else if (text[at] == '"' || text[at] == '`') {
      quote = text[at];
    } else if (text.substr(at, 2) == "}}") {
      return at;
    }
  }
  return std::string_view::npos;
}

std::string_view TrimEnd(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) {
    text.remove_suffix(1);
  }
  return text;
}

}  // namespace

Result<Template> Template::Parse(std::string_view text) {
  Template parsed;
  parsed.text_ = text;
  TreeBuilder tree;
  bool trim_next = false;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = text.find("{{", at);
    std::string_view plain = text.substr(at, begin - at);
    if (trim_next) {
      while (!plain.empty() && std::isspace(static_cast<unsigned char>(plain.front()))) {
        plain.remove_prefix(1);
      }
    }
    const bool trims = begin != std::string_view::npos && text.substr(begin + 2, 2) == "- ";
    if (trims) plain = TrimEnd(plain);
    if (!plain.empty()) tree.Add(Literal(std::string(plain)));
    if (begin == std::string_view::npos) break;
    const std::string where = "at byte " + std::to_string(begin);
    const size_t inside = begin + (trims ? 3 : 2);
    const bool is_comment = text.substr(inside).starts_with("/*");
    const size_t end = is_comment ? text.find("}}", inside) : ActionEnd(text, inside);
    if (end == std::string_view::npos) return InvalidArgument("{{ without }}").WithContext(where);
    std::string_view action = text.substr(inside, end - inside);
    trim_next = action.ends_with(" -");
    if (trim_next) action.remove_suffix(2);
    at = end + 2;
    if (is_comment) {
      if (!TrimEnd(action).ends_with("*/")) {
        return InvalidArgument("a comment does not end").WithContext(where);
      }
      continue;
    }
    const Status added = tree.AddAction(action);
    if (!added.ok()) return added.WithContext(where);
  }
  HEARTH_ASSIGN_OR_RETURN(parsed.nodes_, tree.Finish());
  return parsed;
}

Result<std::string> Template::Expand(const TemplateData& data) const {
  return ExpandAll(nodes_, data);
}

}  // namespace hearth::rules
