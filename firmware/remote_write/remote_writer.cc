#include "firmware/remote_write/remote_writer.h"

#include <algorithm>
#include <chrono>
#include <cctype>
#include <fstream>
#include <sstream>
#include <utility>

#include "base/log.h"
#include "base/version.h"

namespace hearth::remote_write {

namespace {

using metrics::MetricId;

Result<std::string> ReadSecret(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return NotFound("cannot read " + path);
  std::string secret = text.str();
  while (!secret.empty() && std::isspace(static_cast<unsigned char>(secret.back())) != 0) {
    secret.pop_back();
  }
  return secret;
}

std::string Base64(const std::string& bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    for (size_t j = 0; j < 3; ++j) {
      group = group << 8 | (j < count ? static_cast<uint8_t>(bytes[i + j]) : 0u);
    }
    for (size_t j = 0; j < 4; ++j) {
      text += j <= count ? kDigits[group >> (18 - 6 * j) & 63] : '=';
    }
  }
  return text;
}

bool IsLabelName(const std::string& name) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0])) != 0) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  });
}

// What the receiver said, in one line.
std::string FirstLine(const std::string& body) {
  return body.substr(0, std::min<size_t>(body.find('\n'), 300));
}

}  // namespace

Status CheckOptions(const RemoteWriteOptions& options) {
  HEARTH_RETURN_IF_ERROR(HttpClient::CheckUrl(options.url));
  if (options.username.empty() != options.password_file.empty()) {
    return InvalidArgument("a user of remote write needs a password file, and the other way round");
  }
  if (!options.username.empty() && !options.bearer_token_file.empty()) {
    return InvalidArgument("remote write takes a user with a password or a bearer token, not both");
  }
  for (const std::string& header : options.headers) {
    const bool has_line_end = header.find_first_of("\r\n") != std::string::npos;
    if (header.find(':') == std::string::npos || has_line_end) {
      return InvalidArgument("'" + header + "' is no header; write 'Name: value'");
    }
  }
  return Status::Ok();
}

Result<promql::Labels> ParseExternalLabels(const std::vector<std::string>& pairs) {
  std::vector<promql::Labels::Pair> labels;
  for (const std::string& pair : pairs) {
    const size_t equals = pair.find('=');
    std::string name = pair.substr(0, equals);
    if (equals == std::string::npos || !IsLabelName(name) || name == "__name__") {
      return InvalidArgument("'" + pair + "' is no label; write name=value");
    }
    labels.emplace_back(std::move(name), pair.substr(equals + 1));
  }
  return promql::Labels(std::move(labels));
}

RemoteWriter::RemoteWriter(RemoteWriteOptions options, storage::History* history,
                           metrics::Registry* registry, const Clock* clock)
    : options_(std::move(options)),
      registry_(registry),
      names_(options_.views, options_.external_labels),
      client_(&stopping_),
      pusher_(options_.pusher, history, &names_, clock,
              [this](const std::string& body) { return Send(body); }) {
  Publish();
  thread_ = std::thread([this] { Run(); });
}

RemoteWriter::~RemoteWriter() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void RemoteWriter::Run() {
  while (!stopping_) {
    const double wait_s = pusher_.Step();
    Publish();
    if (wait_s == 0) continue;
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, std::chrono::duration<double>(wait_s), [this] { return stopping_.load(); });
  }
}

Result<std::vector<std::string>> RemoteWriter::Headers() const {
  std::vector<std::string> headers = {
      "Content-Type: application/x-protobuf", "Content-Encoding: snappy",
      "X-Prometheus-Remote-Write-Version: 0.1.0", "User-Agent: hearth/" + std::string(kVersion),
      "Expect:"};
  headers.insert(headers.end(), options_.headers.begin(), options_.headers.end());
  if (!options_.username.empty()) {
    HEARTH_ASSIGN_OR_RETURN(const std::string password, ReadSecret(options_.password_file));
    headers.push_back("Authorization: Basic " + Base64(options_.username + ":" + password));
  } else if (!options_.bearer_token_file.empty()) {
    HEARTH_ASSIGN_OR_RETURN(const std::string token, ReadSecret(options_.bearer_token_file));
    headers.push_back("Authorization: Bearer " + token);
  }
  return headers;
}

// The protocol's own rule: what is wrong with a request stays wrong, all else is tried again.
Delivery RemoteWriter::Send(const std::string& body) {
  using enum Delivery::Kind;
  auto headers = Headers();
  if (!headers.ok()) return {kAgain, "", headers.status().message()};
  const auto answer = client_.Do({.method = "POST",
                                  .url = options_.url,
                                  .headers = *std::move(headers),
                                  .body = body,
                                  .timeout_s = options_.request_timeout_s});
  if (!answer.ok()) return {kAgain, "", answer.status().message()};
  const int status = answer->status;
  if (status / 100 == 2) return {kAcknowledged, "", ""};
  const std::string message =
      options_.url + " answered " + std::to_string(status) + ": " + FirstLine(answer->body);
  if (status / 100 == 5 || status == 429) {
    return {kAgain, "", message, answer->retry_after_s.value_or(0)};
  }
  return {kRefused, "http_" + std::to_string(status), message};
}

void RemoteWriter::Publish() {
  const Pusher::Counts& counts = pusher_.counts();
  const auto set = [&](MetricId id, double value) { registry_->Set(registry_->Get(id), value); };
  set(MetricId::kRemoteWriteSamples, static_cast<double>(counts.samples_sent));
  set(MetricId::kRemoteWriteSamplesRetried, static_cast<double>(counts.samples_retried));
  set(MetricId::kRemoteWriteRequestsFailed, static_cast<double>(counts.requests_failed));
  // The usual reason is there from the start, so that its increase is seen.
  registry_->Get(MetricId::kRemoteWriteSamplesDropped, {"http_400"});
  for (const auto& [reason, samples] : counts.samples_dropped) {
    registry_->Set(registry_->Get(MetricId::kRemoteWriteSamplesDropped, {reason}),
                   static_cast<double>(samples));
  }
  metrics::Metric* const newest = registry_->Get(MetricId::kRemoteWriteNewestSent);
  registry_->SetExposed(newest, counts.newest_sent_ms > 0);
  registry_->Set(newest, static_cast<double>(counts.newest_sent_ms) / 1000);
  const int64_t behind_ms = std::max<int64_t>(counts.newest_ms - counts.acknowledged_ms, 0);
  set(MetricId::kRemoteWriteBacklog, static_cast<double>(behind_ms) / 1000);
}

}  // namespace hearth::remote_write
