#include "firmware/config/model_config.h"

#include <algorithm>
#include <map>

#include "firmware/config/llm_config_fields.h"

namespace hearth::config {
namespace {

constexpr size_t kModelsMax = 100;  // of one configuration; more fit on no box
constexpr int kConfigDepthMax = kDocumentDepthMax - 6;  // an export puts it into an application

int DepthOf(const Json& value) {
  int depth = 0;
  if (value.is_structured()) {
    for (const Json& member : value) depth = std::max(depth, DepthOf(member));
    ++depth;
  }
  return depth;
}

class ModelConfigReader {
 public:
  ModelConfigReader(const Document& document, const BoxFacts& facts, CheckedModelConfig& checked)
      : document_(document), facts_(facts), checked_(checked) {}

  void Read() {
    const Json& root = document_.json;
    if (root.is_null()) {
      return Fail("", root, "the text is empty; to serve nothing write llm_configs: []");
    }
    if (root.is_array()) return ReadList(root, "");
    if (!root.is_object()) {
      return Fail("", root,
                  "the text must be a Serve application file, llm_configs or an LLMConfig, not " +
                      ShowValue(root));
    }
    if (root.contains("applications")) return ReadApplications(root);
    if (root.contains("llm_configs")) return ReadArguments(root, "");
    if (root.contains("serveConfigV2") || root.contains("spec")) {
      return Fail("", nullptr,
                  "this looks like a Kubernetes resource; paste the text under serveConfigV2");
    }
    ReadConfig(root, "");
  }

 private:
  void Fail(std::string path, const Json& value, std::string message, std::string allowed = "") {
    checked_.problems.push_back(ProblemAt(document_, Severity::kError, std::move(path), value,
                                          std::move(message), std::move(allowed)));
  }

  void ReadFieldsAt(const Json& value, const std::string& path,
                    const FieldVisitor::Members& members) {
    ReadFields(document_, value, path, members, checked_.problems);
  }

  // The whole file: what stands beside `applications` is Ray Serve's, of its cluster.
  void ReadApplications(const Json& root) {
    ReadFieldsAt(root, "", [&](FieldVisitor& v) {
      constexpr std::string_view kBox = "the box config says where and how this box listens";
      v.Unused(Field("applications").Help("Ray Serve's applications."));
      v.Unused(Field("proxy_location").Inert(kBox));
      v.Unused(Field("http_options").Inert(kBox));
      v.Unused(Field("grpc_options").Inert("there is no gRPC here"));
      v.Unused(Field("logging_config").Inert("the log goes to the journal"));
      v.Unused(Field("target_capacity").Inert("there is one box"));
    });
    const Json& applications = root["applications"];
    if (!applications.is_array()) {
      return Fail("applications", applications,
                  "applications must be a list, not " + ShowValue(applications), "a list");
    }
    for (size_t i = 0; i < applications.size(); ++i) {
      const std::string path = ItemPath("applications", i);
      bool has_args = false;
      ReadFieldsAt(applications[i], path, [&](FieldVisitor& v) {
        VisitApplicationFields(v);
        v.Unused(Field("args").Help("What the application is built from."));
        has_args = applications[i].contains("args");
      });
      if (!applications[i].is_object()) continue;
      if (!has_args) {
        Fail(MemberPath(path, "args"), nullptr,
             MemberPath(path, "args") + " is missing; it holds llm_configs");
        continue;
      }
      ReadArguments(applications[i]["args"], MemberPath(path, "args"));
    }
  }

  // The arguments of build_openai_app.
  void ReadArguments(const Json& arguments, const std::string& path) {
    ReadFieldsAt(arguments, path, [&](FieldVisitor& v) {
      constexpr std::string_view kFront = "there is one HTTP front, and the box config sets it";
      v.Unused(Field("llm_configs").Help("What is served."));
      v.Unused(Field("ingress_deployment_config").Inert(kFront));
      v.Unused(Field("ingress_cls_config").Inert(kFront));
    });
    if (!arguments.is_object()) return;
    const std::string at = MemberPath(path, "llm_configs");
    const auto list = arguments.find("llm_configs");
    if (list == arguments.end())
      return Fail(at, nullptr, at + " is missing; it lists what is served");
    if (!list->is_array()) {
      return Fail(at, *list, at + " must be a list of LLMConfigs, not " + ShowValue(*list),
                  "a list");
    }
    ReadList(*list, at);
  }

  void ReadList(const Json& list, const std::string& path) {
    num_models_ += list.size();
    if (num_models_ > kModelsMax) {
      return Fail(path, nullptr,
                  (path.empty() ? "the text" : path) + " has too many models: " +
                      std::to_string(num_models_) + " of them, the limit is " +
                      std::to_string(kModelsMax));
    }
    for (size_t i = 0; i < list.size(); ++i) {
      const std::string item = ItemPath(path, i);
      if (list[i].is_string()) {
        ReadText(list[i].get<std::string>(), item);
      } else {
        ReadConfig(list[i], item);
      }
    }
  }

  // An item that is itself YAML text, as Ray takes it; places are the item's.
  void ReadText(const std::string& text, const std::string& path) {
    const ParsedDocument parsed = ParseDocument(text);
    if (!parsed.document) {
      return Fail(path, text, path + " is text that cannot be read: " + parsed.problems[0].message);
    }
    if (!parsed.document->json.is_object()) {
      return Fail(
          path, text,
          path + " names a file (" + ShowValue(text) + "); paste what stands in it instead");
    }
    ReadConfig(parsed.document->json, path);
  }

  void ReadConfig(const Json& json, const std::string& path) {
    LlmConfig config;
    const size_t problems_before = checked_.problems.size();
    ReadFieldsAt(json, path, [&](FieldVisitor& v) { VisitFields(config, v); });
    const bool is_right =
        std::none_of(checked_.problems.begin() + static_cast<std::ptrdiff_t>(problems_before),
                     checked_.problems.end(),
                     [](const Problem& problem) { return problem.severity == Severity::kError; });
    if (!is_right) return;
    if (DepthOf(json) > kConfigDepthMax) {
      return Fail(path, nullptr,
                  (path.empty() ? "the LLMConfig" : path) + " is nested deeper than " +
                      std::to_string(kConfigDepthMax) + " levels; flatten it");
    }
    CheckTogether(document_, json, path, config, checked_.problems);
    CheckNames(config, path);
    for (Capped& capped : CapsOf(config, path, facts_)) {
      checked_.capped.push_back(std::move(capped));
    }
    if (config.accelerator_type == "A10") config.accelerator_type = "A10G";
    checked_.llm_configs.push_back(std::move(config));
    checked_.paths.push_back(path);
    checked_.normal["llm_configs"].push_back(json);
  }

  // Clients tell models apart by name, whichever of them they use.
  void CheckNames(const LlmConfig& config, const std::string& path) {
    const std::string& id = config.model_loading_config.model_id;
    Claim(id, MemberPath(path, "model_loading_config.model_id"), path);
    for (const std::string& alias : config.engine_kwargs.served_model_name) {
      if (alias != id) Claim(alias, MemberPath(path, "engine_kwargs.served_model_name"), path);
    }
  }

  void Claim(const std::string& name, const std::string& at, const std::string& path) {
    const auto [it, is_new] = names_.try_emplace(name, path);
    if (is_new || (it->second == path && at.ends_with("served_model_name"))) return;
    Fail(at, name,
         at + " is \"" + name + "\", as that of " + it->second +
             "; each model needs a name of its own");
  }

  const Document& document_;
  const BoxFacts& facts_;
  CheckedModelConfig& checked_;
  std::map<std::string, std::string> names_;  // any name -> path of its model
  size_t num_models_ = 0;
};

void SortByPlace(std::vector<Problem>& problems) {
  std::stable_sort(problems.begin(), problems.end(), [](const Problem& a, const Problem& b) {
    return std::pair(a.place.line, a.place.column) < std::pair(b.place.line, b.place.column);
  });
}

}  // namespace

CheckedModelConfig CheckModelConfig(std::string_view text, const BoxFacts& facts) {
  CheckedModelConfig checked;
  checked.normal = Json{{"llm_configs", Json::array()}};
  const ParsedDocument parsed = ParseDocument(text);
  checked.problems = parsed.problems;
  if (parsed.document) ModelConfigReader(*parsed.document, facts, checked).Read();
  if (const size_t bytes = ExportYaml(checked.normal).size(); bytes > kDocumentBytesMax) {
    checked.problems.push_back({.value = nullptr,
                                .message = "written out as an application file the text has " +
                                           std::to_string(bytes) + " bytes, the limit is " +
                                           std::to_string(kDocumentBytesMax)});
  }
  if (parsed.document) checked.places = parsed.document->places;
  SortByPlace(checked.problems);
  return checked;
}

Json ModelConfigSchema() {
  LlmConfig config;
  return Json{{"fields", FieldsSchema([&](FieldVisitor& v) { VisitFields(config, v); })},
              {"application", FieldsSchema(VisitApplicationFields)}};
}

Json ToNormalJson(const LlmConfig& config) {
  LlmConfig values = config, defaults;
  return WriteFields([&](FieldVisitor& v) { VisitFields(values, v); },
                     [&](FieldVisitor& v) { VisitFields(defaults, v); });
}

}  // namespace hearth::config
