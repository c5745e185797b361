// hearth doctor: the box itself, its configuration and its port.
#include <arpa/inet.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "base/version.h"
#include "firmware/cli/box_client.h"
#include "firmware/cli/doctor.h"
#include "firmware/cli/proc_files.h"
#include "firmware/cli/read_json.h"
#include "firmware/cli/served_models.h"
#include "firmware/http_client/http_client.h"

namespace hearth::cli {
namespace {

namespace fs = std::filesystem;

constexpr double kPatienceS = 5;
constexpr const char* kServiceUser = "hearth";  // of the package
constexpr int kGroupsMax = 256;

// The address between "//" and the port or the path.
std::string HostOf(const std::string& url) {
  const size_t begin = url.find("//");
  std::string host = url.substr(begin == std::string::npos ? 0 : begin + 2);
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.find_first_of(":/"));
}

bool IsLoopback(const std::string& host) {
  return host == "localhost" || host.starts_with("127.") || host == "::1";
}

Result<ClientAnswer> AskBox(const std::string& url, const std::string& path) {
  HttpClient client;
  return client.Do({.url = url + path, .timeout_s = kPatienceS});
}

config::LoadedBoxConfig LoadConfig(const std::string& config_file) {
  config::BoxConfigSources sources;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view variable = *entry;
    const size_t equals = variable.find('=');
    if (equals == std::string_view::npos) continue;
    sources.environment.emplace_back(variable.substr(0, equals), variable.substr(equals + 1));
  }
  const char* const asked = std::getenv(config::kConfigFileVariable);
  const std::string file = !config_file.empty() ? config_file : asked != nullptr ? asked : "";
  if (!file.empty()) {
    sources.file = file;
    sources.file_required = true;
  }
  return config::LoadBoxConfig(sources);
}

// What a running box was told wins over files, which may have changed since.
void TakeSettings(const Json& answer, config::BoxConfig& box) {
  for (const Json& setting : ListOf(answer, "settings")) {
    const std::string path = TextOf(setting, "path");
    if (path == "state_directory") box.state_directory = TextOf(setting, "value");
    if (path == "models_directory") box.models_directory = TextOf(setting, "value");
    if (path == "memory_limit_bytes") box.memory_limit_bytes = CountOf(setting, "value");
    if (path == "hub.disk_reserve_bytes") box.hub.disk_reserve_bytes = CountOf(setting, "value");
    if (path == "listen.host") box.listen.host = TextOf(setting, "value");
    if (path == "listen.port") box.listen.port = static_cast<int>(CountOf(setting, "value"));
  }
}

// As the URL has it; 80 or 443 when it has none.
int PortOf(const std::string& url) {
  const size_t host = url.find("//") == std::string::npos ? 0 : url.find("//") + 2;
  const size_t end = url.find('/', host);
  const std::string place = url.substr(host, end == std::string::npos ? end : end - host);
  const size_t colon = place.rfind(':');
  if (colon != std::string::npos && place.find(']', colon) == std::string::npos) {
    return std::atoi(place.c_str() + colon + 1);
  }
  return url.starts_with("https") ? 443 : 80;
}

std::string AddressOf(const std::string& hex, bool is_v6) {
  // Words of 32 bits in the machine's own order.
  std::array<uint32_t, 4> words{};
  for (size_t i = 0; i < (is_v6 ? 4u : 1u); ++i) {
    words[i] = static_cast<uint32_t>(std::strtoul(hex.substr(i * 8, 8).c_str(), nullptr, 16));
  }
  char text[INET6_ADDRSTRLEN] = "";
  ::inet_ntop(is_v6 ? AF_INET6 : AF_INET, words.data(), text, sizeof(text));
  return text;
}

struct Process {
  pid_t pid = 0;
  std::string name;
};

// Who holds a socket open; nullopt when that is not shown to this user.
std::optional<Process> HolderOf(uint64_t inode) {
  const std::string socket = "socket:[" + std::to_string(inode) + "]";
  std::error_code error;
  for (const auto& process : fs::directory_iterator("/proc", error)) {
    const std::string pid = process.path().filename().string();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    std::error_code closed;
    fs::directory_iterator descriptor(process.path() / "fd", closed);
    for (; !closed && descriptor != fs::end(descriptor); descriptor.increment(closed)) {
      std::error_code gone;
      if (fs::read_symlink(descriptor->path(), gone) != socket) continue;
      std::string name = ProcText(process.path() / "comm");
      name.erase(name.find_last_not_of('\n') + 1);
      return Process{std::atoi(pid.c_str()), name};
    }
  }
  return std::nullopt;
}

std::vector<Listener> AllListeners(int port) {
  std::vector<Listener> listeners = ListenersOn(port, ProcText("/proc/net/tcp"), false);
  for (Listener& other : ListenersOn(port, ProcText("/proc/net/tcp6"), true)) {
    listeners.push_back(std::move(other));
  }
  return listeners;
}

Account ThisAccount() {
  Account account;
  account.uid = ::geteuid();
  const passwd* const user = ::getpwuid(account.uid);
  account.name = user != nullptr ? user->pw_name : std::to_string(account.uid);
  account.is_this_process = true;
  return account;
}

Account AccountOfUser(const passwd& user) {
  if (user.pw_uid == ::geteuid()) return ThisAccount();
  Account account;
  account.name = user.pw_name;
  account.uid = user.pw_uid;
  int count = kGroupsMax;
  account.gids.resize(kGroupsMax);
  ::getgrouplist(user.pw_name, user.pw_gid, account.gids.data(), &count);
  account.gids.resize(static_cast<size_t>(std::min(count, kGroupsMax)));
  return account;
}

// The user of a hearthd that runs, else the one that the package made for it, else this one.
Account FindAccount(const std::optional<pid_t>& hearthd) {
  if (hearthd) {
    struct stat process {};
    const std::string place = "/proc/" + std::to_string(*hearthd);
    if (::stat(place.c_str(), &process) == 0) {
      if (const passwd* const user = ::getpwuid(process.st_uid)) return AccountOfUser(*user);
    }
  }
  if (const passwd* const user = ::getpwnam(kServiceUser)) return AccountOfUser(*user);
  return ThisAccount();
}

// "'demo' is failed: why", of each that does not serve and will not when it is asked.
std::string UnwellModels(const std::string& url) {
  const auto answered = AskBox(url, "/api/models");
  if (!answered.ok() || answered->status != 200) return "it does not say what it serves";
  const auto json = ParseJson(answered->body);
  if (!json.ok()) return "it does not say what it serves";
  std::string unwell;
  for (const Json& model : ListOf(*json, "models")) {
    if (IsWell(model)) continue;
    const std::string why = TextOf(model, "why");
    unwell += (unwell.empty() ? "'" : "; '") + TextOf(model, "model_name") + "' is " +
              TextOf(model, "state") + (why.empty() ? "" : ": " + why);
  }
  return unwell;
}

}  // namespace

std::vector<Listener> ListenersOn(int port, const std::string& proc_net_tcp, bool is_v6) {
  constexpr const char* kListen = "0A";
  std::vector<Listener> listeners;
  std::istringstream lines(proc_net_tcp);
  std::string line;
  std::getline(lines, line);  // the names of the columns
  while (std::getline(lines, line)) {
    // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode
    std::istringstream words(line);
    std::string slot, local, remote, state, queues, timer, retransmits, uid, timeout;
    uint64_t inode = 0;
    words >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >>
        inode;
    const size_t colon = local.find(':');
    if (!words || state != kListen || colon == std::string::npos) continue;
    if (std::strtol(local.c_str() + colon + 1, nullptr, 16) != port) continue;
    listeners.push_back({AddressOf(local.substr(0, colon), is_v6), inode});
  }
  return listeners;
}

Patient Examine(const std::string& url, const std::string& state, const std::string& config_file) {
  Patient patient;
  config::LoadedBoxConfig loaded = LoadConfig(config_file);
  for (const config::PlacedProblem& placed : loaded.problems) {
    if (placed.problem.severity != config::Severity::kError) continue;
    patient.config_problems.push_back(placed.ToString());
  }
  for (const config::ConfigFile& file : loaded.files) {
    if (file.exists) patient.config_files.push_back(file.path);
  }
  config::BoxConfig& box = loaded.config;
  const std::string host =
      box.listen.host == "0.0.0.0" || box.listen.host == "::" ? "127.0.0.1" : box.listen.host;
  patient.url = !url.empty() ? url : "http://" + host + ":" + std::to_string(box.listen.port);
  while (patient.url.ends_with('/')) patient.url.pop_back();
  patient.is_here = url.empty() || IsLoopback(HostOf(patient.url));
  if (!url.empty()) box.listen.port = PortOf(patient.url);
  if (patient.is_here) {
    const auto settings = AskBox(patient.url, "/api/settings");
    const int port = box.listen.port;
    if (settings.ok() && settings->status == 200) {
      if (const auto json = ParseJson(settings->body); json.ok()) TakeSettings(*json, box);
    }
    if (box.listen.port == 0) box.listen.port = port;  // it took any free one
  }
  if (!state.empty()) box.state_directory = state;
  patient.state_directory = fs::absolute(box.state_directory).lexically_normal().string();
  patient.models_directory =
      box.models_directory.empty() ? patient.state_directory + "/models" : box.models_directory;
  patient.host = box.listen.host;
  patient.port = box.listen.port;
  patient.memory_limit_bytes = box.memory_limit_bytes;
  patient.disk_reserve_bytes = box.hub.disk_reserve_bytes;
  for (const Listener& listener : AllListeners(patient.port)) {
    const auto holder = HolderOf(listener.inode);
    if (holder && holder->name == "hearthd") patient.hearthd = holder->pid;
  }
  patient.account = FindAccount(patient.hearthd);
  return patient;
}

Finding CheckConfig(const Patient& patient) {
  constexpr const char* kCheck = "configuration";
  if (patient.config_problems.empty()) {
    std::string files;
    for (const std::string& file : patient.config_files) files += (files.empty() ? "" : ", ") + file;
    return Good(kCheck, files.empty() ? "there is no file; what it could say has its default"
                                      : files + " can be read");
  }
  std::string found;
  for (const std::string& problem : patient.config_problems) {
    found += (found.empty() ? "" : "; ") + problem;
  }
  return Bad(kCheck, found, "correct it: hearthd does not start with it");
}

Finding CheckPort(const Patient& patient) {
  constexpr const char* kCheck = "port";
  const std::string port = "port " + std::to_string(patient.port);
  const std::vector<Listener> listeners = AllListeners(patient.port);
  if (listeners.empty()) return Good(kCheck, port + " is free: nobody listens");
  for (const Listener& listener : listeners) {
    const std::string where = listener.address + ":" + std::to_string(patient.port);
    const auto holder = HolderOf(listener.inode);
    if (!holder) {
      return Warn(kCheck, "somebody listens on " + where + ", who is not shown to this user",
                  "run 'hearth doctor' as root to see whether it is hearthd");
    }
    if (holder->name != "hearthd") {
      return Bad(kCheck, "'" + holder->name + "' (process " + std::to_string(holder->pid) +
                             ") listens on " + where,
                 "end it, or give hearthd another port: listen.port in /etc/hearth/hearth.yaml");
    }
  }
  const std::string found = "hearthd (process " + std::to_string(patient.hearthd.value_or(0)) +
                            ") listens on " + listeners.front().address + ":" +
                            std::to_string(patient.port);
  if (IsLoopback(listeners.front().address)) {
    return Good(kCheck, found + ", for programs of this machine only");
  }
  return Good(kCheck, found);
}

Finding CheckBox(const Patient& patient) {
  constexpr const char* kCheck = "box";
  const auto answered = AskBox(patient.url, "/api/status");
  if (!answered.ok()) {
    const std::string found = "no box answers: " + answered.status().message();
    if (patient.hearthd) {
      return Bad(kCheck, found + ", though hearthd runs", "journalctl -u hearth says what it does");
    }
    return Warn(kCheck, found, HasSystemdUnit()
                                   ? "systemctl start hearth; 'journalctl -u hearth' says why it "
                                     "ended"
                                   : "start hearthd, or name the box with --url");
  }
  const auto json = ParseJson(answered->body);
  if (answered->status != 200 || !json.ok() || TextOf(*json, "version").empty()) {
    return Bad(kCheck, patient.url + " answers " + std::to_string(answered->status) +
                           " and is no hearthd", "name the box with --url");
  }
  const std::string version = TextOf(*json, "version");
  if (version != kVersion) {
    return Warn(kCheck, patient.url + " is version " + version + ", this command " +
                            std::string(kVersion),
                "restart hearthd when it was upgraded, or use the command of its version");
  }
  const std::string found = patient.url + " answers, version " + version;
  const std::string unwell = UnwellModels(patient.url);
  if (unwell.empty()) return Good(kCheck, found);
  return Warn(kCheck, found + "; " + unwell, "'hearth models' and 'hearth logs' say more");
}

}  // namespace hearth::cli
