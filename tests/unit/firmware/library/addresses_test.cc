#include "firmware/library/addresses.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cstring>

namespace hearth::library {
namespace {

bool IsPublic(const std::string& text) {
  sockaddr_storage address{};
  if (text.find(':') == std::string::npos) {
    auto& ip4 = reinterpret_cast<sockaddr_in&>(address);
    ip4.sin_family = AF_INET;
    EXPECT_EQ(::inet_pton(AF_INET, text.c_str(), &ip4.sin_addr), 1) << text;
  } else {
    auto& ip6 = reinterpret_cast<sockaddr_in6&>(address);
    ip6.sin6_family = AF_INET6;
    EXPECT_EQ(::inet_pton(AF_INET6, text.c_str(), &ip6.sin6_addr), 1) << text;
  }
  return IsPublicAddress(reinterpret_cast<const sockaddr&>(address));
}

TEST(Addresses, ThoseOfNeighboursAndMetadataAreNotPublic) {
  for (const char* text :
       {"0.0.0.0", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.0.1",
        "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.168.1.1", "198.18.0.1", "203.0.113.9",
        "224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::10.0.0.1", "2002:7f00:1::", "2001::1",
        "2001:db8::1", "::127.0.0.1"}) {
    EXPECT_FALSE(IsPublic(text)) << text;
  }
}

TEST(Addresses, ThoseOfTheWorldArePublic) {
  for (const char* text : {"1.1.1.1", "8.8.8.8", "11.0.0.1", "100.63.255.255", "100.128.0.1", "126.255.255.255",
                           "128.0.0.1", "169.253.255.255", "172.15.255.255", "172.32.0.1", "192.167.255.255",
                           "192.169.0.1", "223.255.255.255", "2606:4700:4700::1111", "2a00:1450:4001::200e",
                           "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"}) {
    EXPECT_TRUE(IsPublic(text)) << text;
  }
}

TEST(Addresses, ANumberResolvesToItselfAndIsJudged) {
  const auto near = ResolveHost("127.0.0.1");
  ASSERT_TRUE(near.ok());
  EXPECT_EQ(near->texts, std::vector<std::string>{"127.0.0.1"});
  EXPECT_EQ(near->first_not_public, "127.0.0.1");
  const auto far = ResolveHost("8.8.8.8");
  ASSERT_TRUE(far.ok());
  EXPECT_EQ(far->first_not_public, "");
}

}  // namespace
}  // namespace hearth::library
