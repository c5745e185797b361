// JSON to and from the API of a hearthd.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"
#include "firmware/cli/command.h"

namespace hearth::cli {

// As systemd/hearth.service has it.
inline constexpr const char* kUsualUrl = "http://127.0.0.1:8080";

struct BoxAnswer {
  int http_status = 0;
  std::string text;
  Json json;  // null when the text is none
};

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

  static Status RefusalOf(const BoxAnswer& answer);

 private:
  std::string url_;
};

}  // namespace hearth::cli
