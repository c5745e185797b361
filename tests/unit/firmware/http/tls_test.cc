// CivetWeb as Debian builds it dies of the first TLS request, and knows no IPv6. Ours must serve
// both.

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <cstdlib>
#include <memory>

#include "tests/unit/firmware/http/test_server.h"

namespace hearth::http {
namespace {

// One request over TLS; the negotiated version and the answer.
std::pair<std::string, std::string> ExchangeOverTls(const std::string& authority,
                                                    const std::string& request) {
  const std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context(SSL_CTX_new(TLS_client_method()),
                                                             &SSL_CTX_free);
  const std::unique_ptr<BIO, void (*)(BIO*)> bio(BIO_new_ssl_connect(context.get()), &BIO_free_all);
  BIO_set_conn_hostname(bio.get(), authority.c_str());
  if (BIO_do_connect(bio.get()) <= 0) return {};
  SSL* ssl = nullptr;
  BIO_get_ssl(bio.get(), &ssl);
  BIO_write(bio.get(), request.data(), static_cast<int>(request.size()));
  std::string answer;
  char buffer[4096];
  for (int count; (count = BIO_read(bio.get(), buffer, sizeof(buffer))) > 0;) {
    answer.append(buffer, static_cast<size_t>(count));
  }
  return {SSL_get_version(ssl), answer};
}

using TlsTest = ServerTest;

TEST_F(TlsTest, ServesTls13) {
  const std::string pem = testing::TempDir() + "hearth_tls_test.pem";
  const std::string command =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 "
      "-subj /CN=localhost -keyout '" +
      pem + "' -out '" + pem + ".crt' 2>/dev/null && cat '" + pem + ".crt' >> '" + pem + "'";
  ASSERT_EQ(std::system(command.c_str()), 0) << "the openssl command is needed";
  AddBasicRoutes();
  StartServer({.tls_certificate_path = pem});
  EXPECT_TRUE(server_->url().starts_with("https://"));
  for (const size_t bytes : {5, 50'000, 2'500'000}) {  // one record, many, many writes
    std::string body(bytes, 'x');
    body.back() = '.';
    const auto [version, answer] =
        ExchangeOverTls("127.0.0.1:" + std::to_string(port()),
                        "POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: "
                        "close\r\nContent-Length: " +
                            std::to_string(bytes) + "\r\n\r\n" + body);
    EXPECT_EQ(version, "TLSv1.3");
    EXPECT_EQ(StatusOf(answer), 200);
    EXPECT_TRUE(BodyOf(answer) == body) << bytes << " bytes, " << BodyOf(answer).size();
  }
}

TEST_F(TlsTest, ServesIpv6) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  const int probe_fd = socket(AF_INET6, SOCK_STREAM, 0);
  const bool has_ipv6 =
      bind(probe_fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  close(probe_fd);
  if (!has_ipv6) GTEST_SKIP() << "this machine has no IPv6 loopback";

  AddBasicRoutes();
  StartServer({.bind_address = "::1"});
  EXPECT_TRUE(server_->url().starts_with("http://[::1]:"));
  const int socket_fd = socket(AF_INET6, SOCK_STREAM, 0);
  address.sin6_port = htons(static_cast<uint16_t>(port()));
  ASSERT_EQ(connect(socket_fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  constexpr std::string_view kRequest =
      "GET /ping HTTP/1.1\r\nHost: [::1]\r\nConnection: close\r\n\r\n";
  ASSERT_EQ(send(socket_fd, kRequest.data(), kRequest.size(), 0),
            static_cast<ssize_t>(kRequest.size()));
  char buffer[2048];
  const ssize_t count = recv(socket_fd, buffer, sizeof(buffer), MSG_WAITALL);
  close(socket_fd);
  EXPECT_EQ(StatusOf({buffer, static_cast<size_t>(std::max<ssize_t>(count, 0))}), 200);
}

}  // namespace
}  // namespace hearth::http
