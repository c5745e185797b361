// ModelManager: the models this box serves, by name.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "firmware/models/replica.h"

namespace hearth::models {

struct ModelStatus {
  std::string model_name;
  std::string path;
  double created_time_s = 0;  // Unix: when this box began to serve it
  ReplicaStatus replica;
  int num_ongoing = 0;
};

// A submitted request. Destroying it before its final event was read aborts the request in the engine.
class Ticket {
 public:
  Ticket(std::shared_ptr<Replica> replica, std::shared_ptr<TokenStream> stream)
      : replica_(std::move(replica)), stream_(std::move(stream)) {}
  ~Ticket();
  Ticket(Ticket&&) = default;
  Ticket& operator=(Ticket&&) = delete;

  std::optional<StreamEvent> Next(std::chrono::duration<double> timeout);

 private:
  std::shared_ptr<Replica> replica_;
  std::shared_ptr<TokenStream> stream_;  // null after a move
  bool finished_ = false;
};

class ModelManager {
 public:
  // engine_executable: path of hearth-engine.
  ModelManager(std::string engine_executable, metrics::Registry* registry);

  // Starts serving; returns at once, the load goes on in the replica's thread.
  void Serve(protocol::Load load);

  // Assigns the request id and hands the request to the model's replica with the fewest ongoing
  // requests. model_name may be empty when exactly one model is served. kNotFound for an unknown model.
  Result<Ticket> Submit(const std::string& model_name, protocol::Generate generate);

  // The served name that `model_name` means, or kNotFound with the names that are served.
  Result<std::string> Resolve(const std::string& model_name) const;

  std::vector<ModelStatus> Statuses() const;
  void Stop();

 private:
  struct Model {
    protocol::Load load;
    double created_time_s;
    std::vector<std::shared_ptr<Replica>> replicas;
  };

  const Model* Find(const std::string& model_name) const;

  const std::string engine_executable_;
  metrics::Registry* const registry_;
  metrics::ServiceObserver service_observer_;
  std::vector<Model> models_;  // fixed once serving starts
  std::atomic<uint64_t> next_request_id_{1};
};

}  // namespace hearth::models
