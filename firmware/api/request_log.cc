#include "firmware/api/request_log.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/clock.h"
#include "base/fields.h"
#include "base/log.h"
#include "firmware/metrics/metric_defs.h"

namespace hearth::api {
namespace {

// What a client chose the length of. A row has at most some 700 bytes with these.
constexpr size_t kModelNameBytesMax = 128;
constexpr size_t kErrorBytesMax = 300;
constexpr int64_t kFileBytesMax = int64_t{8} << 20;

void Shorten(std::string& text, size_t bytes_max) {
  if (text.size() <= bytes_max) return;
  // Not inside a character of UTF-8.
  while (bytes_max > 0 && (static_cast<unsigned char>(text[bytes_max]) & 0xc0) == 0x80) --bytes_max;
  text.resize(bytes_max);
  text += "…";
}

bool IsAnswered(const std::string& outcome) {
  return std::find(std::begin(metrics::kAnswerReasons), std::end(metrics::kAnswerReasons),
                   outcome) != std::end(metrics::kAnswerReasons);
}

// Columns instead of rows: a name stands once in a batch.
std::vector<uint8_t> Encode(const std::vector<LoggedRequest>& rows) {
  Json columns = Json::object();
  for (const LoggedRequest& row : rows) {
    const Json object = ToJson(row);
    for (const auto& [name, value] : object.items()) columns[name].push_back(value);
  }
  return DumpCbor(columns);
}

Result<std::vector<LoggedRequest>> Decode(std::span<const uint8_t> batch) {
  HEARTH_ASSIGN_OR_RETURN(const Json columns, ParseCbor(batch));
  if (!columns.is_object() || !columns.contains("id") || !columns["id"].is_array()) {
    return DataLoss("a batch of the request log has no ids");
  }
  std::vector<LoggedRequest> rows;
  for (size_t i = 0; i < columns["id"].size(); ++i) {
    Json object = Json::object();
    for (const auto& [name, values] : columns.items()) {
      if (!values.is_array() || values.size() != columns["id"].size()) {
        return DataLoss("the column '" + name + "' of the request log has not its length");
      }
      object[name] = values[i];
    }
    HEARTH_ASSIGN_OR_RETURN(rows.emplace_back(), FromJson<LoggedRequest>(object));
  }
  return rows;
}

}  // namespace

bool RequestFilter::Takes(const LoggedRequest& row) const {
  const auto is = [](const std::string& wanted, const std::string& value) {
    return wanted.empty() || wanted == value;
  };
  const bool outcome_fits = outcome == "answered" ? IsAnswered(row.outcome)
                            : outcome == "failed" ? !IsAnswered(row.outcome)
                                                  : is(outcome, row.outcome);
  return outcome_fits && is(model_name, row.model_name) && is(endpoint, row.endpoint) &&
         is(request_id, row.request_id) && row.status >= status_min && row.status <= status_max &&
         row.time_ms >= since_ms && (!before || row.id < *before) && row.e2e_ms >= e2e_ms_min;
}

RequestLog::RequestLog(const Options& options, metrics::Registry* registry)
    : options_(options),
      registry_(registry),
      dropped_(registry->Get(metrics::MetricId::kRequestLogDropped)) {}

std::unique_ptr<RequestLog> RequestLog::Open(const Options& options, metrics::Registry* registry) {
  std::unique_ptr<RequestLog> log(new RequestLog(options, registry));
  auto file = storage::RingFile::Open({options.path, "the request log",
                                       static_cast<int64_t>(options.kept), kFileBytesMax});
  if (file.ok()) {
    log->file_ = *std::move(file);
    if (const std::string& why = log->file_->set_aside(); !why.empty()) {
      log->troubles_.push_back(why);
    }
    log->Load();
    log->writer_ = std::thread([log = log.get()] { log->Run(); });
  } else {
    log->troubles_.push_back("the request log ends with this process: " + file.status().message());
    LOG(kError) << log->troubles_.back();
  }
  return log;
}

void RequestLog::Load() {
  const Status loaded = file_->ForEach([this](std::span<const uint8_t> batch) {
    auto rows = Decode(batch);
    if (!rows.ok()) {
      LOG(kError) << "a batch of the request log is left out: " << rows.status().message();
      return;
    }
    for (LoggedRequest& row : *rows) {
      next_id_ = std::max(next_id_, row.id + 1);
      rows_.push_back(std::move(row));
    }
  });
  if (!loaded.ok()) {
    troubles_.push_back("the request log is not whole: " + loaded.message());
    LOG(kError) << troubles_.back();
  }
  while (rows_.size() > options_.kept) rows_.pop_front();
}

RequestLog::~RequestLog() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (writer_.joinable()) writer_.join();
}

void RequestLog::Add(LoggedRequest row) {
  Shorten(row.model_name, kModelNameBytesMax);
  Shorten(row.error, kErrorBytesMax);
  std::lock_guard lock(mutex_);
  row.id = next_id_++;
  rows_.push_back(std::move(row));
  if (file_ != nullptr) ++pending_;
  while (rows_.size() > options_.kept) rows_.pop_front();
  if (pending_ <= rows_.size()) return;
  registry_->Add(dropped_, static_cast<double>(pending_ - rows_.size()));
  pending_ = rows_.size();
}

void RequestLog::Run() {
  const std::chrono::duration<double> interval(options_.commit_interval_s);
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    wake_.wait_for(lock, interval, [this] { return stopping_; });
    WritePending(lock);
  }
  WritePending(lock);  // what came during the last write
}

void RequestLog::WritePending(std::unique_lock<std::mutex>& lock) {
  if (pending_ == 0) return;
  const std::vector<LoggedRequest> rows(rows_.end() - static_cast<ptrdiff_t>(pending_),
                                        rows_.end());
  const int64_t last_id = rows.back().id;
  lock.unlock();
  const std::vector<uint8_t> batch = Encode(rows);
  const Status written = file_->Append(batch, static_cast<int64_t>(rows.size()));
  lock.lock();
  // What could not be written waits for the next time, as long as it is in the ring.
  if (written.ok()) pending_ = static_cast<size_t>(rows_.empty() ? 0 : rows_.back().id - last_id);
  pending_ = std::min(pending_, rows_.size());
}

FoundRequests RequestLog::Find(const RequestFilter& filter) const {
  FoundRequests found;
  std::lock_guard lock(mutex_);
  found.kept = rows_.size();
  if (!rows_.empty()) found.oldest_ms = rows_.front().time_ms;
  std::vector<const LoggedRequest*> taken;
  for (auto row = rows_.rbegin(); row != rows_.rend(); ++row) {
    found.model_names.insert(row->model_name);
    if (filter.Takes(*row)) taken.push_back(&*row);
  }
  found.matched = taken.size();
  const auto count = static_cast<ptrdiff_t>(std::min(filter.limit, taken.size()));
  if (filter.slowest_first) {
    std::partial_sort(
        taken.begin(), taken.begin() + count, taken.end(),
        [](const LoggedRequest* a, const LoggedRequest* b) { return a->e2e_ms > b->e2e_ms; });
  }
  for (ptrdiff_t i = 0; i < count; ++i) {
    found.requests.push_back(*taken[static_cast<size_t>(i)]);
  }
  return found;
}

RequestNote::RequestNote(RequestLog* log, const http::Request& request)
    : log_(log), arrival_time_s_(request.arrival_time_s) {
  row_.request_id = request.request_id;
  row_.endpoint = request.path;
  row_.time_ms =
      WallMillis() - std::llround((MonotonicSeconds() - request.arrival_time_s) * 1000);
}

RequestNote::~RequestNote() {
  row_.e2e_ms = std::round((MonotonicSeconds() - arrival_time_s_) * 1e6) / 1e3;
  log_->Add(std::move(row_));
}

void RequestNote::End(std::string_view outcome, int http_status, std::string error) {
  row_.outcome = outcome;
  row_.status = http_status;
  row_.error = std::move(error);
}

void RequestNote::Refuse(std::string_view outcome, int http_status, const std::string& param,
                         const std::string& message) {
  if (param.empty()) return End(outcome, http_status, "the body was refused");
  if (param.starts_with("messages") || param.starts_with("prompt")) {
    return End(outcome, http_status, "'" + param + "' was refused");
  }
  const size_t first = message.find('"');
  const size_t last = message.rfind('"');
  std::string error = message.substr(0, first);
  if (first != std::string::npos) {
    error += "…";
    if (last != first) error += message.substr(last + 1);
  }
  End(outcome, http_status, std::move(error));
}

}  // namespace hearth::api
