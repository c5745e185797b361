// hearthd: the control plane of the appliance.

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>

#include "base/log.h"
#include "firmware/appliance.h"
#include "firmware/appliance_options.h"
#include "firmware/command_line.h"
#include "firmware/notify.h"

namespace hearth {
namespace {

constexpr int kExitFailed = 1;
constexpr int kExitMisconfigured = 2;

config::LoadedBoxConfig Load(const CommandLine& line) {
  config::BoxConfigSources sources;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view variable = *entry;
    const size_t equals = variable.find('=');
    if (equals == std::string_view::npos) continue;
    sources.environment.emplace_back(variable.substr(0, equals), variable.substr(equals + 1));
  }
  const char* const asked = std::getenv(config::kConfigFileVariable);
  const std::string file = !line.config_file.empty() ? line.config_file : asked ? asked : "";
  if (!file.empty()) {
    sources.file = file;
    sources.file_required = true;
  }
  sources.command_line = line.settings;
  return config::LoadBoxConfig(sources);
}

// Everything that is wrong, at once. False when something is: hearthd must not start.
bool Tell(const std::vector<config::PlacedProblem>& problems) {
  size_t errors = 0;
  for (const config::PlacedProblem& placed : problems) {
    const bool is_error = placed.problem.severity == config::Severity::kError;
    if (is_error) ++errors;
    if (is_error) {
      LOG(kError) << placed.ToString();
    } else {
      LOG(kWarning) << placed.ToString();
    }
  }
  if (errors > 0) {
    LOG(kError) << "hearthd does not start: " << errors
                << (errors == 1 ? " error" : " errors") << " in what it was told";
  }
  return errors == 0;
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

int Run(const ApplianceOptions& options) {
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
    return kExitFailed;
  }
  const std::string url =
      "http://" + options.host + ":" + std::to_string((*appliance)->port()) + "/";
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

int Main(int argc, char** argv) {
  const CommandLine line = ParseCommandLine(argc, argv);
  if (line.exit_status) return *line.exit_status;
  const config::LoadedBoxConfig loaded = Load(line);
  std::vector<config::PlacedProblem> problems = loaded.problems;
  problems.insert(problems.end(), line.problems.begin(), line.problems.end());
  const ApplianceOptions options = MakeApplianceOptions(loaded, line, problems);
  ::unsetenv("HF_TOKEN");  // the library has it; engines inherit the rest
  return Tell(problems) ? Run(options) : kExitMisconfigured;
}

}  // namespace
}  // namespace hearth

int main(int argc, char** argv) { return hearth::Main(argc, argv); }
