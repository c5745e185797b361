#include "firmware/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "base/version.h"
#include "firmware/config/model_config.h"

namespace hearth {
namespace {

using config::PlacedProblem;
using config::SettingDef;

// A flag of vLLM's, or one in its manner, and the field of an LLMConfig it sets for every --model.
struct ModelFlag {
  const char* flag;
  std::array<const char*, 2> path;  // the second may be null
  bool zero_is_absent;              // 0 says what leaving the field out says
  const char* help;
};

constexpr ModelFlag kModelFlags[] = {
    {"--max-model-len", {"engine_kwargs", "max_model_len"}, true,
     "context length in tokens; 0 = the model's"},
    {"--max-num-seqs", {"engine_kwargs", "max_num_seqs"}, false, "sequences in one step"},
    {"--max-num-batched-tokens", {"engine_kwargs", "max_num_batched_tokens"}, false,
     "tokens in one step"},
    {"--kv-cache-memory-bytes", {"engine_kwargs", "kv_cache_memory_bytes"}, true,
     "bytes of the KV cache; 0 = chosen from free memory"},
    {"--enable-prefix-caching", {"engine_kwargs", "enable_prefix_caching"}, false,
     "keep what was computed of a prompt for the next that begins alike"},
    {"--dtype", {"engine_kwargs", "dtype"}, false, "how weights are kept"},
    {"--threads", {"experimental_configs", "cpu_threads"}, false,
     "threads of the CPU engine; 0 = physical cores"},
    {"--log-engine-metrics", {"log_engine_metrics", nullptr}, false,
     "show and record the engine's metrics (vllm:*)"},
    {"--slo-ttft-ms", {"experimental_configs", "slo_ttft_ms"}, false,
     "objective for the time to the first token in ms; 0 = none"},
    {"--slo-tpot-ms", {"experimental_configs", "slo_tpot_ms"}, false,
     "objective for the time per output token in ms; 0 = none"},
    {"--slo-e2e-ms", {"experimental_configs", "slo_e2e_ms"}, false,
     "objective for the whole answer in ms; 0 = none"},
};

// As they were written; what they mean is the tables' business.
struct Texts {
  std::map<std::string, std::vector<std::string>> settings;  // by path
  std::map<std::string, std::string> model_flags;            // by flag
  std::vector<std::string> models;
  std::vector<std::string> names;
  std::string config_file;
};

void AddSettingOptions(CLI::App& app, Texts& texts) {
  for (const SettingDef& def : config::SettingDefs()) {
    std::vector<std::string>& into = texts.settings[def.path];
    const std::string help =
        def.type == "string" ? def.help : def.help + " (" + def.allowed + ")";
    CLI::Option* const option = app.add_option(def.flag, into, help)->group("Box");
    option->type_name(def.type);
    if (!def.takes_many) option->expected(1);
  }
}

void AddModelOptions(CLI::App& app, Texts& texts) {
  const char* const group = "Models";
  app.add_option("--model", texts.models, "Hugging Face model directory to serve; may be repeated")
      ->group(group);
  app.add_option("--served-model-name", texts.names,
                 "name clients ask for, one per --model; the directory's name when absent")
      ->group(group);
  for (const ModelFlag& flag : kModelFlags) {
    app.add_option(flag.flag, texts.model_flags[flag.flag], flag.help)->group(group);
  }
}

PlacedProblem Wrong(const std::string& where, const std::string& message) {
  PlacedProblem placed;
  placed.where = where;
  placed.problem.message = message;
  return placed;
}

// Numbers, true and false become themselves; everything else is a text.
Json ValueOf(const std::string& text) {
  for (const char* yes : {"on", "yes"}) {
    if (text == yes) return true;
  }
  for (const char* no : {"off", "no"}) {
    if (text == no) return false;
  }
  const Result<Json> parsed = ParseJson(text);
  if (parsed.ok() && (parsed->is_number() || parsed->is_boolean())) return *parsed;
  return text;
}

std::string NameOfDirectory(const std::string& directory) {
  std::filesystem::path path(directory);
  if (path.filename().empty()) path = path.parent_path();
  return path.filename().string();
}

// A directory is named from where hearthd was started; a Hugging Face id is looked up later.
std::string SourceOf(const std::string& text) {
  std::error_code error;
  const std::filesystem::path path(text);
  if (!std::filesystem::is_directory(path, error)) return text;
  const auto absolute = std::filesystem::absolute(path, error);
  return error ? text : absolute.lexically_normal().string();
}

Json ModelsOf(const Texts& texts) {
  Json configs = Json::array();
  for (size_t i = 0; i < texts.models.size(); ++i) {
    const std::string name = i < texts.names.size() ? texts.names[i] : NameOfDirectory(texts.models[i]);
    Json config = {{"model_loading_config", {{"model_id", name}, {"model_source", SourceOf(texts.models[i])}}}};
    for (const ModelFlag& flag : kModelFlags) {
      const std::string& text = texts.model_flags.at(flag.flag);
      if (text.empty() || (flag.zero_is_absent && text == "0")) continue;
      Json& group = config[flag.path[0]];
      (flag.path[1] ? group[flag.path[1]] : group) = ValueOf(text);
    }
    configs.push_back(std::move(config));
  }
  return Json{{"llm_configs", std::move(configs)}};
}

// The flag that a path of the document came from: "llm_configs[0].engine_kwargs.dtype" -> --dtype.
std::string FlagOfPath(const std::string& path) {
  for (const ModelFlag& flag : kModelFlags) {
    std::string field = flag.path[0];
    if (flag.path[1]) field += std::string(".") + flag.path[1];
    if (path.ends_with("." + field)) return flag.flag;
  }
  return path.ends_with(".model_id") ? "--served-model-name" : "--model";
}

// A flag holds for every model, so what is wrong with it is wrong with each: it is said once.
void CheckModels(const std::string& document, std::vector<PlacedProblem>& problems) {
  std::set<std::string> said;
  for (config::Problem& problem : config::CheckModelConfig(document, {}).problems) {
    const std::string flag = FlagOfPath(problem.path);
    if (!said.insert(flag).second && flag != "--model") continue;
    problem.place = {};
    problems.push_back({std::move(problem), flag});
  }
}

void SettleModels(const Texts& texts, CommandLine& line) {
  if (texts.names.size() > texts.models.size()) {
    line.problems.push_back(Wrong("--served-model-name",
                                  "there are more of it (" + std::to_string(texts.names.size()) +
                                      ") than of --model (" + std::to_string(texts.models.size()) +
                                      ")"));
  }
  if (texts.models.empty()) {
    for (const auto& [flag, text] : texts.model_flags) {
      if (text.empty()) continue;
      line.problems.push_back(
          Wrong(flag, "it says something of the models of --model, and there is no --model"));
    }
    return;
  }
  const Json models = ModelsOf(texts);
  CheckModels(DumpJson(models), line.problems);
  line.models = config::ExportYaml(models);
}

void RefuseUnknown(const std::vector<std::string>& rest, CommandLine& line) {
  std::vector<std::string_view> known = {"--config", "--model", "--served-model-name", "--help",
                                         "--version"};
  for (const SettingDef& def : config::SettingDefs()) known.push_back(def.flag);
  for (const ModelFlag& flag : kModelFlags) known.push_back(flag.flag);
  bool after_flag = false;  // what follows an unknown flag is its value
  for (const std::string& argument : rest) {
    const bool is_flag = argument.starts_with("-");
    if (std::exchange(after_flag, is_flag) && !is_flag) continue;
    const std::string nearest = config::Nearest(argument.substr(0, argument.find('=')), known);
    line.problems.push_back(Wrong(
        argument, "hearthd knows no such argument" +
                      (nearest.empty() ? "; hearthd --help lists them"
                                       : "; did you mean " + nearest + "?")));
  }
}

}  // namespace

CommandLine ParseCommandLine(int argc, const char* const* argv) {
  CLI::App app(
      "Hearth: an LLM appliance. Serves models over the OpenAI API, with its own dashboard, metric "
      "history and Prometheus endpoint.\n\nEvery setting of the box may also stand in "
      "/etc/hearth/hearth.yaml, in conf.d/*.yaml beside it, or in the environment (listen.port: "
      "HEARTH_LISTEN_PORT); the command line wins.");
  app.set_version_flag("--version", std::string(kVersion));
  app.allow_extras();
  CommandLine line;
  Texts texts;
  app.add_option("--config", texts.config_file,
                 "the file with the box's settings; conf.d is beside it")
      ->type_name("FILE");
  AddSettingOptions(app, texts);
  AddModelOptions(app, texts);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      line.exit_status = app.exit(error);
    } else {
      line.problems.push_back(Wrong("command line", error.what()));
    }
    return line;
  }
  RefuseUnknown(app.remaining(), line);
  line.config_file = texts.config_file;
  for (const SettingDef& def : config::SettingDefs()) {
    std::vector<std::string>& given = texts.settings[def.path];
    if (!given.empty()) line.settings.push_back({def.path, std::move(given), def.flag});
  }
  SettleModels(texts, line);
  return line;
}

}  // namespace hearth
