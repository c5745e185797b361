// Ticket: a request that was given to a replica, as who answers its client holds it.
//
// A request whose engine ends before a token of it was handed out is placed once more, without its
// client's knowledge: nothing has been promised yet.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "engine/protocol/messages.h"
#include "firmware/metrics/observer.h"
#include "firmware/metrics/service_observer.h"
#include "firmware/models/quarantine.h"
#include "firmware/models/replica.h"
#include "firmware/models/token_stream.h"

namespace hearth::models {

// Where a request went.
struct Placed {
  std::shared_ptr<Replica> replica;
  std::shared_ptr<TokenStream> stream;
};

// Destroying it before its final event was read aborts the request in the engine.
class Ticket {
 public:
  // Places the request on a replica of its model; may wait in line (Deployment::Place).
  using Place =
      std::function<Result<Placed>(protocol::Generate generate, metrics::RequestFacts facts)>;

  // Places it. quarantine and observer outlive the ticket. kInvalidArgument for a request that is in
  // quarantine; whatever `place` says otherwise.
  static Result<Ticket> Submit(std::string model_name, protocol::Generate generate,
                               metrics::RequestFacts facts, Place place, Quarantine* quarantine,
                               metrics::ServiceObserver* observer);
  ~Ticket();
  Ticket(Ticket&&) = default;
  Ticket& operator=(Ticket&&) = delete;

  // The next event, or empty after `timeout`; longer where the request has to be placed once more.
  // Nothing follows a final event.
  std::optional<StreamEvent> Next(std::chrono::duration<double> timeout);

 private:
  // What it takes to place the request once more; empty when that is not possible any more.
  struct Again {
    protocol::Generate generate;
    metrics::RequestFacts facts;
    Place place;
  };

  Ticket(std::string model_name, uint64_t fingerprint, Placed placed, Again again,
         Quarantine* quarantine, metrics::ServiceObserver* observer)
      : model_name_(std::move(model_name)),
        fingerprint_(fingerprint),
        placed_(std::move(placed)),
        again_(std::move(again)),
        quarantine_(quarantine),
        observer_(observer) {}

  // What the client is told; empty when it need not know.
  std::optional<StreamEvent> OnGone(EngineGone gone);
  std::optional<StreamEvent> OnEvent(StreamEvent event);

  const std::string model_name_;
  const uint64_t fingerprint_;
  Placed placed_;  // of null pointers after a move
  std::optional<Again> again_;
  Quarantine* const quarantine_;
  metrics::ServiceObserver* const observer_;
  bool was_accepted_ = false;  // the client's side knows that
  bool finished_ = false;
};

}  // namespace hearth::models
