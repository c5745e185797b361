#include "firmware/models/ticket.h"

#include <utility>

#include "base/clock.h"

namespace hearth::models {

Result<Ticket> Ticket::Submit(std::string model_name, protocol::Generate generate,
                              metrics::RequestFacts facts, Place place, Quarantine* quarantine,
                              metrics::ServiceObserver* observer) {
  const uint64_t fingerprint = Quarantine::Fingerprint(model_name, generate);
  if (!quarantine->empty()) {
    const Status refused = quarantine->Check(fingerprint, MonotonicSeconds());
    if (!refused.ok()) {
      observer->OnQuarantined();
      return refused;
    }
  }
  HEARTH_ASSIGN_OR_RETURN(Placed placed, place(generate, facts));
  return Ticket(std::move(model_name), fingerprint, std::move(placed),
                {std::move(generate), std::move(facts), std::move(place)}, quarantine, observer);
}

Ticket::~Ticket() {
  if (placed_.stream != nullptr && !finished_) placed_.replica->Abort(placed_.stream->request_id());
}

std::optional<StreamEvent> Ticket::Next(std::chrono::duration<double> timeout) {
  const double deadline_s = MonotonicSeconds() + timeout.count();
  while (true) {
    const std::chrono::duration<double> left(deadline_s - MonotonicSeconds());
    auto event = placed_.stream->Next(left);
    if (!event) return std::nullopt;
    if (auto told = OnEvent(*std::move(event))) {
      finished_ = IsFinal(*told);
      return told;
    }
  }
}

std::optional<StreamEvent> Ticket::OnEvent(StreamEvent event) {
  if (auto* gone = std::get_if<EngineGone>(&event)) return OnGone(std::move(*gone));
  if (std::holds_alternative<protocol::Accepted>(event)) {
    if (std::exchange(was_accepted_, true)) return std::nullopt;
  } else if (std::holds_alternative<protocol::RequestDelta>(event)) {
    again_.reset();  // what was handed out cannot be taken back
  } else if (const auto* finished = std::get_if<protocol::FinishedRequest>(&event)) {
    const bool is_answered =
        finished->finish_reason == "stop" || finished->finish_reason == "length";
    if (is_answered && !quarantine_->empty()) quarantine_->OnAnswered(fingerprint_);
  }
  return event;
}

std::optional<StreamEvent> Ticket::OnGone(EngineGone gone) {
  if (gone.was_suspect && quarantine_->OnCrash(fingerprint_, gone.crash_id, model_name_,
                                               MonotonicSeconds())) {
    observer_->OnQuarantined();
    return Quarantined{kQuarantinedMessage};
  }
  if (gone.crash_id == 0 || !again_) return gone;
  Again again = *std::exchange(again_, std::nullopt);
  ++again.facts.num_requeues;
  auto placed = again.place(std::move(again.generate), std::move(again.facts));
  if (!placed.ok()) {
    gone.message += " (" + placed.status().message() + ")";
    return gone;
  }
  observer_->OnRequeued();
  placed_ = std::move(placed).value();
  return std::nullopt;
}

}  // namespace hearth::models
