// Pushes this box's metrics to a receiver of Prometheus's remote write protocol 1.0, for boxes that
// nobody can scrape. One thread of its own: a receiver that hangs or is away for a week holds
// nobody else up.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "firmware/http_client/http_client.h"
#include "firmware/metrics/name_views.h"
#include "firmware/metrics/registry.h"
#include "firmware/remote_write/pushed_names.h"
#include "firmware/remote_write/pusher.h"
#include "storage/history.h"

namespace hearth::remote_write {

struct RemoteWriteOptions {
  std::string url;  // e.g. http://prometheus:9090/api/v1/write; empty: nothing is pushed
  // At most one of the two. Files are read for each request, so that what is in them may change.
  std::string username;  // with password_file
  std::string password_file;
  std::string bearer_token_file;
  std::vector<std::string> headers;  // "Name: value"
  promql::Labels external_labels;
  metrics::ViewSet views = metrics::ViewSet::Default();
  double request_timeout_s = 30;
  PusherOptions pusher;
};

// kInvalidArgument naming what does not fit.
Status CheckOptions(const RemoteWriteOptions& options);

// {"name=value", ...}. kInvalidArgument for a name that is no label's.
Result<promql::Labels> ParseExternalLabels(const std::vector<std::string>& pairs);

class RemoteWriter {
 public:
  // `options` are checked. `history` and `registry` outlive this.
  RemoteWriter(RemoteWriteOptions options, storage::History* history, metrics::Registry* registry,
               const Clock* clock = Clock::System());
  // Breaks off what is under way; it is sent after the next start.
  ~RemoteWriter();

 private:
  void Run();
  Delivery Send(const std::string& body);
  Result<std::vector<std::string>> Headers() const;
  void Publish();

  const RemoteWriteOptions options_;
  metrics::Registry* const registry_;
  const PushedNames names_;
  std::atomic<bool> stopping_ = false;
  HttpClient client_;
  Pusher pusher_;  // used by the thread alone

  std::mutex mutex_;
  std::condition_variable wake_;
  std::thread thread_;
};

}  // namespace hearth::remote_write
