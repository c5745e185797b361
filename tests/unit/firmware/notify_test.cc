#include "firmware/notify.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

namespace hearth {
namespace {

// A datagram socket such as systemd listens on.
class NotifySocket {
 public:
  // `name` as in $NOTIFY_SOCKET: a path, or '@' and a name in the abstract namespace.
  explicit NotifySocket(const std::string& name) : fd_(socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    const auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    unlink(name.c_str());
    bound_ = bind(fd_, reinterpret_cast<const sockaddr*>(&address), bytes) == 0;
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  ~NotifySocket() {
    close(fd_);
    unsetenv("NOTIFY_SOCKET");
  }

  bool bound() const { return bound_; }
  std::string Receive() const {
    char buffer[256];
    const ssize_t count = recv(fd_, buffer, sizeof(buffer), 0);
    return {buffer, static_cast<size_t>(count < 0 ? 0 : count)};
  }

 private:
  const int fd_;
  bool bound_ = false;
};

TEST(NotifySystemd, SendsOneDatagram) {
  const NotifySocket socket(testing::TempDir() + "hearth_notify_" + std::to_string(getpid()));
  ASSERT_TRUE(socket.bound());
  EXPECT_TRUE(NotifySystemd("READY=1\nSTATUS=serving"));
  EXPECT_EQ(socket.Receive(), "READY=1\nSTATUS=serving");
}

TEST(NotifySystemd, KnowsTheAbstractNamespace) {
  const NotifySocket socket("@hearth_notify_" + std::to_string(getpid()));
  ASSERT_TRUE(socket.bound());
  EXPECT_TRUE(NotifySystemd("STOPPING=1"));
  EXPECT_EQ(socket.Receive(), "STOPPING=1");
}

TEST(NotifySystemd, DoesNothingWithoutSystemd) {
  unsetenv("NOTIFY_SOCKET");
  EXPECT_FALSE(NotifySystemd("READY=1"));
  setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1);
  EXPECT_FALSE(NotifySystemd("READY=1"));
  setenv("NOTIFY_SOCKET", ("/" + std::string(200, 'x')).c_str(), 1);
  EXPECT_FALSE(NotifySystemd("READY=1"));
  unsetenv("NOTIFY_SOCKET");
}

}  // namespace
}  // namespace hearth
