#include "firmware/usage_facts.h"

#include <gnu/libc-version.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "firmware/http_client/http_client.h"

namespace hearth {
namespace {

using models::ReplicaState;

constexpr double kSendTimeoutS = 30;

// Classes only: the text of an error may hold paths.
std::string OutcomeOf(ReplicaState state) {
  switch (state) {
    case ReplicaState::kReady:
    case ReplicaState::kRestarting:
    case ReplicaState::kDegraded:
      return "success";
    case ReplicaState::kLoading:
      return "starting";
    case ReplicaState::kFailed:
    case ReplicaState::kStopped:
      break;
  }
  return "other";
}

}  // namespace

usage::UsageFacts CollectUsage(const std::vector<apply::ServedModel>& serving,
                               const std::vector<models::ModelStatus>& statuses,
                               const std::optional<apply::ApplyStatus>& last_apply,
                               std::vector<std::string> gpus) {
  usage::UsageFacts facts;
  if (last_apply && last_apply->has_ended()) {
    facts.apply_outcome = last_apply->reason.empty() ? last_apply->state : last_apply->reason;
  }
  facts.os = "linux";
  facts.libc_version = std::string("glibc ") + ::gnu_get_libc_version();
  facts.num_cpus = static_cast<int>(std::thread::hardware_concurrency());
  facts.memory_bytes = int64_t{::sysconf(_SC_PHYS_PAGES)} * ::sysconf(_SC_PAGESIZE);
  facts.gpus = std::move(gpus);
  for (const apply::ServedModel& served : serving) {
    usage::UsageModel model;
    model.config = served.config;
    const auto status = std::find_if(statuses.begin(), statuses.end(), [&](const auto& one) {
      return one.model_name == served.name();
    });
    model.outcome = "other";
    if (status != statuses.end()) {
      const protocol::Ready& ready = status->replica.ready;
      model.architecture = ready.architecture;
      model.device = ready.device;
      model.dtype = ready.dtype;
      model.max_model_len = ready.max_model_len;
      model.outcome = OutcomeOf(status->replica.state);
      facts.settled = facts.settled && status->replica.state != ReplicaState::kLoading;
    }
    facts.models.push_back(std::move(model));
  }
  return facts;
}

Result<int> SendUsage(const std::string& url, const std::string& body,
                      const std::atomic<bool>* stop) {
  HttpClient client(stop);
  ClientRequest request;
  request.method = "POST";
  request.url = url;
  request.headers = {"Content-Type: application/json"};
  request.body = body;
  request.timeout_s = kSendTimeoutS;
  HEARTH_ASSIGN_OR_RETURN(const ClientAnswer answer, client.Do(request));
  return answer.status;
}

}  // namespace hearth
