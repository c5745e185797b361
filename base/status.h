// Status: the outcome of an operation that may fail for reasons outside the program.
//
// A message says what failed, the value, the limit, and what to do. Bugs are not statuses: see
// base/check.h.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace hearth {

enum class StatusCode {
  kOk,
  kInvalidArgument,    // the caller's value is wrong and will stay wrong
  kNotFound,           // the thing named does not exist
  kResourceExhausted,  // a bound was reached; `TooLarge` bodies, full queues
  kFailedPrecondition, // right request, wrong state; retrying later may help
  kUnavailable,        // a part is starting, restarting or gone; retry
  kDeadlineExceeded,
  kAborted,            // given up because somebody asked for it
  kDataLoss,           // stored bytes are not what they should be
  kInternal,           // none of the above; look into the log
};

std::string_view StatusCodeName(StatusCode code);

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}

  static Status Ok() { return {}; }

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  const std::string& message() const { return message_; }

  // The same status, its message prefixed by "context: ".
  Status WithContext(std::string_view context) const;

  // "kind: message", for logs.
  std::string ToString() const;

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
};

Status InvalidArgument(std::string message);
Status NotFound(std::string message);
Status ResourceExhausted(std::string message);
Status FailedPrecondition(std::string message);
Status Unavailable(std::string message);
Status DeadlineExceeded(std::string message);
Status Aborted(std::string message);
Status DataLoss(std::string message);
Status Internal(std::string message);

// "what: strerror(error_number)" with the code that fits the number (ENOENT -> kNotFound, ENOSPC ->
// kResourceExhausted, others kInternal).
Status ErrnoStatus(std::string_view what, int error_number);

}  // namespace hearth

// Returns from the enclosing function when `expression` (a Status) is not ok.
#define HEARTH_RETURN_IF_ERROR(expression)                              \
  do {                                                                  \
    if (::hearth::Status status_ = (expression); !status_.ok()) return status_; \
  } while (false)
