// What a hub says of a model, in Hugging Face's API: which commit a revision is, which files it has,
// how large they are and what they hash to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "firmware/library/transfer.h"

namespace hearth::library {

struct PlannedFile {
  std::string path;
  uint64_t size = 0;
  std::string sha256;   // of what the hub keeps as LFS; else empty
  std::string git_oid;  // of the others: git's hash of the blob

  bool operator==(const PlannedFile&) const = default;

  template <typename V>
  void VisitFields(V& v) {
    v("path", path);
    v("size", size);
    v("sha256", sha256);
    v("git_oid", git_oid);
  }
};

// What a pull brings. It does not change while it runs, whatever happens to the branch.
struct Plan {
  std::string model;
  std::string revision;  // as asked for
  std::string commit;    // what it meant then
  std::vector<PlannedFile> files;  // small ones first: what is wrong with a model shows early

  uint64_t bytes() const;

  template <typename V>
  void VisitFields(V& v) {
    v("model", model);
    v("revision", revision);
    v("commit", commit);
    v("files", files);
  }
};

// Why a pull waits before it tries again.
struct RetryAdvice {
  std::optional<double> retry_after_s;  // the hub's own word
};

class Hub {
 public:
  // All outlive it.
  Hub(const HubAccess* access, Transfer* transfer) : access_(access), transfer_(transfer) {}

  // kUnavailable: trying again may help, and `advice` says when. kNotFound, kFailedPrecondition,
  // kInvalidArgument: it will not; the message says what to do.
  Result<Plan> Resolve(const std::string& model, const std::string& revision, RetryAdvice& advice);

  std::string FileUrl(const Plan& plan, const PlannedFile& file) const;

  // Of an answer that is no 2xx: what it means and what to do.
  Status RefusalOf(const std::string& model, const TransferReply& reply) const;

 private:
  Result<std::string> GetText(const std::string& model, const std::string& url, RetryAdvice& advice,
                              std::string* next);

  const HubAccess* const access_;
  Transfer* const transfer_;
};

}  // namespace hearth::library
