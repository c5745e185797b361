#include "firmware/library/transfer.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "firmware/library/addresses.h"

namespace hearth::library {
namespace {

constexpr int kRedirectsMax = 3;
constexpr long kConnectMs = 10'000;
constexpr long kStillS = 20;  // fewer than a byte a second for so long is a dead connection
constexpr long kBufferBytes = 256 * 1024;
constexpr uint64_t kErrorPageBytesMax = uint64_t{1} << 20;  // nobody reads it, and it must end

// One URL, taken apart.
struct Place {
  std::string url;
  std::string scheme;
  std::string host;  // lower case; IPv6 in brackets
  std::string port;

  std::string authority() const { return scheme + "://" + host + ":" + port; }
};

std::string Part(CURLU* url, CURLUPart part, unsigned int flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return "";
  std::string copy = text;
  curl_free(text);
  return copy;
}

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// `relative_to`: what `text` is taken relative to; empty for a URL of its own.
Result<Place> ParsePlace(const std::string& text, const std::string& relative_to = "") {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> url(curl_url(), curl_url_cleanup);
  if (url == nullptr) return Unavailable("no memory for a URL");
  if (!relative_to.empty()) curl_url_set(url.get(), CURLUPART_URL, relative_to.c_str(), 0);
  const CURLUcode code = curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0);
  if (code != CURLUE_OK) return InvalidArgument(std::string("no URL: ") + curl_url_strerror(code));
  if (!Part(url.get(), CURLUPART_USER).empty() || !Part(url.get(), CURLUPART_PASSWORD).empty()) {
    return InvalidArgument("a URL with a user or a password in it is not used");
  }
  Place place{.url = Part(url.get(), CURLUPART_URL),
              .scheme = Lower(Part(url.get(), CURLUPART_SCHEME)),
              .host = Lower(Part(url.get(), CURLUPART_HOST)),
              .port = Part(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT)};
  if (place.scheme != "https" && place.scheme != "http") {
    return InvalidArgument("'" + place.scheme + "' is no scheme for a download; only https is");
  }
  return place;
}

bool IsAllowed(const std::string& host, const std::vector<std::string>& allowed) {
  return std::any_of(allowed.begin(), allowed.end(), [&](const std::string& suffix) {
    return host == suffix || (!suffix.empty() && host.ends_with("." + suffix));
  });
}

std::string Trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return std::string(text);
}

// W/"abc" and "abc" are abc.
std::string Unquoted(std::string text) {
  if (text.starts_with("W/")) text.erase(0, 2);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    return text.substr(1, text.size() - 2);
  }
  return text;
}

std::optional<uint64_t> Number(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// <https://...>; rel="next", ...
std::string NextLink(std::string_view text) {
  const size_t rel = text.find("rel=\"next\"");
  const size_t close = text.rfind('>', rel);
  const size_t open = text.rfind('<', close);
  if (rel == std::string_view::npos || close == std::string_view::npos ||
      open == std::string_view::npos) {
    return "";
  }
  return std::string(text.substr(open + 1, close - open - 1));
}

// What one hop of a transfer collects.
struct Hop {
  CURL* curl = nullptr;
  const ByteSink* sink = nullptr;
  TransferReply* reply = nullptr;
  std::string* linked_etag = nullptr;  // what the hub says of the file it redirects to
  std::string location;
  uint64_t dropped_bytes = 0;
  Status sunk;
};

size_t OnHeader(char* data, size_t size, size_t count, void* context) {
  Hop& hop = *static_cast<Hop*>(context);
  const std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) hop.reply->whole_bytes.reset();  // the head of the next answer
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return line.size();
  const std::string name = Lower(std::string(line.substr(0, colon)));
  const std::string value = Trimmed(line.substr(colon + 1));
  if (name == "location") hop.location = value;
  if (name == "x-linked-etag") *hop.linked_etag = Unquoted(value);
  // The CDN only knows its own names of things.
  if (name == "etag" && hop.linked_etag->empty()) hop.reply->etag = Unquoted(value);
  if (!hop.linked_etag->empty()) hop.reply->etag = *hop.linked_etag;
  if (name == "link") hop.reply->next = NextLink(value);
  if (name == "x-error-code") hop.reply->error_code = value;
  if (name == "content-length" && !hop.reply->whole_bytes) hop.reply->whole_bytes = Number(value);
  if (name == "content-range") {
    hop.reply->whole_bytes = Number(value.substr(value.rfind('/') + 1));
  }
  return line.size();
}

size_t OnBody(char* data, size_t size, size_t count, void* context) {
  Hop& hop = *static_cast<Hop*>(context);
  const size_t bytes = size * count;
  long status = 0;
  curl_easy_getinfo(hop.curl, CURLINFO_RESPONSE_CODE, &status);
  if (status != 200 && status != 206) {
    hop.dropped_bytes += bytes;
    if (hop.dropped_bytes <= kErrorPageBytesMax) return bytes;
    hop.sunk = FailedPrecondition("the hub's answer " + std::to_string(status) + " has no end");
    return CURL_WRITEFUNC_ERROR;
  }
  hop.reply->status = static_cast<int>(status);
  hop.sunk = (*hop.sink)(*hop.reply, {data, bytes});
  return hop.sunk.ok() ? bytes : CURL_WRITEFUNC_ERROR;
}

int OnProgress(void* stopped, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return (*static_cast<const std::function<bool()>*>(stopped))() ? 1 : 0;
}

using Lines = std::unique_ptr<curl_slist, void (*)(curl_slist*)>;

}  // namespace

struct Transfer::Handle {
  Handle() {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    curl = curl_easy_init();
  }
  ~Handle() {
    if (curl != nullptr) curl_easy_cleanup(curl);
    curl_global_cleanup();
  }

  template <typename Value>
  void Set(CURLoption option, Value value) {
    curl_easy_setopt(curl, option, value);
  }
  void SetCommon(const std::function<bool()>* stopped);

  // kInvalidArgument when this place may not be asked. The addresses that it has are those that will be
  // asked: `pin` is for CURLOPT_RESOLVE and must outlive the transfer.
  Status Admit(const HubAccess& access, const Place& place, bool is_redirect, Lines& pin);

  CURL* curl = nullptr;
};

void Transfer::Handle::SetCommon(const std::function<bool()>* stopped) {
  curl_easy_reset(curl);  // connections are kept
  Set(CURLOPT_PROTOCOLS_STR, "http,https");
  Set(CURLOPT_FOLLOWLOCATION, 0L);  // each is looked at here
  Set(CURLOPT_PROXY, "");           // a proxy of the environment would resolve names for itself
  Set(CURLOPT_NOSIGNAL, 1L);
  Set(CURLOPT_CONNECTTIMEOUT_MS, kConnectMs);
  Set(CURLOPT_LOW_SPEED_LIMIT, 1L);
  Set(CURLOPT_LOW_SPEED_TIME, kStillS);
  Set(CURLOPT_BUFFERSIZE, kBufferBytes);
  Set(CURLOPT_USERAGENT, "hearth/" HEARTH_VERSION);
  Set(CURLOPT_NOPROGRESS, 0L);
  Set(CURLOPT_XFERINFOFUNCTION, &OnProgress);
  Set(CURLOPT_XFERINFODATA, stopped);
}

Status Transfer::Handle::Admit(const HubAccess& access, const Place& place, bool is_redirect,
                               Lines& pin) {
  HEARTH_ASSIGN_OR_RETURN(const Place hub, ParsePlace(access.endpoint));
  const bool is_hub = place.authority() == hub.authority();
  const std::string leads = is_redirect ? "the hub redirects to " : "the hub's page names ";
  if (!is_hub && place.scheme != "https") {
    return InvalidArgument(leads + place.authority() + ", which is neither https nor the hub itself");
  }
  if (!is_hub && !IsAllowed(place.host, access.allowed_hosts)) {
    return InvalidArgument(leads + place.host +
                           ", which is not among hub.allowed_hosts; add it there if it is yours");
  }
  HEARTH_ASSIGN_OR_RETURN(const HostAddresses addresses, ResolveHost(place.host));
  // An endpoint that the administrator has named may be a mirror in the house; the public hub and
  // everything a hub leads to may not.
  const bool may_be_near = is_hub && access.endpoint != kDefaultEndpoint;
  if (!may_be_near && !addresses.first_not_public.empty()) {
    return InvalidArgument(leads + place.host + " at the address " + addresses.first_not_public +
                           ", which is not a public one: refused");
  }
  if (place.host.front() == '[') return Status::Ok();  // a number is pinned as it is
  std::string line = place.host + ":" + place.port + ":";
  for (const std::string& address : addresses.texts) {
    if (line.back() != ':') line += ",";
    line += address;
  }
  pin.reset(curl_slist_append(nullptr, line.c_str()));
  Set(CURLOPT_RESOLVE, pin.get());
  return Status::Ok();
}

Status CheckEndpoint(const std::string& endpoint) { return ParsePlace(endpoint).status(); }

Transfer::Transfer(const HubAccess* access, std::function<bool()> stopped)
    : access_(access), stopped_(std::move(stopped)), handle_(std::make_unique<Handle>()) {}
Transfer::~Transfer() = default;

Result<TransferReply> Transfer::Get(const std::string& url, const std::optional<ByteRange>& range,
                                    const ByteSink& sink) {
  if (handle_->curl == nullptr) return Unavailable("no memory for a download");
  HEARTH_ASSIGN_OR_RETURN(const Place hub, ParsePlace(access_->endpoint));
  HEARTH_ASSIGN_OR_RETURN(Place place, ParsePlace(url));
  std::string linked_etag;
  for (int redirects = 0;; ++redirects) {
    if (stopped_()) return Aborted("stopped");
    TransferReply reply;
    Hop hop{.curl = handle_->curl, .sink = &sink, .reply = &reply, .linked_etag = &linked_etag,
            .location = {}, .dropped_bytes = 0, .sunk = {}};
    handle_->SetCommon(&stopped_);
    Lines pin(nullptr, curl_slist_free_all);
    HEARTH_RETURN_IF_ERROR(handle_->Admit(*access_, place, redirects > 0, pin));
    Lines headers(nullptr, curl_slist_free_all);
    if (!access_->token.empty() && place.authority() == hub.authority()) {
      headers.reset(curl_slist_append(nullptr, ("Authorization: Bearer " + access_->token).c_str()));
      handle_->Set(CURLOPT_HTTPHEADER, headers.get());
    }
    const std::string wanted =
        range ? std::to_string(range->begin) + "-" + std::to_string(range->end - 1) : "";
    if (range) handle_->Set(CURLOPT_RANGE, wanted.c_str());
    handle_->Set(CURLOPT_URL, place.url.c_str());
    handle_->Set(CURLOPT_HEADERFUNCTION, &OnHeader);
    handle_->Set(CURLOPT_HEADERDATA, &hop);
    handle_->Set(CURLOPT_WRITEFUNCTION, &OnBody);
    handle_->Set(CURLOPT_WRITEDATA, &hop);
    const CURLcode code = curl_easy_perform(handle_->curl);
    if (!hop.sunk.ok()) return hop.sunk;
    if (stopped_()) return Aborted("stopped");
    // Without the path: a CDN's URL is signed, and whoever has it may download.
    if (code != CURLE_OK) return Unavailable(place.host + ": " + curl_easy_strerror(code));
    long status = 0;
    curl_easy_getinfo(handle_->curl, CURLINFO_RESPONSE_CODE, &status);
    reply.status = static_cast<int>(status);
    curl_off_t retry_after_s = 0;
    curl_easy_getinfo(handle_->curl, CURLINFO_RETRY_AFTER, &retry_after_s);
    if (retry_after_s > 0) reply.retry_after_s = static_cast<double>(retry_after_s);
    if (status / 100 != 3 || hop.location.empty()) return reply;
    if (redirects == kRedirectsMax) {
      return InvalidArgument("the hub redirects more than " + std::to_string(kRedirectsMax) + " times");
    }
    auto next = ParsePlace(hop.location, place.url);
    if (!next.ok()) return next.status().WithContext("the hub redirects to where it must not");
    place = *std::move(next);
  }
}

}  // namespace hearth::library
