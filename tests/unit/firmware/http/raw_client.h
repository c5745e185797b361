// A client that sends exactly the bytes it is given: what a well-behaved library would refuse to
// send is what the server must be tested with.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <string_view>
#include <utility>

namespace hearth::http {

class RawClient {
 public:
  explicit RawClient(int port, int receive_buffer_bytes = 0)
      : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer_bytes > 0) {
      setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof(receive_buffer_bytes));
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~RawClient() { Close(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool connected() const { return connected_; }

  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(count));
    }
    return true;
  }

  // Everything until the server closes.
  std::string ReadAll() {
    while (Receive()) {
    }
    return std::exchange(received_, "");
  }

  // Everything up to and with `end`; what came before the close when it did not come.
  std::string ReadUntil(std::string_view end) {
    size_t found;
    while ((found = received_.find(end)) == std::string::npos) {
      if (!Receive()) return std::exchange(received_, "");
    }
    return Take(found + end.size());
  }

  // One answer with Content-Length: head and body.
  std::string ReadAnswer() {
    std::string answer = ReadUntil("\r\n\r\n");
    const size_t header = answer.find("Content-Length: ");
    if (header == std::string::npos) return answer;
    const size_t length = std::stoul(answer.substr(header + 16));
    while (received_.size() < length && Receive()) {
    }
    return answer + Take(length);
  }

  // Has the server closed its side? Waits for it.
  bool ServerCloses() {
    while (Receive()) {
    }
    return true;
  }

  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }

 private:
  bool Receive() {
    char buffer[16384];
    const ssize_t count = recv(fd_, buffer, sizeof(buffer), 0);
    if (count <= 0) return false;
    received_.append(buffer, static_cast<size_t>(count));
    return true;
  }

  std::string Take(size_t count) {
    std::string taken = received_.substr(0, count);
    received_.erase(0, taken.size());
    return taken;
  }

  int fd_;
  bool connected_ = false;
  std::string received_;
};

// The status of an answer; 0 when it is none.
inline int StatusOf(std::string_view answer) {
  if (!answer.starts_with("HTTP/1.1 ") || answer.size() < 12) return 0;
  return std::stoi(std::string(answer.substr(9, 3)));
}

inline std::string BodyOf(std::string_view answer) {
  const size_t head_end = answer.find("\r\n\r\n");
  return head_end == std::string_view::npos ? "" : std::string(answer.substr(head_end + 4));
}

inline bool HasLine(std::string_view answer, std::string_view line) {
  return answer.find("\r\n" + std::string(line) + "\r\n") != std::string_view::npos;
}

}  // namespace hearth::http
