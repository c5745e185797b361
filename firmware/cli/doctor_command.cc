// hearth doctor: all checks, one after the other.
#include "firmware/cli/command.h"
#include "firmware/cli/doctor.h"
#include "firmware/cli/terminal.h"

namespace hearth::cli {
namespace {

// Of the state directory; what models leave free is more.
constexpr uint64_t kStateReserveBytes = uint64_t{1} << 30;

std::vector<Finding> CheckAll(const Patient& patient) {
  // A box elsewhere: of its machine only the box itself can tell.
  if (!patient.is_here) return {CheckBox(patient)};
  return {CheckConfig(patient),
          CheckDriver(patient.account),
          CheckCpu(),
          CheckMemory(patient),
          CheckDisk("disk of the state", patient.state_directory, kStateReserveBytes),
          CheckDisk("disk of models", patient.models_directory,
                    static_cast<uint64_t>(patient.disk_reserve_bytes)),
          CheckPermissions("path of the state", patient.state_directory, patient.account),
          CheckPermissions("path of models", patient.models_directory, patient.account),
          CheckSandbox(patient, HasSystemdUnit()),
          CheckOpenFiles(patient),
          CheckClock(),
          CheckPort(patient),
          CheckBox(patient)};
}

Status Doctor(const Invocation& invocation, const std::string& config_file) {
  const Patient patient = Examine(invocation.url, invocation.state, config_file);
  const std::vector<Finding> findings = CheckAll(patient);
  const Json document = ToJson(findings);
  if (invocation.json) {
    PrintJson(document);
  } else {
    Print(ToText(findings));
  }
  const auto problems = document["problems"].get<int64_t>();
  if (problems == 0) return Status::Ok();
  return FailedPrecondition(std::to_string(problems) +
                            (problems == 1 ? " problem keeps" : " problems keep") +
                            " this machine from being a box");
}

}  // namespace

void AddDoctorCommand(CLI::App& hearth, Invocation& invocation) {
  const auto config_file = std::make_shared<std::string>();
  AddCommand(hearth, invocation, "doctor",
             "looks for what keeps this machine from serving, and says what to do",
             [&invocation, config_file] { return Doctor(invocation, *config_file); })
      ->add_option("--config", *config_file,
                   "the configuration of the box; /etc/hearth/hearth.yaml when absent")
      ->type_name("FILE");
}

}  // namespace hearth::cli
