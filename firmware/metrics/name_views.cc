#include "firmware/metrics/name_views.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <random>
#include <utility>

#include "firmware/metrics/name_view_rows.h"

namespace hearth::metrics {
namespace {

constexpr std::array<ViewDef, kViewCount> kViews = {{
    {View::kVllm, "vllm", true, "vLLM's own names and the HTTP families of its front end"},
    {View::kRay, "ray", true, "Ray Serve's names, and vLLM's as Ray spells them"},
    {View::kVllmRemoved, "vllm_removed", true, "names that vLLM has removed since 2025"},
    {View::kRouter, "production_stack", true, "gauges of the vLLM production stack's router"},
    {View::kHearth, "hearth", true, "this appliance, its GPU, its host and its process"},
    {View::kDcgm, "dcgm", true, "dcgm-exporter's names of the GPU readings"},
    {View::kNode, "node", false, "node_exporter's names of the host readings"},
}};

View HomeOf(const MetricDef& def) {
  if (def.name.starts_with("ray_")) return View::kRay;
  if (def.source == Source::kEngine || def.name.starts_with("http_")) return View::kVllm;
  return View::kHearth;
}

const LabelChange* HomeLabels(const MetricDef& def) {
  if (def.name.starts_with("ray_serve_llm_")) return &kRayLlmLabels;
  return def.name.starts_with("ray_serve_") ? &kRayServeLabels : nullptr;
}

// vllm:x as Ray's exporter writes it: every character outside [a-zA-Z0-9_] becomes '_'.
NameView RaySpelling(const MetricDef& def) {
  std::string name = "ray_" + std::string(def.name);
  for (char& c : name) {
    if (c == ':') c = '_';
  }
  return {View::kRay, def.id, std::move(name), &kRayEngineLabels, 1, {}, ""};
}

std::vector<NameView> Assemble() {
  std::vector<NameView> rows;
  for (const MetricDef& def : MetricDefs()) {
    rows.push_back({HomeOf(def), def.id, std::string(def.name), HomeLabels(def), 1, {}, ""});
    if (def.source == Source::kEngine) rows.push_back(RaySpelling(def));
    for (const auto table : {EngineViewRows(), DeviceViewRows(), ClusterViewRows()}) {
      for (const ViewRow& row : table) {
        if (row.id != def.id) continue;
        rows.push_back({row.view, row.id, std::string(row.name), row.labels, row.scale,
                        row.shown_as, row.help});
      }
    }
  }
  return rows;
}

uint64_t Mix(uint64_t x) {  // splitmix64's finalizer
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

struct Facts {
  std::mutex mutex;
  std::map<std::string, std::string> values;
};

Facts& TheFacts() {
  static Facts facts;
  return facts;
}

}  // namespace

std::span<const ViewDef> ViewDefs() { return kViews; }

ViewSet ViewSet::Default() {
  ViewSet set;
  for (const ViewDef& def : kViews) {
    if (def.by_default) set.Add(def.view);
  }
  return set;
}

ViewSet ViewSet::All() {
  ViewSet set;
  for (const ViewDef& def : kViews) set.Add(def.view);
  return set;
}

Result<ViewSet> ParseViews(const std::vector<std::string>& names) {
  ViewSet set;
  for (const std::string& name : names) {
    const ViewDef* found = nullptr;
    std::string known;
    for (const ViewDef& def : kViews) {
      if (def.name == name) found = &def;
      known += (known.empty() ? "" : ", ") + std::string(def.name);
    }
    if (found == nullptr) {
      return InvalidArgument("there is no metrics view '" + name + "'; the views are: " + known);
    }
    set.Add(found->view);
  }
  return set;
}

std::string_view NameView::help_text() const { return help.empty() ? DefOf(id).help : help; }

double NameView::Scaled(double value) const {
  if (scale == 1 || value == 0 || !std::isfinite(value)) return value;
  char text[32];
  std::snprintf(text, sizeof text, "%.14g", value * scale);
  return std::strtod(text, nullptr);
}

std::optional<std::string> NameView::SeriesName(std::string_view suffix) const {
  const auto suffixes = SeriesSuffixes(kind());
  if (std::find(suffixes.begin(), suffixes.end(), suffix) == suffixes.end()) return std::nullopt;
  return name + std::string(suffix);
}

std::span<const NameView> NameViews() {
  static const std::vector<NameView> rows = Assemble();
  return rows;
}

promql::Labels ViewLabels(const NameView& view, const promql::Labels& recorded,
                          const std::string& name) {
  promql::Labels labels = recorded;
  labels.Set("__name__", name);
  if (view.labels != nullptr) view.labels->apply(labels);
  return labels;
}

std::string WorkerId(std::string_view model_name, std::string_view engine) {
  static const uint64_t process = [] {
    std::random_device random;
    return (uint64_t{random()} << 32) ^ random();
  }();
  uint64_t hash = process;
  for (const char c : std::string(model_name) + '\n' + std::string(engine)) {
    hash = Mix(hash ^ static_cast<uint8_t>(c));
  }
  std::string id;
  for (int i = 0; id.size() < 56; ++i) {  // Ray's length: 28 bytes
    char part[17];
    std::snprintf(part, sizeof part, "%016llx",
                  static_cast<unsigned long long>(Mix(hash + static_cast<uint64_t>(i))));
    id += part;
  }
  id.resize(56);
  return id;
}

std::string DeploymentName(std::string_view model_name) {
  std::string name = "LLMServer:";
  for (const char c : model_name) {
    if (c == '/') {
      name += "--";
    } else {
      name += c == '.' ? '_' : c;
    }
  }
  return name;
}

void SetViewFact(const std::string& key, const std::string& value) {
  Facts& facts = TheFacts();
  std::lock_guard lock(facts.mutex);
  facts.values[key] = value;
}

std::string ViewFact(const std::string& key) {
  Facts& facts = TheFacts();
  std::lock_guard lock(facts.mutex);
  const auto it = facts.values.find(key);
  return it == facts.values.end() ? "" : it->second;
}

}  // namespace hearth::metrics
