// Hashes of files: SHA-256, which the hub names for large files, and git's own of a blob, which it
// names for small ones.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct evp_md_ctx_st;  // OpenSSL's EVP_MD_CTX

namespace hearth::library {

class Hasher {
 public:
  static Hasher Sha256();
  // Of a file of that size in a git repository: SHA-1 of "blob <size>\0" and the content.
  static Hasher GitBlob(uint64_t size);

  void Add(std::string_view data);
  std::string Hex();  // lower case; ends it

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  explicit Hasher(const char* algorithm);
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

struct FileDigest {
  uint64_t size = 0;
  std::string sha256;
  std::string git_oid;  // empty when nobody asked for it
};

// Reads the whole file. kAborted when `stop` became true; `on_bytes` is told of every piece read.
enum class GitOid { kSkipped, kComputed };
Result<FileDigest> DigestFile(int fd, GitOid git_oid, const std::atomic<bool>& stop,
                              const std::function<void(uint64_t)>& on_bytes);

}  // namespace hearth::library
