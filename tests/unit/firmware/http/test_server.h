// A real server on a free port of the loopback, with routes that tests ask for.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "firmware/http/server.h"
#include "tests/unit/firmware/http/raw_client.h"

namespace hearth::http {

class ServerTest : public testing::Test {
 protected:
  struct Answered {
    std::string method, handler, request_id;
    int status;
    double duration_s;
    uint64_t request_bytes, response_bytes;
  };

  void StartServer(ServerOptions options = {}) {
    // A few threads are enough and start faster under sanitizers.
    if (options.stream_threads == limits::kHttpStreamThreads) options.stream_threads = 12;
    if (options.reserved_threads == limits::kHttpReservedThreads) options.reserved_threads = 8;
    options.observer = [this](const RequestRecord& record) {
      std::lock_guard lock(mutex_);
      answered_.push_back({std::string(record.method), std::string(record.handler),
                           std::string(record.request_id), record.status, record.duration_s,
                           record.request_bytes, record.response_bytes});
    };
    auto server = Server::Start(std::move(options), std::move(router_));
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = std::move(server).value();
  }

  void AddRoute(std::string method, std::string pattern, Handler handler, bool streams = false,
                Scope scope = Scope::kPublic) {
    router_.Add({std::move(method), std::move(pattern), scope, std::move(handler), streams});
  }

  // GET /ping -> "pong"; POST /echo -> the body; GET /boom throws.
  void AddBasicRoutes() {
    AddRoute("GET", "/ping",
             [](const Request&, Response& response) { response.Send(200, "text/plain", "pong"); });
    AddRoute("POST", "/echo", [](const Request& request, Response& response) {
      response.Send(200, "application/octet-stream", request.body);
    });
    AddRoute("GET", "/boom",
             [](const Request&, Response&) { throw std::runtime_error("the handler's secret"); });
  }

  int port() const { return server_->port(); }

  // One request on its own connection.
  std::string Exchange(std::string_view request) const {
    RawClient client(port());
    EXPECT_TRUE(client.connected());
    client.Send(request);
    return client.ReadAnswer();
  }
  std::string Get(std::string_view path, std::string_view more_headers = "") const {
    return Exchange("GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n" +
                    std::string(more_headers) + "\r\n");
  }

  // Records are written after the answer's last byte: Stop first, so that all are there.
  std::vector<Answered> StopAndTakeRecords() {
    server_->Stop();
    std::lock_guard lock(mutex_);
    return std::move(answered_);
  }

  Router router_;
  std::mutex mutex_;
  std::vector<Answered> answered_;
  std::unique_ptr<Server> server_;  // last: its threads use what is above
};

}  // namespace hearth::http
