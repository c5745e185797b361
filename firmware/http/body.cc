#include "firmware/http/body.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>

namespace hearth::http {

namespace {

constexpr int kReadBytes = 64 * 1024;  // on the heap: a worker's stack is small
constexpr size_t kChunkLineBytesMax = 256;
constexpr size_t kTrailerBytesMax = 4096;

BodyFailure TooLarge(std::string_view value, size_t limit) {
  return {413, "the request body has " + std::string(value) + " bytes, the limit is " +
                   std::to_string(limit)};
}

// Takes chunked bytes in pieces of any size; never looks back.
class ChunkDecoder {
 public:
  ChunkDecoder(const BodySink& sink, size_t bytes_max) : sink_(sink), bytes_max_(bytes_max) {}

  bool done() const { return state_ == State::kDone; }

  std::optional<BodyFailure> Feed(std::string_view piece) {
    while (!piece.empty() && !done()) {
      if (state_ == State::kData) {
        const size_t count = std::min(piece.size(), left_in_chunk_);
        if (auto failure = sink_(piece.substr(0, count))) return failure;
        taken_ += count;
        piece.remove_prefix(count);
        left_in_chunk_ -= count;
        if (left_in_chunk_ == 0) state_ = State::kDataEnd;
        continue;
      }
      line_ += piece.front();
      piece.remove_prefix(1);
      if (line_.size() > (state_ == State::kTrailer ? kTrailerBytesMax : kChunkLineBytesMax)) {
        return BodyFailure{400, "a chunk's size line or trailer is too long"};
      }
      if (!line_.ends_with('\n')) continue;
      if (auto failure = TakeLine()) return failure;
      line_.clear();
    }
    if (!piece.empty()) return BodyFailure{400, "bytes after the last chunk"};
    return std::nullopt;
  }

 private:
  enum class State { kSize, kData, kDataEnd, kTrailer, kDone };

  std::optional<BodyFailure> TakeLine() {
    if (!line_.ends_with("\r\n")) return BodyFailure{400, "a chunk's line ends without CR"};
    const std::string_view line(line_.data(), line_.size() - 2);
    switch (state_) {
      case State::kSize: return TakeSize(line);
      case State::kDataEnd:
        if (!line.empty()) return BodyFailure{400, "a chunk is longer than its size"};
        state_ = State::kSize;
        return std::nullopt;
      case State::kTrailer:
        if (line.empty()) state_ = State::kDone;
        trailer_bytes_ += line_.size();
        if (trailer_bytes_ > kTrailerBytesMax) return BodyFailure{400, "the trailer is too long"};
        return std::nullopt;
      case State::kData:
      case State::kDone: break;
    }
    return std::nullopt;
  }

  std::optional<BodyFailure> TakeSize(std::string_view line) {
    const std::string_view digits = line.substr(0, line.find(';'));
    uint64_t size = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
    if (digits.empty() || digits.size() > 15 || error != std::errc() ||
        end != digits.data() + digits.size()) {
      return BodyFailure{400, "a chunk's size is not a hexadecimal number"};
    }
    if (size > bytes_max_ - taken_) {
      return TooLarge("at least " + std::to_string(taken_ + size), bytes_max_);
    }
    left_in_chunk_ = size;
    state_ = size == 0 ? State::kTrailer : State::kData;
    return std::nullopt;
  }

  const BodySink& sink_;
  const size_t bytes_max_;
  size_t taken_ = 0;
  State state_ = State::kSize;
  size_t left_in_chunk_ = 0;
  size_t trailer_bytes_ = 0;
  std::string line_;
};

class Pace {
 public:
  Pace(const BodyLimits& limits, const Clock& clock)
      : limits_(limits), clock_(clock), start_s_(clock.MonotonicSeconds()) {}

  // Seconds left for a body of `expected` bytes of which `received` have come; <= 0: too slow.
  double Left(double expected, double received) const {
    const double elapsed = clock_.MonotonicSeconds() - start_s_;
    const double until_deadline = limits_.base_s + expected / limits_.bytes_per_s - elapsed;
    const double until_rate = limits_.grace_s + received / limits_.rate_min_bytes_per_s - elapsed;
    return std::min(until_deadline, until_rate);
  }

 private:
  const BodyLimits& limits_;
  const Clock& clock_;
  const double start_s_;
};

}  // namespace

std::optional<BodyFailure> ReadBody(Connection& connection, const BodyFraming& framing,
                                    const BodyLimits& limits, const Clock& clock,
                                    const BodySink& sink) {
  const uint64_t length = framing.content_length.value_or(0);
  if (length > limits.bytes_max) return TooLarge(std::to_string(length), limits.bytes_max);
  if (length == 0 && !framing.chunked) return std::nullopt;

  const auto buffer = std::make_unique<char[]>(kReadBytes);
  ChunkDecoder decoder(sink, limits.bytes_max);
  const Pace pace(limits, clock);
  size_t received = 0;
  while (framing.chunked ? !decoder.done() : received < length) {
    const double expected = static_cast<double>(framing.chunked ? received : length);
    const double left_s = pace.Left(expected, static_cast<double>(received));
    if (left_s <= 0) {
      return BodyFailure{
          408, "the request body came too slowly: " + std::to_string(received) + " bytes"};
    }
    // A content-length body is read to its last byte and no further: what follows is the next
    // request.
    const size_t wanted =
        framing.chunked ? kReadBytes : std::min<size_t>(kReadBytes, length - received);
    const int count = connection.ReadSome({buffer.get(), wanted}, left_s);
    if (count < 0) return BodyFailure{};
    received += static_cast<size_t>(count);
    const std::string_view piece(buffer.get(), static_cast<size_t>(count));
    if (auto failure = framing.chunked ? decoder.Feed(piece) : sink(piece)) return failure;
  }
  return std::nullopt;
}

std::optional<BodyFailure> ReadBody(Connection& connection, const BodyFraming& framing,
                                    const BodyLimits& limits, const Clock& clock,
                                    std::string& body) {
  return ReadBody(connection, framing, limits, clock,
                  [&](std::string_view piece) -> std::optional<BodyFailure> {
                    body.append(piece);
                    return std::nullopt;
                  });
}

void DrainBody(Connection& connection, double seconds, const Clock& clock) {
  const auto buffer = std::make_unique<char[]>(kReadBytes);
  const double end_s = clock.MonotonicSeconds() + seconds;
  for (double left_s = seconds; left_s > 0; left_s = end_s - clock.MonotonicSeconds()) {
    if (connection.ReadSome({buffer.get(), kReadBytes}, left_s) <= 0) return;
  }
}

}  // namespace hearth::http
