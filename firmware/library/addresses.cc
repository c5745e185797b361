#include "firmware/library/addresses.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>

namespace hearth::library {
namespace {

struct Block4 {
  uint32_t base;
  int bits;
};

// IANA's registry of special-purpose addresses, without those that are globally reachable.
constexpr Block4 kNotPublic4[] = {
    {0x00000000, 8},   // this network
    {0x0a000000, 8},   // private
    {0x64400000, 10},  // shared, behind a carrier's NAT; 100.100.100.200 is a cloud's metadata
    {0x7f000000, 8},   // loopback
    {0xa9fe0000, 16},  // link-local; 169.254.169.254 is the others' metadata
    {0xac100000, 12},  // private
    {0xc0000000, 24},  // protocol assignments
    {0xc0000200, 24},  // documentation
    {0xc0586300, 24},  // 6to4 relays
    {0xc0a80000, 16},  // private
    {0xc6120000, 15},  // benchmarks
    {0xc6336400, 24},  // documentation
    {0xcb007100, 24},  // documentation
    {0xe0000000, 4},   // multicast
    {0xf0000000, 4},   // reserved, broadcast
};

bool IsPublic4(uint32_t address) {
  return std::none_of(std::begin(kNotPublic4), std::end(kNotPublic4), [&](const Block4& block) {
    const uint32_t mask = ~uint32_t{0} << (32 - block.bits);
    return (address & mask) == block.base;
  });
}

uint32_t Word(const uint8_t* bytes) {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
}

// Only 2000::/3 is given out; in it there are tunnels whose other end is an IPv4 address.
bool IsPublic6(const uint8_t* bytes) {
  constexpr std::array<uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  constexpr std::array<uint8_t, 12> kNat64 = {0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0};
  if (std::equal(kMapped.begin(), kMapped.end(), bytes) ||
      std::equal(kNat64.begin(), kNat64.end(), bytes)) {
    return IsPublic4(Word(bytes + 12));
  }
  if ((bytes[0] & 0xe0) != 0x20) return false;
  const uint32_t prefix = Word(bytes);
  if (prefix >> 16 == 0x2002) return IsPublic4(Word(bytes + 2));  // 6to4
  if (prefix >> 9 == 0x20010000 >> 9) return false;               // Teredo and other assignments
  return prefix != 0x20010db8;                                    // documentation
}

}  // namespace

bool IsPublicAddress(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in ip4{};
    std::memcpy(&ip4, &address, sizeof ip4);
    return IsPublic4(ntohl(ip4.sin_addr.s_addr));
  }
  if (address.sa_family != AF_INET6) return false;
  sockaddr_in6 ip6{};
  std::memcpy(&ip6, &address, sizeof ip6);
  return IsPublic6(ip6.sin6_addr.s6_addr);
}

Result<HostAddresses> ResolveHost(const std::string& host) {
  // A URL has an IPv6 address in brackets, the resolver has not.
  const bool in_brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  const std::string name = in_brackets ? host.substr(1, host.size() - 2) : host;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  const int error = ::getaddrinfo(name.c_str(), nullptr, &hints, &list);
  if (error != 0) {
    return Unavailable("the name '" + name + "' cannot be resolved: " + ::gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(list, ::freeaddrinfo);
  HostAddresses addresses;
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (::getnameinfo(one->ai_addr, one->ai_addrlen, text.data(), text.size(), nullptr, 0,
                      NI_NUMERICHOST) != 0) {
      continue;
    }
    const std::string number = text.data();
    addresses.texts.push_back(one->ai_family == AF_INET6 ? "[" + number + "]" : number);
    if (addresses.first_not_public.empty() && !IsPublicAddress(*one->ai_addr)) {
      addresses.first_not_public = number;
    }
  }
  if (addresses.texts.empty()) return Unavailable("the name '" + name + "' has no address");
  return addresses;
}

}  // namespace hearth::library
