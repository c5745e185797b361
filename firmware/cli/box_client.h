// JSON to and from the API of a hearthd.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "firmware/cli/command.h"
#include "firmware/http_client/http_client.h"

namespace hearth::cli {

// As systemd/hearth.service has it.
inline constexpr const char* kUsualUrl = "http://127.0.0.1:8080";

struct BoxAnswer {
  int http_status = 0;
  std::string text;
  Json json;  // null when the text is none
};

// One segment of a path: everything but letters, digits, "-._~" as %XX.
std::string PathSegment(std::string_view text);

class BoxClient {
 public:
  // Of the invocation's --url, or the usual one.
  explicit BoxClient(const Invocation& invocation);

  // Any HTTP status is an answer; kUnavailable: there was none.
  Result<BoxAnswer> Ask(const std::string& method, const std::string& path,
                        const Json& body = nullptr);

  // What a 2xx answer holds. Else a Status with the answer's own words.
  Result<Json> Get(const std::string& path);
  Result<Json> Post(const std::string& path, const Json& body);
  Result<Json> Delete(const std::string& path);

  // POSTs `body` and hands a 2xx answer on as it comes, without a limit of time: whoever waits has
  // Ctrl-C. on_body false: enough. `stop` breaks it off, which is kAborted.
  Status Stream(const std::string& path, const Json& body, const std::atomic<bool>* stop,
                const std::function<bool(std::string_view piece)>& on_body);

  const std::string& url() const { return url_; }

  static Status RefusalOf(const BoxAnswer& answer);

 private:
  Result<BoxAnswer> Send(ClientRequest request, const Json& body, const std::atomic<bool>* stop);

  std::string url_;
};

}  // namespace hearth::cli
