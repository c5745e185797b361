// One HTTP request at a time to somebody else, over a connection that is kept.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hearth {

struct ClientRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::string> headers = {};  // "Name: value"
  std::string_view body = {};
  std::string body_file = {};  // sent instead of `body`
  // Where a 2xx answer's body goes instead of into memory; an existing file is written over.
  std::string answer_file = {};
  // Takes a 2xx answer's body piece by piece as it comes, instead of into memory. False: enough, the
  // rest is not waited for and what was taken is an answer.
  std::function<bool(std::string_view piece)> on_body = {};
  double timeout_s = 30;  // of the whole; 0: none, but a connection that stands still ends
  double still_s = 60;    // a connection is given up after so long without a byte; 0: never
};

struct ClientAnswer {
  int status = 0;
  std::string body;  // its first 4 MiB; empty where it went elsewhere
  std::optional<double> retry_after_s;
};

// Used by one thread.
class HttpClient {
 public:
  // kInvalidArgument when the URL is not http:// or https://.
  static Status CheckUrl(const std::string& url);

  // `stop`, if there is one, breaks a request off within a second once it is true.
  explicit HttpClient(const std::atomic<bool>* stop = nullptr);
  ~HttpClient();

  // Any HTTP status is an answer; redirects are not followed. kUnavailable: there was none.
  Result<ClientAnswer> Do(const ClientRequest& request);

 private:
  struct Handle;
  const std::atomic<bool>* const stop_;
  std::unique_ptr<Handle> handle_;
};

}  // namespace hearth
