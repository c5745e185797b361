#include "firmware/metrics/metrics_doc_text.h"

#include <array>

namespace hearth::metrics {
namespace {

constexpr Theme kEngineThemes[] = {
    {"vllm:num_requests_running", "Scheduler", ""},
    {"vllm:kv_cache_usage_perc", "Caches",
     "Hits and queries are counted in tokens: their ratio is the share of prompt tokens that cost "
     "nothing."},
    {"vllm:num_preemptions_total", "Tokens and outcomes", ""},
    {"vllm:request_prompt_tokens", "Sizes of requests", ""},
    {"vllm:time_to_first_token_seconds", "Latency",
     "TTFT and the end-to-end latency start when the request arrives in the HTTP front. The phases "
     "(queue, prefill, decode, inference) are the engine's own clock and are observed once, when "
     "the request finishes."},
    {"vllm:request_prefill_kv_computed_tokens", "Work done", ""},
};

constexpr Theme kServiceThemes[] = {
    {"ray_serve_deployment_request_counter", "Requests of a deployment",
     "A deployment is a model, a replica is one of its engine processes."},
    {"ray_serve_num_http_requests", "HTTP requests to the applications", ""},
    {"ray_serve_replica_processing", "Replicas, queue and router", ""},
    {"ray_serve_autoscaling_target", "Controller and loaded models", ""},
    {"ray_serve_llm_time_to_first_token", "Streams as a client sees them",
     "Measured in the HTTP front, chunk by chunk; `vllm:*` above measures tokens."},
    {"http_requests_total", "HTTP front",
     "The families of vLLM's front end, over every route and method."},
};

constexpr Theme kApplianceThemes[] = {
    {"hearth_build_info", "Build and models", ""},
    {"hearth_requests_started_total", "Every request is accounted for",
     "Each inference request ends exactly once: answered, or failed for one of the reasons. What "
     "started must equal what was answered, failed or is in flight; the box checks that every "
     "second."},
    {"hearth_time_to_first_token_seconds", "Latency in finer buckets",
     "The same observations as in `vllm:*`, with buckets from half a millisecond: vLLM's first "
     "bucket of the inter-token latency ends at 10 ms, where a small model has its whole "
     "distribution. They stay on when a model's engine families are off."},
    {"hearth_slo_target_seconds", "Service level objectives",
     "A good request was answered within every target of its model. good / judged is the "
     "attainment, the rate of good requests the goodput. No combination of histograms gives this: "
     "the condition joins TTFT and time per token of one request."},
    {"hearth_metrics_renders_total", "Metrics and history themselves", ""},
};

constexpr Theme kDeviceThemes[] = {
    {"hearth_gpu_info", "GPU: load",
     "GPU readings come through NVIDIA's driver (NVML). Without an NVIDIA GPU they are absent."},
    {"hearth_gpu_memory_total", "GPU: memory", ""},
    {"hearth_gpu_sm_clock", "GPU: clocks, temperature, power", ""},
    {"hearth_gpu_pcie", "GPU: PCIe", ""},
    {"hearth_gpu_correctable_remapped", "GPU: errors of its memory", ""},
    {"hearth_gpu_clocks_event", "GPU: what slows it, and XID errors",
     "A series of `hearth_gpu_xid_errors_total` begins with its first error, at 1, which `increase()` "
     "cannot see; HearthGpuXid in [the alert rules](../packaging/prometheus/hearth.rules.yml) does."},
    {"hearth_engine_", "Engine processes", ""},
    {"hearth_host_cpu", "Host: CPU and load", "Host readings come from /proc and /sys."},
    {"hearth_host_memory", "Host: memory", ""},
    {"hearth_host_filesystem", "Host: file systems and disks", ""},
    {"hearth_host_network", "Host: network", ""},
    {"hearth_host_hwmon", "Host: sensors", ""},
    {"hearth_host_pressure", "Host: pressure", "Whether work waits, and for what (PSI)."},
    {"hearth_host_file_handles", "Host: system", ""},
    {"process_", "This process",
     "hearthd, the control plane; engines are processes of their own."},
};

constexpr std::array kChapters = {
    Chapter{Source::kEngine, "Engine: `vllm:*`",
            "Names, types, labels, buckets and help are vLLM's (V1 engine), so that dashboards and "
            "alert rules written for vLLM work unchanged. Where vLLM never counts aborts and errors, "
            "Hearth does. `engine` is the replica's index. These families, and only these, follow "
            "`log_engine_metrics`.",
            kEngineThemes},
    Chapter{Source::kService, "Service: `ray_serve_*` and `http_*`",
            "What Ray Serve's dashboards ask a service for, and the HTTP families of vLLM's front "
            "end. Always on.",
            kServiceThemes},
    Chapter{Source::kAppliance, "Appliance: `hearth_*`",
            "What no existing name can carry. Always on.", kApplianceThemes},
    Chapter{Source::kDevice, "GPU, host and process",
            "A reading that does not exist is left out; it is never shown as 0. Always on.",
            kDeviceThemes},
};

}  // namespace

const std::string_view kDocIntroduction = R"(# Metrics

Every family that Hearth shows on `/metrics` and records in its history, once a second. This page is
written by `hearth-metrics-doc` from the table in `firmware/metrics`; edit the table, not the page.

## Scraping

    scrape_configs:
      - job_name: hearth
        static_configs:
          - targets: ['192.0.2.10:8080']

That is all a Prometheus needs; [packaging/prometheus](../packaging/prometheus/README.md) has the
complete configuration, one for many boxes, and alert rules with tests.

- **Formats.** Prometheus's text format 0.0.4 for everybody; OpenMetrics 1.0 for who prefers it in
  `Accept` (with `_created`, and exemplars that carry the request id). gzip when accepted.
- **Cost.** A scrape reads a page that was rendered from the last sample. It asks no engine, waits for
  none and resets nothing: any number of scrapers see the same counters, at most a second old.
- **Restarts.** Counters live in hearthd, so they survive an engine's crash or restart. A label child
  with known values exists at 0 from the moment the model is known: `rate()` misses no first event.
- **Your own queries.** The box answers PromQL over all of these names from its own history on
  `/api/v1/query` and `/api/v1/query_range`, whether anybody scrapes it or not.

## What is on

Everything is on by default. `log_engine_metrics: false` (per model, at once, without a restart) takes
that model's `vllm:*` families off `/metrics` and out of the history, under all their names;
`hearth_log_engine_metrics` shows the setting. They count on unseen, so that they are right when they
come back. Service, appliance and device families are always on.

## Views

A value is recorded once and shown under every name that existing dashboards ask for. A view is the set
of names one kind of reader knows. `/metrics?view=vllm&view=hearth` narrows one scrape to some of them;
`hearthd --metrics-views` chooses what a scrape without `?view=` gets. Queries on the box always see all
views.

)";

const std::string_view kDocViews = R"(
The `ray` view adds the labels that Ray's dashboards filter and join on: `WorkerId` and `ReplicaId`, and
for engine families `deployment` and `replica`. `WorkerId` is new with every start of hearthd, as with
Ray. The `dcgm`, `node` and `production_stack` views carry the labels and units of those exporters; a
factor behind a name says how its unit differs from ours.
)";

std::span<const Chapter> DocChapters() { return kChapters; }

}  // namespace hearth::metrics
