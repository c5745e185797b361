// hearth doctor: what of this machine keeps a box from doing its work. Each check says what it found
// and what to do; none needs a running box, none changes anything.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "firmware/config/box_config.h"

namespace hearth::cli {

enum class Verdict { kOk, kWarning, kProblem };

struct Finding {
  std::string check;  // "driver", "disk of models", …
  Verdict verdict = Verdict::kOk;
  std::string found;   // a sentence
  std::string remedy;  // what to do; empty when all is well
};

Finding Good(std::string check, std::string found);
Finding Warn(std::string check, std::string found, std::string remedy);
Finding Bad(std::string check, std::string found, std::string remedy);

// {"ok": no problem, "warnings", "problems", "checks": [{"check", "verdict", "found", "remedy"}]}
Json ToJson(const std::vector<Finding>& findings);
std::string ToText(const std::vector<Finding>& findings);

// As whom hearthd runs, or will.
struct Account {
  std::string name;
  uid_t uid = 0;
  std::vector<gid_t> gids;
  bool is_this_process = false;  // the kernel can be asked
};

// What the mode of a file lets an account do. need: of S_IRWXO's bits, e.g. 1 to search a directory.
// The superuser may everything; an access control list is not looked at.
bool ModeAllows(const struct stat& file, const Account& account, mode_t need);

// What is looked at.
struct Patient {
  std::string url;               // where the box should answer
  bool is_here = true;           // the URL names this machine
  std::string state_directory;
  std::string models_directory;
  std::string host;
  int port = 0;
  int64_t memory_limit_bytes = 0;
  int64_t disk_reserve_bytes = 0;  // 0: as the library has it
  std::optional<pid_t> hearthd;  // the process that listens on the port, when it is one
  Account account;
  std::vector<std::string> config_problems;  // errors of the box's configuration
  std::vector<std::string> config_files;     // those that were read
};

// doctor_machine.cc
Finding CheckDriver(const Account& account);
Finding CheckCpu();
Finding CheckMemory(const Patient& patient);
Finding CheckClock();
Finding CheckOpenFiles(const Patient& patient);

// doctor_disk.cc
// Of the file system where `directory` is or would be made. reserve_bytes: what is to stay free; 0: as
// the library has it.
Finding CheckDisk(const std::string& check, const std::string& directory, uint64_t reserve_bytes);
// Component by component, links followed: who cannot search which, and can the last one be written?
Finding CheckPermissions(const std::string& check, const std::string& directory,
                         const Account& account);
// What the sandbox of systemd/hearth.service hides or makes read-only.
Finding CheckSandbox(const Patient& patient, bool has_unit);
bool HasSystemdUnit();

// doctor_box.cc
// A socket that listens, of /proc/net/tcp or tcp6.
struct Listener {
  std::string address;  // "127.0.0.1", "0.0.0.0", "::1", "::"
  uint64_t inode = 0;
};
std::vector<Listener> ListenersOn(int port, const std::string& proc_net_tcp, bool is_v6);
// Everything of the patient that the box, its configuration and /proc tell.
// url, state, config_file: as the caller named them; empty: not named.
Patient Examine(const std::string& url, const std::string& state, const std::string& config_file);
Finding CheckConfig(const Patient& patient);
Finding CheckPort(const Patient& patient);
Finding CheckBox(const Patient& patient);

}  // namespace hearth::cli
