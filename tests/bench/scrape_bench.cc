// Requests per second and latency of one page over kept connections, beside token streams if asked.
//
//   scrape_bench load --port N [--path /metrics] [--connections 16] [--seconds 5]
//                     [--accept-encoding identity] [--pause-ms 0] [--streams 0] [--model name]
//   scrape_bench raw --bytes N        a server that does nothing but write: the loopback's limit
//   scrape_bench module --bytes N     hearth's HTTP module with a handler that costs nothing
//
// `load` is closed-loop: every connection sends its next request when it has the whole answer. One
// thread drives the connections and one the streams, on the same cores as the server. It prints one
// line of JSON. `raw` and `module` print the port they serve on and serve until their stdin ends.

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/json.h"
#include "firmware/http/server.h"

namespace hearth {
namespace {

using Arguments = std::map<std::string, std::string>;

std::string Get(const Arguments& arguments, const std::string& name, std::string fallback) {
  const auto found = arguments.find(name);
  return found == arguments.end() ? std::move(fallback) : found->second;
}

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// A kept connection that asks `request`, and again when an answer has ended.
class Client {
 public:
  Client(int port, std::string request)
      : request_(std::move(request)), fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    const sockaddr_in address = Loopback(port);
    CHECK(connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0)
        << "cannot connect to port " << port;
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  virtual ~Client() { close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  int fd() const { return fd_; }

  void SendRequest() {
    sent_s_ = MonotonicSeconds();
    CHECK(send(fd_, request_.data(), request_.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(request_.size()));
  }

  // Reads once; the socket is readable. True when an answer has ended: the next request is due.
  bool OnReadable() {
    static thread_local std::vector<char> buffer(256 * 1024);
    const ssize_t count = recv(fd_, buffer.data(), buffer.size(), 0);
    CHECK(count > 0) << "the server closed a connection";
    return OnData({buffer.data(), static_cast<size_t>(count)});
  }

 protected:
  // True when the answer has ended.
  virtual bool OnData(std::string_view data) = 0;

  double sent_s_ = 0;

 private:
  const std::string request_;
  const int fd_;
};

struct ScrapeSamples {
  std::vector<float> latency_ms;
  uint64_t errors = 0;
  size_t answer_bytes = 0;  // head and body of the last answer
};

// One answer with Content-Length.
class Scraper : public Client {
 public:
  Scraper(int port, std::string request, ScrapeSamples& samples)
      : Client(port, std::move(request)), samples_(samples) {}

 private:
  bool OnData(std::string_view data) override {
    received_ += data.size();
    if (expected_ == 0) {
      head_ += data;
      const size_t head_end = head_.find("\r\n\r\n");
      if (head_end == std::string::npos) return false;
      constexpr std::string_view kLength = "Content-Length: ";
      const size_t length = head_.find(kLength);
      CHECK(length < head_end) << head_.substr(0, head_end);
      if (!head_.starts_with("HTTP/1.1 200 ")) ++samples_.errors;
      size_t body = 0;
      std::from_chars(head_.data() + length + kLength.size(), head_.data() + head_end, body);
      expected_ = head_end + 4 + body;
    }
    if (received_ < expected_) return false;
    CHECK(received_ == expected_) << "bytes behind the answer";
    samples_.latency_ms.push_back(static_cast<float>((MonotonicSeconds() - sent_s_) * 1e3));
    samples_.answer_bytes = expected_;
    received_ = expected_ = 0;
    head_.clear();
    return true;
  }

  ScrapeSamples& samples_;
  std::string head_;
  size_t received_ = 0;
  size_t expected_ = 0;
};

struct StreamSamples {
  std::vector<float> gap_ms;  // between events of one stream
};

// One event stream, chunked; every event arrives in a chunk of its own.
class Streamer : public Client {
 public:
  Streamer(int port, std::string request, StreamSamples& samples)
      : Client(port, std::move(request)), samples_(samples) {}

 private:
  bool OnData(std::string_view data) override {
    CHECK(last_s_ != 0 || data.starts_with("HTTP/1.1 200 ")) << data;
    const double now_s = MonotonicSeconds();
    if (last_s_ != 0) samples_.gap_ms.push_back(static_cast<float>((now_s - last_s_) * 1e3));
    last_s_ = now_s;
    // The last chunk may come in a read of its own.
    constexpr std::string_view kEnd = "\r\n0\r\n\r\n";
    tail_ += data;
    if (tail_.size() > kEnd.size()) tail_.erase(0, tail_.size() - kEnd.size());
    if (tail_ != kEnd) return false;
    last_s_ = 0;
    tail_.clear();
    return true;
  }

  StreamSamples& samples_;
  double last_s_ = 0;
  std::string tail_;  // of what has come of this answer
};

// pause_s: between an answer and the next request.
void Drive(const std::vector<std::unique_ptr<Client>>& clients, double pause_s,
           const std::atomic<bool>& stop) {
  const int epoll = epoll_create1(0);
  for (const auto& client : clients) {
    epoll_event event{EPOLLIN, {.ptr = client.get()}};
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, client->fd(), &event) == 0);
    client->SendRequest();
  }
  std::vector<epoll_event> events(clients.size());
  while (!stop) {
    const int count = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 100);
    for (int i = 0; i < count; ++i) {
      auto& client = *static_cast<Client*>(events[static_cast<size_t>(i)].data.ptr);
      if (!client.OnReadable()) continue;
      if (pause_s > 0) std::this_thread::sleep_for(std::chrono::duration<double>(pause_s));
      client.SendRequest();
    }
  }
  close(epoll);
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Json Distribution(std::vector<float>& samples_ms) {
  Json summary;
  if (samples_ms.empty()) return summary;
  std::sort(samples_ms.begin(), samples_ms.end());
  const auto at = [&](double share) {
    const auto index = static_cast<size_t>(share * static_cast<double>(samples_ms.size()));
    return samples_ms[std::min(index, samples_ms.size() - 1)];
  };
  summary["p50"] = at(0.5);
  summary["p99"] = at(0.99);
  summary["p999"] = at(0.999);
  summary["max"] = samples_ms.back();
  return summary;
}

std::string StreamRequest(const std::string& model, int index) {
  const std::string body = DumpJson(
      {{"model", model},
       {"messages",
        Json::array({{{"role", "user"}, {"content", "Count, " + std::to_string(index)}}})},
       {"stream", true},
       {"max_tokens", 256},
       {"ignore_eos", true},
       {"temperature", 0}});
  return "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
         "Content-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

int Load(const Arguments& arguments) {
  const int port = std::stoi(arguments.at("port"));
  const double seconds = std::stod(Get(arguments, "seconds", "5"));
  const std::string scrape = "GET " + Get(arguments, "path", "/metrics") +
                             " HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: " +
                             Get(arguments, "accept-encoding", "identity") + "\r\n\r\n";
  ScrapeSamples scrapes;
  std::vector<std::unique_ptr<Client>> scrapers;
  for (int i = std::stoi(Get(arguments, "connections", "16")); i > 0; --i) {
    scrapers.push_back(std::make_unique<Scraper>(port, scrape, scrapes));
  }
  StreamSamples stream_samples;
  std::vector<std::unique_ptr<Client>> streams;
  for (int i = std::stoi(Get(arguments, "streams", "0")); i > 0; --i) {
    streams.push_back(std::make_unique<Streamer>(
        port, StreamRequest(Get(arguments, "model", "demo"), i), stream_samples));
  }
  std::atomic<bool> stop{false};
  const double begin_s = MonotonicSeconds();
  const double begin_cpu_s = CpuSeconds();
  std::vector<std::thread> drivers;
  const double pause_s = std::stod(Get(arguments, "pause-ms", "0")) / 1e3;
  if (!scrapers.empty()) drivers.emplace_back([&] { Drive(scrapers, pause_s, stop); });
  if (!streams.empty()) drivers.emplace_back([&] { Drive(streams, 0, stop); });
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  stop = true;
  for (std::thread& driver : drivers) driver.join();
  const double elapsed_s = MonotonicSeconds() - begin_s;
  const double cpu_s = CpuSeconds() - begin_cpu_s;
  Json result;
  result["requests_per_s"] = static_cast<double>(scrapes.latency_ms.size()) / elapsed_s;
  result["requests"] = scrapes.latency_ms.size();
  result["errors"] = scrapes.errors;
  result["answer_bytes"] = scrapes.answer_bytes;
  result["events_per_s"] = static_cast<double>(stream_samples.gap_ms.size()) / elapsed_s;
  result["latency_ms"] = Distribution(scrapes.latency_ms);
  result["gap_ms"] = Distribution(stream_samples.gap_ms);
  result["client_cpu_s"] = cpu_s;
  result["seconds"] = elapsed_s;
  std::printf("%s\n", DumpJson(result).c_str());
  return scrapes.errors == 0 ? 0 : 1;
}

void ServeUntilStdinEnds(int port) {
  std::printf("%d\n", port);
  std::fflush(stdout);
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
}

// A thread per connection, one recv and one send per request: what is left when HTTP costs nothing.
int Raw(size_t bytes) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = Loopback(0);
  socklen_t length = sizeof(address);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  CHECK(bind(listener, generic, length) == 0 && listen(listener, 1024) == 0);
  CHECK(getsockname(listener, generic, &length) == 0);
  std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n";
  answer.append(bytes, 'x');
  std::thread([listener, &answer] {
    for (int fd; (fd = accept(listener, nullptr, nullptr)) >= 0;) {
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      std::thread([fd, &answer] {
        char request[4096];
        while (recv(fd, request, sizeof(request), 0) > 0) {
          for (size_t sent = 0; sent < answer.size();) {
            const ssize_t count =
                send(fd, answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
            if (count <= 0) break;
            sent += static_cast<size_t>(count);
          }
        }
        close(fd);
      }).detach();
    }
  }).detach();
  ServeUntilStdinEnds(ntohs(address.sin_port));
  std::quick_exit(0);  // its threads wait in recv
}

int Module(size_t bytes) {
  const std::string body(bytes, 'x');
  http::Router router;
  router.Add({"GET", "/metrics", http::Scope::kMetrics,
              [&body](const http::Request&, http::Response& response) {
                response.Send(200, "text/plain; version=0.0.4; charset=utf-8", body);
              }});
  auto server = http::Server::Start({}, std::move(router));
  CHECK(server.ok()) << server.status().ToString();
  ServeUntilStdinEnds((*server)->port());
  return 0;
}

int Main(int argc, char** argv) {
  CHECK(argc >= 2 && argc % 2 == 0) << "usage: scrape_bench load|raw|module [--name value]...";
  const std::string_view mode = argv[1];
  Arguments arguments;
  for (int i = 2; i < argc; i += 2) {
    CHECK(std::string_view(argv[i]).starts_with("--")) << argv[i];
    arguments[argv[i] + 2] = argv[i + 1];
  }
  if (mode == "load") return Load(arguments);
  const size_t bytes = std::stoul(Get(arguments, "bytes", "50000"));
  if (mode == "raw") return Raw(bytes);
  CHECK(mode == "module") << mode << " is no mode";
  return Module(bytes);
}

}  // namespace
}  // namespace hearth

int main(int argc, char** argv) { return hearth::Main(argc, argv); }
