// The table of the box's settings: docs/CONFIG.md, packaging/hearth.yaml, the flags, the variables
// and the settings page are made from it.
#include "firmware/config/box_config.h"

namespace hearth::config {
namespace {

constexpr double kDayS = 86400;

// Says nothing of the value: it may be a secret.
std::optional<std::string> CheckTexts(const Json& value) {
  if (!value.is_object()) return "must be a map of names to texts";
  for (const auto& [name, text] : value.items()) {
    if (!text.is_string()) return "needs a text at '" + name + "'; put it in quotes";
    if (text.get<std::string>().find_first_of("\r\n") != std::string::npos) {
      return "has a line end at '" + name + "'";
    }
  }
  return std::nullopt;
}

template <typename Group>
void VisitGroup(FieldVisitor& v, const char* name, Group& group) {
  v.Object(Field(name), [&group](FieldVisitor& inner) { group.VisitFields(inner); });
}

}  // namespace

void ListenConfig::VisitFields(FieldVisitor& v) {
  v.Value(Field("host").Help("Address to listen on; 0.0.0.0 is all of them."), &host);
  v.Value(Field("port").Range(0, 65535).Help("Port to listen on; 0 takes any free one."), &port);
}

void ModelConfigFile::VisitFields(FieldVisitor& v) {
  v.Value(Field("file").Help("A model configuration (llm_configs, in YAML or JSON) to begin with."),
          &file);
  v.Value(Field("mode")
              .Choices({"seed", "pin"})
              .Help("seed: the file is applied when it has changed, and the models may be edited in "
                    "the browser afterwards. pin: what the file says is served, and the browser only "
                    "shows it."),
          &mode);
}

void ApplyConfig::VisitFields(FieldVisitor& v) {
  v.Value(Field("ready_timeout_s").Range(1, kDayS).Unit("s").Help(
              "How long new engines may take to load."),
          &ready_timeout_s);
  v.Value(Field("probe_timeout_s").Range(1, 3600).Unit("s").Help(
              "How long the one generation may take that proves a new engine."),
          &probe_timeout_s);
  v.Value(Field("watch_s").Range(0, kDayS).Unit("s").Help(
              "How long a new model configuration is watched before it is kept; an engine that "
              "crashes meanwhile brings the old one back."),
          &watch_s);
  v.Value(Field("drain_timeout_s").Range(0, kDayS).Unit("s").Help(
              "How long requests may run on at most where the old engine has to go before the new one "
              "starts; new requests wait meanwhile. Never longer than the model's "
              "graceful_shutdown_timeout_s."),
          &drain_timeout_s);
}

void RecoveryConfig::VisitFields(FieldVisitor& v) {
  v.Value(Field("crashes_max").Range(1, 100).Help(
              "After so many starts with the same models that ended in a crash the box starts "
              "without them: recovery mode."),
          &crashes_max);
  v.Value(Field("within_s").Range(1, kDayS).Unit("s").Help("How close together the crashes are."),
          &within_s);
}

void HistoryConfig::VisitFields(FieldVisitor& v) {
  v.Value(Field("commit_interval_s").Range(1, 3600).Unit("s").Help(
              "Seconds of history a crash may lose; shorter writes more to the disk."),
          &commit_interval_s);
}

void MetricsConfig::VisitFields(FieldVisitor& v) {
  v.Value(Field("views").DefaultText("those marked in docs/METRICS.md").Help(
              "Names that /metrics shows to who does not choose with ?view=."),
          &views);
}

void RulesConfig::VisitFields(FieldVisitor& v) {
  v.Value(Field("files").DefaultText("the shipped rules").Help(
              "Files of alerting and recording rules, as Prometheus's."),
          &files);
}

void AlertingConfig::VisitFields(FieldVisitor& v) {
  v.Value(Field("webhook_url").DefaultText("nothing is sent").Help(
              "An Alertmanager, or what speaks its API v2, that alerts are sent to."),
          &webhook_url);
}

void RemoteWriteConfig::VisitFields(FieldVisitor& v) {
  v.Value(Field("url").DefaultText("nothing is pushed").Help(
              "Receiver of Prometheus's remote write protocol that metrics are pushed to, e.g. "
              "http://prometheus:9090/api/v1/write."),
          &url);
  v.Value(Field("labels").DefaultText("job=hearth, instance=<host name>").Help(
              "Labels of every pushed series that lacks them."),
          &labels, CheckTexts);
  v.Value(Field("views").DefaultText("as metrics.views by default").Help("Names that are pushed."),
          &views);
  v.Value(Field("headers").Secret().Help("HTTP headers of every request."), &headers, CheckTexts);
  v.Value(Field("username").Help("For basic authentication."), &username);
  v.Value(Field("password_file").Help("File with its password, read for each request."),
          &password_file);
  v.Value(Field("bearer_token_file").Help("File with a bearer token, read for each request."),
          &bearer_token_file);
}

void UsageStatsConfig::VisitFields(FieldVisitor& v) {
  v.Value(Field("enabled").DefaultText("nobody has answered yet").Help(
              "May usage data be recorded and sent? While nothing says so, nothing is, until "
              "somebody answers on the usage page."),
          &enabled);
  v.Value(Field("url").DefaultText("nothing is sent").Help("Receiver of usage data."), &url);
  v.Value(Field("interval_s").Range(1, 7 * kDayS).Unit("s").Help("Time between two reports."),
          &interval_s);
}

void HubConfig::VisitFields(FieldVisitor& v) {
  v.Value(Field("endpoint").Help(
              "Where models are pulled from: Hugging Face's hub or a mirror of it. The variable "
              "HF_ENDPOINT sets it, too."),
          &endpoint);
  v.Value(Field("token_file").DefaultText("none").Help(
              "File with the token for private and gated models, read for each pull. The variable "
              "HF_TOKEN wins over it. It is sent to the endpoint alone."),
          &token_file);
  v.Value(Field("offline").Help(
              "The library makes no outbound connection at all; models are imported or uploaded. The "
              "variable HF_HUB_OFFLINE sets it, too."),
          &offline);
  v.Value(Field("allowed_hosts").Help(
              "Hosts, each with all below it, that the endpoint may redirect a download to; always "
              "over https, never to an address that is not public."),
          &allowed_hosts);
  v.Value(Field("connections").Range(1, 16).Help("Connections of one pull."), &connections);
  v.Value(Field("part_bytes").Range(64 << 10, int64_t{1} << 40).Unit("bytes").Help(
              "How much of a file one connection fetches at a time."),
          &part_bytes);
  v.Value(Field("disk_reserve_bytes").Range(0).DefaultText("2 GiB or 5 % of the disk, the larger")
              .Unit("bytes").Help("Space that pulls, imports and uploads leave free."),
          &disk_reserve_bytes);
}

void BoxConfig::VisitFields(FieldVisitor& v) {
  v.Value(Field("state_directory")
              .Help("Directory of the history and of the model configuration; made if absent."),
          &state_directory);
  v.Value(Field("engine_executable").DefaultText("hearth-engine beside hearthd").Help(
              "Path of hearth-engine."),
          &engine_executable);
  v.Value(Field("models_directory").DefaultText("models in the state directory").Help(
              "Where models are looked for by their id."),
          &models_directory);
  v.Value(Field("memory_limit_bytes").Range(0).Unit("bytes").Help(
              "Memory that the models may take together; 0 is what is free."),
          &memory_limit_bytes);
  VisitGroup(v, "listen", listen);
  VisitGroup(v, "model_config", model_config);
  VisitGroup(v, "apply", apply);
  VisitGroup(v, "recovery", recovery);
  VisitGroup(v, "history", history);
  VisitGroup(v, "metrics", metrics);
  VisitGroup(v, "rules", rules);
  VisitGroup(v, "alerting", alerting);
  VisitGroup(v, "remote_write", remote_write);
  VisitGroup(v, "usage_stats", usage_stats);
  VisitGroup(v, "hub", hub);
}

}  // namespace hearth::config
