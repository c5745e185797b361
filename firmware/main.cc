// hearthd: the control plane of the appliance.

#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>

#include "base/log.h"
#include "base/version.h"
#include "firmware/appliance.h"
#include "firmware/notify.h"

namespace hearth {
namespace {

// hearth-engine lies beside hearthd unless --engine says otherwise.
std::string DefaultEngine() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return (self.parent_path() / "hearth-engine").string();
}

// The name a model is served under: that of its directory.
std::string NameOf(const std::string& model_directory) {
  const auto path = std::filesystem::path(model_directory).lexically_normal();
  const auto name = path.has_filename() ? path.filename() : path.parent_path().filename();
  return name.string();
}

void AddOptions(CLI::App& app, ApplianceOptions& options) {
  protocol::Load& load = options.load;
  app.set_version_flag("--version", std::string(kVersion));
  app.add_option("--host", options.host, "address to listen on")->capture_default_str();
  app.add_option("--port", options.port, "port to listen on; 0 takes any free one")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  app.add_option("--state", options.state_directory, "directory of the history; made if absent")
      ->required();
  app.add_option("--model", load.model, "Hugging Face model directory to serve")->required();
  app.add_option("--served-model-name", load.served_model_name,
                 "name clients ask for; the directory's name when absent");
  app.add_option("--engine", options.engine_executable, "path of hearth-engine")
      ->capture_default_str();
  app.add_option("--max-model-len", load.max_model_len, "context length in tokens; 0 = the model's")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--max-num-seqs", load.max_num_seqs, "sequences in one step")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--max-num-batched-tokens", load.max_num_batched_tokens, "tokens in one step")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  app.add_option("--kv-cache-memory-bytes", load.kv_cache_bytes,
                 "bytes of the KV cache; 0 = chosen from free memory")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--history-commit-interval", options.history_commit_interval_s,
                 "seconds of history a crash may lose; shorter writes more to the disk")
      ->check(CLI::Range(1.0, 3600.0))
      ->capture_default_str();
  app.add_option("--dtype", load.dtype, "how weights are kept")
      ->check(CLI::IsMember({"auto", "bfloat16", "float32"}))
      ->capture_default_str();
  app.add_option("--threads", load.num_threads, "threads of the CPU engine; 0 = physical cores")
      ->check(CLI::NonNegativeNumber);
}

int WaitForStop(const sigset_t& signals, const Appliance& appliance) {
  std::string last;
  while (true) {
    const timespec second{1, 0};
    const int number = sigtimedwait(&signals, nullptr, &second);
    if (number > 0) return number;
    std::string status = appliance.StatusLine();
    if (status != last) NotifySystemd("STATUS=" + status);
    last = std::move(status);
  }
}

int Main(int argc, char** argv) {
  CLI::App app("Hearth: an LLM appliance. Serves a model over the OpenAI API, with its own dashboard, "
               "metric history and Prometheus endpoint.");
  ApplianceOptions options;
  options.engine_executable = DefaultEngine();
  AddOptions(app, options);
  CLI11_PARSE(app, argc, argv);
  if (options.load.served_model_name.empty()) {
    options.load.served_model_name = NameOf(options.load.model);
  }

  // Blocked before any thread starts, so that only WaitForStop sees them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);

  auto appliance = Appliance::Start(options);
  if (!appliance.ok()) {
    LOG(kError) << appliance.status().message();
    return 1;
  }
  const std::string url =
      "http://" + options.host + ":" + std::to_string((*appliance)->port()) + "/";
  LOG(kInfo) << "serving model '" << options.load.served_model_name << "' from "
             << options.load.model;
  std::printf("Hearth is up: %s\n", url.c_str());
  std::fflush(stdout);
  NotifySystemd("READY=1\nSTATUS=" + (*appliance)->StatusLine());

  WaitForStop(signals, **appliance);
  LOG(kInfo) << "stopping: no new requests, streams may finish";
  NotifySystemd("STOPPING=1\nSTATUS=draining");
  (*appliance).reset();
  LOG(kInfo) << "stopped";
  return 0;
}

}  // namespace
}  // namespace hearth

int main(int argc, char** argv) { return hearth::Main(argc, argv); }
