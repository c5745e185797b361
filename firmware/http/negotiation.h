// What a client can take, from its Accept and Accept-Encoding headers (RFC 9110, 12.5).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace hearth::http {

// The offer that suits `accept` best, as an index; none when the client refuses all of them. An
// offer is a Content-Type, "text/plain; version=0.0.4; charset=utf-8".
//
// A range of `accept` means the offers that have its type and all its parameters; of those that
// mean an offer, the most specific one weighs it. The highest weight wins, then the more specific
// range, then the earlier offer. An empty `accept` takes the first offer. A malformed range counts
// as absent.
std::optional<size_t> ChooseMediaType(std::string_view accept,
                                      std::span<const std::string_view> offers);

// Gzip may be sent: the client names it, or "*", with a weight that is neither 0 nor below the one
// it gives to identity. A client that says nothing gets plain bytes.
bool AcceptsGzip(std::string_view accept_encoding);

}  // namespace hearth::http
