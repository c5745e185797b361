#include "firmware/config/model_config_doc.h"

#include "base/json.h"
#include "base/markdown.h"
#include "firmware/config/box_config_doc.h"
#include "firmware/config/document.h"
#include "firmware/config/model_config.h"

namespace hearth::config {
namespace {

constexpr std::string_view kIntroduction = R"(## The models

What the box serves is written as Ray Serve LLM writes it (`LLMConfig`, Ray 2.5x), in YAML or JSON. Four
forms are read, so that what exists can be pasted:

- a Serve application file: `applications:`, with `args.llm_configs` in each;
- `llm_configs:` and a list;
- the list alone;
- one LLMConfig.

```yaml
llm_configs:
- model_loading_config:
    model_id: qwen-0.5b
    model_source: Qwen/Qwen2.5-0.5B-Instruct
  engine_kwargs:
    max_model_len: 4096
    max_num_seqs: 16
  log_engine_metrics: true
```

It is edited in the browser, by `hearth config` or over `/api/config`, and kept as revisions. An item of the
list may be YAML text itself, but not the name of a file. An empty list serves nothing. An export is an
application file that Ray reads.

### How the text is read

- YAML 1.2, of which JSON is a part. `yes`, `no`, `on` and `off` are strings, `0x10` is 16, `1e9` is a
  number, `1_000` is a string, and so is whatever stands in quotes.
- Refused by name: a key that stands twice, merge keys (`<<`), tags (`!!`), a second document, text that is
  no UTF-8. Aliases (`*name`) are read.
)";

constexpr std::string_view kColumns = R"(### What becomes of a field

Every field that Ray documents is in the tables below. All that is wrong is said at once, with path, line,
value and what is allowed; an unknown key is an error that names the nearest known one.

- *honoured*: the box does what it says. *Live* means that a change starts no new engine.
- *capped*: the box takes the value but does less; the page shows what was configured and what is in effect.
- *inert*: accepted, and without effect for the reason given, which comes as a warning.
- *refused*: an error with the reason. Leave the field out.

)";

// 60.0 is written 60.
std::string Value(const Json& value) {
  std::string text = DumpJson(value);
  if (value.is_number_float() && text.ends_with(".0")) text.resize(text.size() - 2);
  return "`" + text + "`";
}

std::string DefaultCell(const Json& field) {
  if (field["required"]) return "required";
  if (field.contains("default_text")) return MarkdownCell(field["default_text"].get<std::string>());
  if (field["default"].is_null()) return "";
  return Value(field["default"]);
}

std::string EffectCell(const Json& field) {
  const std::string reason = MarkdownCell(field.value("reason", ""));
  if (field["effect"] != "honoured") return field["effect"].get<std::string>() + ": " + reason;
  if (field.contains("must_be")) return "only " + Value(field["must_be"]) + ": " + reason;
  return field["live"] ? "honoured, live" : "honoured";
}

std::string Table(const Json& fields) {
  std::string text =
      "| Field | Allowed | Default | Effect | Meaning |\n|---|---|---|---|---|\n";
  for (const Json& field : fields) {
    const bool is_ours = field["ours"];
    text += "| `" + field["name"].get<std::string>() + "`" + (is_ours ? " (Hearth's)" : "") + " | " +
            (field["effect"] == "refused" ? "" : MarkdownCell(field["allowed"].get<std::string>())) + " | " +
            DefaultCell(field) + " | " + EffectCell(field) + " | " +
            MarkdownCell(field["help"].get<std::string>()) + " |\n";
  }
  return text + "\n";
}

// A table of the fields, then one of each map among them.
void AddTables(const Json& fields, const std::string& path, std::string& text) {
  text += "### " + (path.empty() ? "LLMConfig" : "`" + path + "`") + "\n\n" + Table(fields);
  for (const Json& field : fields) {
    if (!field.contains("fields") || field["effect"] == "refused") continue;
    AddTables(field["fields"], MemberPath(path, field["name"].get<std::string>()), text);
  }
}

constexpr std::string_view kRules = R"(### Rules between fields

- `max_num_batched_tokens` is at least `max_num_seqs`.
- `disable_log_stats: true` needs `log_engine_metrics: false`.
- `autoscaling_config` stands beside no `num_replicas`, unless that is `auto` (1 to 100, as in Ray).
- `min_replicas` ≤ `initial_replicas` ≤ `max_replicas`.
- Each model has a `model_id` of its own.

)";

}  // namespace

std::string ModelConfigDoc() {
  std::string text(kIntroduction);
  text += "- Limits: " + std::to_string(kDocumentBytesMax) + " bytes, " +
          std::to_string(kDocumentDepthMax) + " levels, " + std::to_string(kDocumentKeysMax) +
          " keys in one map, " + std::to_string(kDocumentValuesMax) +
          " values with what aliases repeat.\n\n";
  text += kColumns;
  text += kRules;
  const Json schema = ModelConfigSchema();
  AddTables(schema["fields"], "", text);
  text += "### `applications[i]`\n\nBeside `args`, in an application file.\n\n";
  text += Table(schema["application"]);
  text.pop_back();
  return text;
}

std::string ConfigDoc() {
  return "# Configuration\n\n"
         "Two configurations, kept apart: the box's, which its administrator writes and hearthd only\n"
         "reads, and the models', which is edited while they serve. This page is generated from the\n"
         "tables that read them (`hearth-config-doc`).\n\n" +
         BoxConfigDoc() + "\n" + ModelConfigDoc();
}

}  // namespace hearth::config
