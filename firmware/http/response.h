// Response over a Connection: renders the head with the headers every answer has, frames streams,
// and gives up on clients that do not read.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "firmware/http/connection.h"
#include "firmware/http/http.h"

namespace hearth::http {

struct WriteLimits {
  // One write must be taken by the client within stall_s + bytes / bytes_per_s. A slow reader costs
  // its own thread that long, nobody else.
  double stall_s = 5;
  double bytes_per_s = 64 * 1024;
  // What the kernel holds for a stream's reader; beyond it the writer waits.
  int stream_send_buffer_bytes = 256 * 1024;
};

class ConnectionResponse : public Response {
 public:
  struct Properties {
    bool is_head = false;      // answer without a body
    bool is_http_1_0 = false;  // no chunks: a stream ends with the connection
    std::string request_id;
  };

  ConnectionResponse(Connection& connection, const WriteLimits& limits, const Clock& clock,
                     Properties properties)
      : connection_(connection),
        limits_(limits),
        clock_(clock),
        properties_(std::move(properties)) {}

  void SetHeader(std::string name, std::string value) override;
  void Send(int status, std::string_view content_type, std::string_view body) override;
  void BeginStream(int status, std::string_view content_type) override;
  bool Write(std::string_view data) override;
  void EndStream() override;
  bool ClientGone() override;

  bool started() const { return status_ != 0; }
  bool streaming() const { return streaming_; }
  int status() const { return status_; }  // 0 before an answer
  uint64_t bytes_sent() const { return bytes_sent_; }

 private:
  std::string Head(int status, std::string_view content_type) const;
  bool WriteAll(std::string_view head, std::string_view body = {});

  Connection& connection_;
  const WriteLimits& limits_;
  const Clock& clock_;
  const Properties properties_;
  std::vector<std::pair<std::string, std::string>> headers_;
  int status_ = 0;
  bool streaming_ = false;
  bool broken_ = false;
  uint64_t bytes_sent_ = 0;
};

std::string_view ReasonPhrase(int status);

}  // namespace hearth::http
