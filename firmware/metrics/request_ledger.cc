#include "firmware/metrics/request_ledger.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"

namespace hearth::metrics {
namespace {

constexpr double kRateWindowS = 60;

template <size_t kSize>
void CheckKnown(const std::string_view (&names)[kSize], std::string_view name) {
  CHECK(std::find(std::begin(names), std::end(names), name) != std::end(names)) << name;
}

// What the box owes its clients: these count against the objectives.
bool IsOurFault(std::string_view reason) {
  return reason == "overloaded" || reason == "unavailable" || reason == "engine_died" ||
         reason == "engine_error" || reason == "request_quarantined" || reason == "lost";
}

}  // namespace

RequestLedger::Entry::Entry(Entry&& other) noexcept
    : ledger_(std::exchange(other.ledger_, nullptr)),
      model_name_(other.model_name_),
      id_(other.id_),
      ended_(other.ended_) {}

RequestLedger::Entry::~Entry() {
  if (ledger_ != nullptr && !ended_) Failed("lost");
}

void RequestLedger::Entry::Answered(std::string_view finish_reason) {
  CheckKnown(kAnswerReasons, finish_reason);
  ended_ = true;
  ledger_->End(*this, MetricId::kRequestsAnswered, finish_reason);
}

void RequestLedger::Entry::Failed(std::string_view reason) {
  CheckKnown(kFailureReasons, reason);
  ended_ = true;
  ledger_->End(*this, MetricId::kRequestFailures, reason);
}

RequestLedger::RequestLedger(Registry* registry) : registry_(registry) {
  OnModelKnown("", nullptr);
}

void RequestLedger::OnModelKnown(const std::string& model_name, SloJudge* slo) {
  std::lock_guard lock(mutex_);
  books_[model_name].slo = slo;
  registry_->Get(MetricId::kRequestsStarted, {model_name});
  registry_->Get(MetricId::kRequestsInFlight, {model_name});
  registry_->Get(MetricId::kRequestsUnaccounted, {model_name});
  for (const std::string_view reason : kFailureReasons) {
    registry_->Get(MetricId::kRequestFailures, {model_name, std::string(reason)});
  }
  for (const std::string_view reason : kAnswerReasons) {
    registry_->Get(MetricId::kRequestsAnswered, {model_name, std::string(reason)});
  }
}

RequestLedger::Entry RequestLedger::Begin(const std::string& model_name) {
  std::lock_guard lock(mutex_);
  const uint64_t id = next_id_++;
  Book& book = books_[model_name];
  ++book.started;
  book.open.insert(id);
  registry_->Add(registry_->Get(MetricId::kRequestsStarted, {model_name}));
  registry_->Set(registry_->Get(MetricId::kRequestsInFlight, {model_name}),
                 static_cast<double>(book.open.size()));
  return Entry(this, model_name, id);
}

void RequestLedger::End(const Entry& entry, MetricId id, std::string_view reason) {
  std::lock_guard lock(mutex_);
  Book& book = books_[entry.model_name_];
  ++book.ended;
  book.open.erase(entry.id_);
  registry_->Add(registry_->Get(id, {entry.model_name_, std::string(reason)}));
  registry_->Set(registry_->Get(MetricId::kRequestsInFlight, {entry.model_name_}),
                 static_cast<double>(book.open.size()));
  const bool failed = id == MetricId::kRequestFailures && IsOurFault(reason);
  if (failed && book.slo != nullptr) book.slo->OnFailed();
}

void RequestLedger::UpdateRate(const std::string& model_name, Book& book) {
  const double now_s = MonotonicSeconds();
  auto& stamps = book.started_at;
  stamps.emplace_back(now_s, book.started);
  while (stamps.size() > 2 && now_s - stamps[1].first >= kRateWindowS) stamps.pop_front();
  const double elapsed_s = now_s - stamps.front().first;
  const auto started = static_cast<double>(book.started - stamps.front().second);
  registry_->Set(registry_->Get(MetricId::kRequestRate, {model_name}),
                 elapsed_s > 0 ? started / elapsed_s : 0);
}

void RequestLedger::Balance() {
  std::lock_guard lock(mutex_);
  for (auto& [model_name, book] : books_) {
    UpdateRate(model_name, book);
    const double unaccounted = static_cast<double>(book.started) - static_cast<double>(book.ended) -
                               static_cast<double>(book.open.size());
    registry_->Set(registry_->Get(MetricId::kRequestsUnaccounted, {model_name}), unaccounted);
    if (unaccounted != 0 && book.was_balanced) {
      LOG(kError) << "the requests of model '" << model_name << "' do not add up: " << book.started
                  << " started, " << book.ended << " ended, " << book.open.size() << " in flight";
    }
    book.was_balanced = unaccounted == 0;
  }
}

}  // namespace hearth::metrics
