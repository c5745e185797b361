// GET from a hub, with its redirects, within V-6: at most three of them, https or the hub's own host,
// hosts of a list, addresses looked up once, judged and pinned; the token goes to the hub alone.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hearth::library {

inline constexpr char kDefaultEndpoint[] = "https://huggingface.co";

// Where models come from, and what may be asked on the way there.
struct HubAccess {
  std::string endpoint = kDefaultEndpoint;
  std::string token;       // of HF_TOKEN or the file of it; never in a message
  std::vector<std::string> allowed_hosts;  // "hf.co": this host and all below it
};

// kInvalidArgument: no http:// or https:// URL of a host, or one with a password in it.
Status CheckEndpoint(const std::string& endpoint);

struct ByteRange {
  uint64_t begin = 0;
  uint64_t end = 0;  // one past the last
};

struct TransferReply {
  int status = 0;
  std::string etag;         // the hub's own of the file (X-Linked-Etag), else the last host's; no quotes
  std::string next;         // of the Link header; empty: the last page
  std::string error_code;   // X-Error-Code: "RepoNotFound", "GatedRepo", "RevisionNotFound", ...
  std::optional<uint64_t> whole_bytes;  // of the file, of Content-Range or Content-Length
  std::optional<double> retry_after_s;
};

// Takes the next piece of a 200 or 206, and what is known of the answer by then; what it returns but Ok
// ends the transfer, and is its outcome.
using ByteSink = std::function<Status(const TransferReply& reply, std::string_view piece)>;

// Used by one thread; keeps its connections.
class Transfer {
 public:
  // `access` outlives it. Once `stopped` says so a transfer breaks off within a second: kAborted.
  Transfer(const HubAccess* access, std::function<bool()> stopped);
  ~Transfer();

  // Any HTTP status but a redirect is a reply. kUnavailable: there was none, or it broke off; trying
  // again may help. kInvalidArgument: where it led is refused.
  Result<TransferReply> Get(const std::string& url, const std::optional<ByteRange>& range,
                            const ByteSink& sink);

 private:
  struct Handle;
  const HubAccess* const access_;
  const std::function<bool()> stopped_;
  std::unique_ptr<Handle> handle_;
};

}  // namespace hearth::library
