#include "firmware/cli/doctor.h"

#include <algorithm>
#include <utility>

namespace hearth::cli {
namespace {

const char* NameOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kOk:
      return "ok";
    case Verdict::kWarning:
      return "warning";
    case Verdict::kProblem:
      break;
  }
  return "problem";
}

int64_t CountOf(const std::vector<Finding>& findings, Verdict verdict) {
  return std::count_if(findings.begin(), findings.end(),
                       [&](const Finding& finding) { return finding.verdict == verdict; });
}

std::string Padded(std::string text, size_t width) {
  text.resize(std::max(text.size() + 1, width), ' ');
  return text;
}

}  // namespace

Finding Good(std::string check, std::string found) {
  return {std::move(check), Verdict::kOk, std::move(found), ""};
}
Finding Warn(std::string check, std::string found, std::string remedy) {
  return {std::move(check), Verdict::kWarning, std::move(found), std::move(remedy)};
}
Finding Bad(std::string check, std::string found, std::string remedy) {
  return {std::move(check), Verdict::kProblem, std::move(found), std::move(remedy)};
}

Json ToJson(const std::vector<Finding>& findings) {
  Json checks = Json::array();
  for (const Finding& finding : findings) {
    checks.push_back({{"check", finding.check},
                      {"verdict", NameOf(finding.verdict)},
                      {"found", finding.found},
                      {"remedy", finding.remedy}});
  }
  const int64_t problems = CountOf(findings, Verdict::kProblem);
  return Json{{"ok", problems == 0},
              {"warnings", CountOf(findings, Verdict::kWarning)},
              {"problems", problems},
              {"checks", std::move(checks)}};
}

std::string ToText(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    text += Padded(NameOf(finding.verdict), 9) + Padded(finding.check, 24) + finding.found + "\n";
    if (!finding.remedy.empty()) text += std::string(33, ' ') + "-> " + finding.remedy + "\n";
  }
  return text;
}

bool ModeAllows(const struct stat& file, const Account& account, mode_t need) {
  if (account.uid == 0) return true;
  mode_t has = file.st_mode & 7;
  if (file.st_uid == account.uid) {
    has = file.st_mode >> 6 & 7;
  } else if (std::find(account.gids.begin(), account.gids.end(), file.st_gid) !=
             account.gids.end()) {
    has = file.st_mode >> 3 & 7;
  }
  return (has & need) == need;
}

}  // namespace hearth::cli
