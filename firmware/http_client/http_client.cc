#include "firmware/http_client/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

namespace hearth {

namespace {

// As much as the largest text another end of Hearth answers with, a configuration in JSON.
constexpr size_t kAnswerBytesMax = size_t{4} << 20;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;
using Headers = std::unique_ptr<curl_slist, void (*)(curl_slist*)>;

// Where the answer goes, and the files of the request while it lasts.
struct Exchange {
  CURL* curl = nullptr;
  std::string* body = nullptr;
  const ClientRequest* request = nullptr;
  bool had_enough = false;  // on_body said so
  File upload;
  File answer;
};

size_t OnAnswer(char* data, size_t size, size_t count, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  const size_t bytes = size * count;
  long status = 0;
  curl_easy_getinfo(exchange.curl, CURLINFO_RESPONSE_CODE, &status);
  if (exchange.answer != nullptr && status / 100 == 2) {
    return std::fwrite(data, 1, bytes, exchange.answer.get());
  }
  if (exchange.request->on_body && status / 100 == 2) {
    exchange.had_enough = !exchange.request->on_body({data, bytes});
    return exchange.had_enough ? CURL_WRITEFUNC_ERROR : bytes;
  }
  // More than this nobody reads; the rest is taken so that the connection can be used again.
  exchange.body->append(data, std::min(bytes, kAnswerBytesMax - exchange.body->size()));
  return bytes;
}

size_t OnUpload(char* buffer, size_t size, size_t count, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  const size_t taken = std::fread(buffer, 1, size * count, exchange.upload.get());
  return std::ferror(exchange.upload.get()) != 0 ? CURL_READFUNC_ABORT : taken;
}

int OnProgress(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return *static_cast<const std::atomic<bool>*>(stop) ? 1 : 0;
}

Result<File> OpenFile(const std::string& path, const char* mode) {
  File file(std::fopen(path.c_str(), mode));
  if (file == nullptr) return ErrnoStatus("cannot open " + path, errno);
  return file;
}

}  // namespace

struct HttpClient::Handle {
  Handle() { curl_global_init(CURL_GLOBAL_DEFAULT); }
  ~Handle() {
    if (curl != nullptr) curl_easy_cleanup(curl);
    curl_global_cleanup();
  }

  template <typename Value>
  void Set(CURLoption option, Value value) {
    curl_easy_setopt(curl, option, value);
  }
  Status SetBody(const ClientRequest& request, Exchange& exchange);
  void SetLimits(const ClientRequest& request, const std::atomic<bool>* stop);

  CURL* curl = nullptr;
};

Status HttpClient::CheckUrl(const std::string& url) {
  if (url.starts_with("http://") || url.starts_with("https://")) return Status::Ok();
  return InvalidArgument("'" + url + "' is no URL; write http://host:port/path or https://...");
}

HttpClient::HttpClient(const std::atomic<bool>* stop)
    : stop_(stop), handle_(std::make_unique<Handle>()) {}
HttpClient::~HttpClient() = default;

Status HttpClient::Handle::SetBody(const ClientRequest& request, Exchange& exchange) {
  if (!request.body_file.empty()) {
    HEARTH_ASSIGN_OR_RETURN(exchange.upload, OpenFile(request.body_file, "rb"));
    std::error_code error;
    const auto bytes = std::filesystem::file_size(request.body_file, error);
    if (error) return ErrnoStatus("cannot read " + request.body_file, error.value());
    Set(CURLOPT_POST, 1L);
    Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(bytes));
    Set(CURLOPT_READFUNCTION, &OnUpload);
    Set(CURLOPT_READDATA, &exchange);
  } else if (request.method != "GET") {
    Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    Set(CURLOPT_POSTFIELDS, request.body.data());
  }
  if (request.method != "GET") Set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  return Status::Ok();
}

void HttpClient::Handle::SetLimits(const ClientRequest& request, const std::atomic<bool>* stop) {
  Set(CURLOPT_PROTOCOLS_STR, "http,https");
  Set(CURLOPT_NOSIGNAL, 1L);
  Set(CURLOPT_CONNECTTIMEOUT_MS, 10'000L);
  Set(CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout_s * 1000));
  // Fewer than a byte a second for so long is a dead connection.
  Set(CURLOPT_LOW_SPEED_LIMIT, request.still_s > 0 ? 1L : 0L);
  Set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(request.still_s));
  if (stop == nullptr) return;
  Set(CURLOPT_NOPROGRESS, 0L);
  Set(CURLOPT_XFERINFOFUNCTION, &OnProgress);
  Set(CURLOPT_XFERINFODATA, stop);
}

Result<ClientAnswer> HttpClient::Do(const ClientRequest& request) {
  Handle& handle = *handle_;
  if (handle.curl == nullptr) handle.curl = curl_easy_init();
  if (handle.curl == nullptr) return Unavailable("no memory for an HTTP request");
  curl_easy_reset(handle.curl);  // the connection is kept

  ClientAnswer answer;
  Exchange exchange{.curl = handle.curl, .body = &answer.body, .request = &request,
                    .upload = {}, .answer = {}};
  if (!request.answer_file.empty()) {
    HEARTH_ASSIGN_OR_RETURN(exchange.answer, OpenFile(request.answer_file, "wb"));
  }
  Headers headers(nullptr, curl_slist_free_all);
  for (const std::string& header : request.headers) {
    curl_slist* const longer = curl_slist_append(headers.get(), header.c_str());
    if (longer == nullptr) return Unavailable("no memory for an HTTP request");
    (void)headers.release();
    headers.reset(longer);
  }
  handle.Set(CURLOPT_URL, request.url.c_str());
  handle.Set(CURLOPT_HTTPHEADER, headers.get());
  handle.Set(CURLOPT_WRITEFUNCTION, &OnAnswer);
  handle.Set(CURLOPT_WRITEDATA, &exchange);
  handle.SetLimits(request, stop_);
  HEARTH_RETURN_IF_ERROR(handle.SetBody(request, exchange));
  const CURLcode code = curl_easy_perform(handle.curl);
  if (code != CURLE_OK && !exchange.had_enough) return Unavailable(request.url + ": " + curl_easy_strerror(code));
  if (exchange.answer != nullptr && std::fflush(exchange.answer.get()) != 0) {
    return ErrnoStatus("cannot write " + request.answer_file, errno);
  }
  long status = 0;
  curl_easy_getinfo(handle.curl, CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<int>(status);
  curl_off_t retry_after_s = 0;
  curl_easy_getinfo(handle.curl, CURLINFO_RETRY_AFTER, &retry_after_s);
  if (retry_after_s > 0) answer.retry_after_s = static_cast<double>(retry_after_s);
  return answer;
}

}  // namespace hearth
