// deployment_config: Ray Serve's options of a deployment, and its autoscaling.
#include "firmware/config/llm_config_parts.h"

namespace hearth::config {
namespace {

using enum FieldType;

constexpr double kUnbounded = 1e9;  // how Ray Serve LLM writes "no bound"
constexpr double kYearS = 86400.0 * 365;
constexpr double kReplicasMax = 1000;
constexpr int kAutoReplicasMax = 100;  // Ray's meaning of num_replicas: auto
// clang-format off
constexpr UnusedField kInert[] = {
    {"name", kString, "Name of the deployment.",
     "deployments are named after model_id, as Ray Serve LLM does"},
    {"graceful_shutdown_wait_loop_s", kNumber, "How often a replica that goes is looked at.",
     "an engine that has nothing left to do goes at once"},
    {"health_check_period_s", kNumber, "How often replicas are asked.",
     "an engine is watched by its process, all the time"},
    {"health_check_timeout_s", kNumber, "How long they may take.",
     "an engine is watched by its process, all the time"},
    {"ray_actor_options", kObject, "Resources of the actor.",
     "there are no actors; the whole box is the engines'"},
    {"user_config", kAny, "Of deployments of one's own.", "the engine has none"},
    {"logging_config", kAny, "Ray Serve's logs.", "the log goes to the journal"},
    {"request_router_config", kAny, "A router of one's own.",
     "requests go to the engine with the fewest, and among equals to the one that has seen the "
     "beginning of the prompt"},
};

constexpr UnusedField kRefused[] = {
    {"max_concurrent_queries", kInteger, "Of older Ray.", "Ray renamed it; use max_ongoing_requests"},
    {"placement_group_bundles", kAny, "Of older Ray.",
     "Ray moved it; use placement_group_config beside deployment_config"},
    {"placement_group_strategy", kAny, "Of older Ray.",
     "Ray moved it; use placement_group_config beside deployment_config"},
};

constexpr UnusedField kAutoscalingInert[] = {
    {"smoothing_factor", kNumber, "Of older Ray.", "use upscaling_factor and downscaling_factor"},
    {"upscale_smoothing_factor", kNumber, "Of older Ray.", "use upscaling_factor"},
    {"downscale_smoothing_factor", kNumber, "Of older Ray.", "use downscaling_factor"},
    {"metrics_interval_s", kNumber, "How often replicas report.",
     "requests are counted where they are routed, at once"},
    {"aggregation_function", kString, "How requests are averaged.",
     "their mean over look_back_period_s is taken"},
    {"prometheus_metrics", kAny, "For policies of one's own.",
     "there is the policy of ongoing requests"},
};
// clang-format on

std::optional<std::string> CheckNumReplicas(const Json& value) {
  if (value == "auto") return std::nullopt;
  const bool is_count = value.is_number_integer() && value >= 0 && value <= kReplicasMax;
  if (is_count) return std::nullopt;
  return "must be an integer from 0 to 1000, or \"auto\", not " + ShowValue(value);
}

void VisitReplicas(AutoscalingConfig& c, FieldVisitor& v) {
  v.Value(Field("min_replicas")
              .Range(0, kReplicasMax)
              .Live()
              .Help("Engines that stay. 0: a model that nobody asks gives its memory back, and the next request loads it."),
          &c.min_replicas);
  v.Value(Field("initial_replicas")
              .Range(0, kReplicasMax)
              .DefaultText("min_replicas")
              .Live()
              .Help("Engines at the start."),
          &c.initial_replicas);
  v.Value(Field("max_replicas").Range(1, kReplicasMax).Live().Help("Engines at most."),
          &c.max_replicas);
}

void VisitFields(AutoscalingConfig& c, FieldVisitor& v) {
  VisitReplicas(c, v);
  const auto value = [&](Field field, const Slot& slot) {
    v.Value(field.Live(), slot);
  };
  value(Field("target_ongoing_requests").Above(0).Help("Requests of an engine, on average."),
        &c.target_ongoing_requests);
  value(Field("look_back_period_s").Above(0).Unit("s").Help("Over which requests are averaged."),
        &c.look_back_period_s);
  const auto delay = [&](Field field, const Slot& slot) {
    value(field.Range(0, kYearS).Unit("s"), slot);
  };
  delay(Field("upscale_delay_s").Help("How long more engines must be wanted to be started."),
        &c.upscale_delay_s);
  delay(Field("downscale_delay_s").Help("How long fewer engines must be wanted to be ended."),
        &c.downscale_delay_s);
  delay(Field("downscale_to_zero_delay_s")
            .DefaultText("downscale_delay_s")
            .Help("The same for the last engine."),
        &c.downscale_to_zero_delay_s);
  value(Field("upscaling_factor").Above(0).Help("Gain of a step up."), &c.upscaling_factor);
  value(Field("downscaling_factor").Above(0).Help("Gain of a step down."), &c.downscaling_factor);
  VisitInert(kAutoscalingInert, v);
  v.Unused(Field("policy")
               .Help("A policy of one's own.")
               .Refused("no Python runs on this box; the policy of ongoing requests holds"));
}

}  // namespace

void VisitFields(DeploymentConfig& c, FieldVisitor& v) {
  Json num_replicas = c.num_replicas;
  v.Value(Field("num_replicas")
              .Allowed("an integer from 0 to 1000, or \"auto\"")
              .Live()
              .Help("How many engines; instead of autoscaling_config."),
          &num_replicas, CheckNumReplicas);
  if (num_replicas.is_number_integer()) c.num_replicas = num_replicas.get<int>();
  bool has_autoscaling = c.autoscaling_config.has_value();
  AutoscalingConfig autoscaling = c.autoscaling_config.value_or(AutoscalingConfig());
  if (num_replicas == "auto") autoscaling.max_replicas = kAutoReplicasMax;
  v.Object(
      Field("autoscaling_config").Help("How many engines, by load."),
      [&](FieldVisitor& w) { VisitFields(autoscaling, w); }, &has_autoscaling);
  has_autoscaling = has_autoscaling || num_replicas == "auto";
  c.autoscaling_config = has_autoscaling ? std::optional(autoscaling) : std::nullopt;
  v.Value(Field("max_ongoing_requests")
              .Range(1, kUnbounded)
              .Live()
              .Help("Requests an engine works on at a time; more wait in line."),
          &c.max_ongoing_requests);
  v.Value(Field("max_queued_requests")
              .Range(-1, kUnbounded)
              .DefaultText("-1: no bound of its own")
              .Live()
              .Help("Requests that may wait in line; more get 503."),
          &c.max_queued_requests);
  v.Value(Field("graceful_shutdown_timeout_s")
              .Range(0, kYearS)
              .Unit("s")
              .Live()
              .Help("How long an engine that goes may finish its requests. (Ray's default is 20.)"),
          &c.graceful_shutdown_timeout_s);
  VisitInert(kInert, v);
  VisitRefused(kRefused, v);
}

}  // namespace hearth::config
