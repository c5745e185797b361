#include "firmware/config/box_config_doc.h"

#include <algorithm>

#include "base/markdown.h"
#include "firmware/config/box_config.h"

namespace hearth::config {
namespace {

constexpr size_t kColumns = 100;

// The group of "listen.port" is "listen"; a setting of its own has none.
std::string GroupOf(const SettingDef& def) {
  const size_t dot = def.path.find('.');
  return dot == std::string::npos ? "" : def.path.substr(0, dot);
}

// "# " and words, wrapped.
std::string Comment(const std::string& text) {
  std::string lines;
  std::string line = "#";
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    if (line.size() + 1 + word.size() > kColumns) {
      lines += line + "\n";
      line = "#";
    }
    line += " " + word;
    begin = end + 1;
  }
  return lines + line + "\n";
}

std::string DefaultOf(const SettingDef& def) {
  return def.default_text.empty() ? "`" + DumpJson(def.default_value) + "`" : MarkdownCell(def.default_text);
}

}  // namespace

std::string BoxConfigDoc() {
  std::string text =
      "## The box\n\n"
      "`/etc/hearth/hearth.yaml` (`--config FILE` or `HEARTH_CONFIG` names another), then `conf.d/*.yaml`\n"
      "beside it in the order of their names, then the environment, then the command line: each wins\n"
      "over the one before. A list or map of a later source replaces an earlier one whole. hearthd\n"
      "reads all of it when it starts and writes none of it; whatever is wrong is said at once, with\n"
      "its place, and hearthd ends with status 2. The settings page and `GET /api/settings` show each\n"
      "value with its source.\n\n"
      "The variable of `listen.port` is `HEARTH_LISTEN_PORT`, and so on; an empty variable counts as\n"
      "none. Lists are separated by commas (`vllm,ray`), maps too (`site=a,rack=7`); a flag of a map\n"
      "is repeated for each entry.\n\n"
      "`--model`, `--served-model-name` and the flags in vLLM's spelling (`hearthd --help`) are a model\n"
      "configuration that the box begins with, as `model_config.file` is; they win over that file.\n\n"
      "| Setting | Flag | Allowed | Default | Meaning |\n|---|---|---|---|---|\n";
  for (const SettingDef& def : SettingDefs()) {
    text += "| `" + def.path + "` | `" + def.flag + "` | " + MarkdownCell(def.allowed) + " | " +
            DefaultOf(def) + " | " + MarkdownCell(def.help) + (def.secret ? " Never shown." : "") + " |\n";
  }
  return text;
}

std::string ExampleBoxConfig() {
  std::string text =
      Comment("The settings of this box, all at their defaults. hearthd reads this file when it "
              "starts and never writes it; conf.d/*.yaml beside it is read afterwards and wins, then "
              "the environment (listen.port is HEARTH_LISTEN_PORT), then the command line. The "
              "models are not here: they are edited in the browser, or seeded by model_config.file.");
  std::string group;
  for (const SettingDef& def : SettingDefs()) {
    const bool begins = GroupOf(def) != group;
    group = GroupOf(def);
    if (begins) text += "\n#" + group + ":\n";
    if (!begins) text += group.empty() ? "\n" : "#\n";
    std::string help = def.help;
    if (def.type != "string") help += " Allowed: " + def.allowed + ".";
    if (!def.default_text.empty()) help += " Default: " + def.default_text + ".";
    text += Comment(help);
    const bool is_inner = !group.empty();
    text += (is_inner ? "#  " : "#") + def.path.substr(is_inner ? group.size() + 1 : 0) + ": " +
            DumpJson(def.default_value) + "\n";
  }
  return text;
}

}  // namespace hearth::config
