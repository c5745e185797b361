// The bodies of /v1/chat/completions, /v1/completions and their stream chunks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "firmware/api/openai_request.h"

namespace hearth::api {

struct Usage {
  int prompt_tokens = 0;
  int completion_tokens = 0;
  int cached_tokens = 0;
};

// A request whose engine ended before its answer did.
struct LostRequest {
  std::string message = {};
  std::string request_id = {};  // the HTTP request's
  int generated_tokens = 0;
  int retry_after_s = 0;        // 0: there is no use in it
  bool is_quarantined = false;  // engines died of it
};

// {"error":{"message","type":"engine_restarted","param":null,"code":503,"request_id",
// "generated_tokens"}}; of a request in quarantine type invalid_request_error, code
// "request_quarantined".
Json LostRequestBody(const LostRequest& lost);

class ResponseWriter {
 public:
  // request_id: the HTTP request's; model: the served name.
  ResponseWriter(Endpoint endpoint, std::string_view request_id, std::string model,
                 int64_t created_s);

  // Of a choice: what was generated. token_ids: null when the client did not ask for them.
  struct Generated {
    std::string text;
    const std::vector<int>* token_ids = nullptr;
  };

  // The whole answer of a request that does not stream.
  Json Whole(const Generated& generated, const std::string& finish_reason,
             const Usage& usage) const;

  // Stream chunks; `usage` may be null: the field is then null (asked for) or absent.
  enum class UsageField { kAbsent, kNull, kPresent };
  Json Role(UsageField field, const Usage& usage) const;  // chat only: the first chunk
  Json Delta(const Generated& generated, UsageField field, const Usage& usage) const;
  Json Finish(const std::string& finish_reason, UsageField field, const Usage& usage) const;
  Json UsageOnly(const Usage& usage) const;  // empty choices, the last chunk

 private:
  bool chat() const { return endpoint_ == Endpoint::kChatCompletions; }
  Json Chunk(Json choices, UsageField field, const Usage& usage) const;
  Json Choice(Json content, Json finish_reason) const;

  const Endpoint endpoint_;
  const std::string id_;
  const std::string model_;
  const int64_t created_s_;
};

}  // namespace hearth::api
