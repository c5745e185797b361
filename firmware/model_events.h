// Changes of the models that belong on a time line: loaded, crashed, removed, switched.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "firmware/models/model_manager.h"
#include "storage/history.h"

namespace hearth {

class ModelEvents {
 public:
  // Both outlive it.
  ModelEvents(storage::History* history, const Clock* clock) : history_(history), clock_(clock) {}

  // Adds an event for whatever is different from the call before. One thread.
  void Update(const std::vector<models::ModelStatus>& models);

 private:
  struct Seen {
    models::ReplicaState state = models::ReplicaState::kLoading;
    struct Replica {
      int restarts = 0;
      int stalls = 0;
      bool safe_mode = false;
    };
    std::map<int, Replica> replicas = {};  // by index
    bool log_engine_metrics = true;
    bool is_known = false;  // the call before had it
  };
  void Add(const char* kind, const std::string& text);

  storage::History* const history_;
  const Clock* const clock_;
  std::map<std::string, Seen> seen_;  // by model_name
};

}  // namespace hearth
