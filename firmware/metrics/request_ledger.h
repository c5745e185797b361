// RequestLedger: every inference request is entered once and ends once, with what became of it.
//
// Started = answered + failed + in flight, for every model at every moment (I-20). The ledger keeps
// the ids that are open, not a difference of counters, so that a request that ends twice or never
// shows.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "firmware/metrics/registry.h"
#include "firmware/metrics/slo.h"

namespace hearth::metrics {

class RequestLedger {
 public:
  explicit RequestLedger(Registry* registry);

  // Makes the children of a model that is served, at 0. `slo` outlives the ledger's use of the
  // model.
  void OnModelKnown(const std::string& model_name, SloJudge* slo);

  // One request. Exactly one of Answered and Failed is to be called; a destructor that finds
  // neither ends it as "lost".
  class Entry {
   public:
    Entry(Entry&& other) noexcept;
    Entry& operator=(Entry&&) = delete;
    ~Entry();

    void Answered(std::string_view finish_reason);  // one of kAnswerReasons
    void Failed(std::string_view reason);           // one of kFailureReasons

   private:
    friend class RequestLedger;
    Entry(RequestLedger* ledger, std::string model_name, uint64_t id)
        : ledger_(ledger), model_name_(std::move(model_name)), id_(id) {}

    RequestLedger* ledger_;  // null after a move
    const std::string model_name_;
    const uint64_t id_;
    bool ended_ = false;
  };

  // model_name: a served one, or "" (a client's free text must not become a label).
  Entry Begin(const std::string& model_name);

  // Sets hearth_requests_unaccounted and hearth_requests_per_second; logs when the books do not
  // balance. Once a second.
  void Balance();

 private:
  struct Book {
    SloJudge* slo = nullptr;
    uint64_t started = 0;
    uint64_t ended = 0;
    std::unordered_set<uint64_t> open;
    bool was_balanced = true;
    std::deque<std::pair<double, uint64_t>> started_at;  // (monotonic, started), oldest first
  };

  void UpdateRate(const std::string& model_name, Book& book);

  void End(const Entry& entry, MetricId id, std::string_view reason);

  Registry* const registry_;
  std::mutex mutex_;
  std::map<std::string, Book> books_;
  uint64_t next_id_ = 1;
};

}  // namespace hearth::metrics
