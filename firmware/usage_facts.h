// What the reporter of usage data is told of this box.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "firmware/apply/apply_status.h"
#include "firmware/apply/served_models.h"
#include "firmware/models/model_manager.h"
#include "firmware/usage/usage_reporter.h"

namespace hearth {

// serving: the models as they are configured, statuses: as they are, last_apply: as the
// applier tells it, gpus: a name each.
usage::UsageFacts CollectUsage(const std::vector<apply::ServedModel>& serving,
                               const std::vector<models::ModelStatus>& statuses,
                               const std::optional<apply::ApplyStatus>& last_apply,
                               std::vector<std::string> gpus);

// POSTs a report.
Result<int> SendUsage(const std::string& url, const std::string& body,
                      const std::atomic<bool>* stop);

}  // namespace hearth
