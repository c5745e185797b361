#include <cctype>
#include <string>

#include "firmware/config/document.h"
#include "firmware/config/model_config.h"

namespace hearth::config {
namespace {

// Whether the word reads back as the string it is, without quotes.
bool IsPlain(const std::string& text) {
  if (text.empty() || text.find_first_of("\"'#{}[],&*!|>%@`\\\n\t") != std::string::npos)
    return false;
  if (text.find(": ") != std::string::npos || text.back() == ':' || text.back() == ' ')
    return false;
  const char first = text[0];
  if (std::isalnum(static_cast<unsigned char>(first)) == 0 && first != '/' && first != '_' &&
      first != '.') {
    return false;
  }
  const ParsedDocument parsed = ParseDocument(text);
  return parsed.document && parsed.document->json == Json(text);
}

// JSON is YAML, so that what is not plain is written as JSON.
std::string Scalar(const Json& value) {
  if (value.is_string() && IsPlain(value.get<std::string>())) return value.get<std::string>();
  return DumpJson(value);
}

std::string Key(const std::string& name) { return Scalar(Json(name)); }

bool IsNested(const Json& value) {
  return (value.is_object() || value.is_array()) && !value.empty();
}

void Write(const Json& value, size_t indent, std::string& out);

// The first line goes on where `out` ends; the others begin at `indent`.
void WriteMap(const Json& map, size_t indent, std::string& out) {
  bool is_first = true;
  for (const auto& [name, value] : map.items()) {
    if (!is_first) out.append(indent, ' ');
    is_first = false;
    out += Key(name) + ":";
    if (!IsNested(value)) {
      out += " " + Scalar(value) + "\n";
      continue;
    }
    out += "\n";
    const size_t inner = value.is_array() ? indent : indent + 2;
    out.append(inner, ' ');
    Write(value, inner, out);
  }
}

void WriteList(const Json& list, size_t indent, std::string& out) {
  bool is_first = true;
  for (const Json& item : list) {
    if (!is_first) out.append(indent, ' ');
    is_first = false;
    out += "- ";
    if (IsNested(item)) {
      Write(item, indent + 2, out);
    } else {
      out += Scalar(item) + "\n";
    }
  }
}

void Write(const Json& value, size_t indent, std::string& out) {
  if (value.is_object()) return WriteMap(value, indent, out);
  WriteList(value, indent, out);
}

}  // namespace

std::string ExportYaml(const Json& normal) {
  const Json file{
      {"applications", Json::array({Json{{"name", "llm_app"},
                                         {"route_prefix", "/"},
                                         {"import_path", "ray.serve.llm:build_openai_app"},
                                         {"args", normal}}})}};
  std::string text;
  Write(file, 0, text);
  return text;
}

}  // namespace hearth::config
