#include "firmware/library/digest.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/check.h"

namespace hearth::library {
namespace {

constexpr size_t kReadBytes = size_t{1} << 20;

}  // namespace

void Hasher::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Hasher::Hasher(const char* algorithm) : context_(EVP_MD_CTX_new()) {
  CHECK(context_ != nullptr);
  CHECK(EVP_DigestInit_ex(context_.get(), EVP_get_digestbyname(algorithm), nullptr) == 1) << algorithm;
}

Hasher Hasher::Sha256() { return Hasher("SHA256"); }

Hasher Hasher::GitBlob(uint64_t size) {
  Hasher hasher("SHA1");
  const std::string head = "blob " + std::to_string(size);
  hasher.Add({head.c_str(), head.size() + 1});  // with its zero byte
  return hasher;
}

void Hasher::Add(std::string_view data) {
  CHECK(EVP_DigestUpdate(context_.get(), data.data(), data.size()) == 1);
}

std::string Hasher::Hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int count = 0;
  CHECK(EVP_DigestFinal_ex(context_.get(), bytes.data(), &count) == 1);
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (unsigned int i = 0; i < count; ++i) {
    hex += kDigits[bytes[i] >> 4];
    hex += kDigits[bytes[i] & 15];
  }
  return hex;
}

Result<FileDigest> DigestFile(int fd, GitOid git_oid, const std::atomic<bool>& stop,
                              const std::function<void(uint64_t)>& on_bytes) {
  struct stat about {};
  if (::fstat(fd, &about) != 0) return ErrnoStatus("cannot look at a file", errno);
  FileDigest digest;
  Hasher sha256 = Hasher::Sha256();
  Hasher git = Hasher::GitBlob(static_cast<uint64_t>(about.st_size));
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  std::string piece(kReadBytes, '\0');
  while (true) {
    if (stop) return Aborted("stopped while hashing");
    const ssize_t count = ::pread(fd, piece.data(), piece.size(), static_cast<off_t>(digest.size));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoStatus("cannot read a file", errno);
    if (count == 0) break;
    const std::string_view read(piece.data(), static_cast<size_t>(count));
    sha256.Add(read);
    if (git_oid == GitOid::kComputed) git.Add(read);
    digest.size += read.size();
    on_bytes(read.size());
  }
  digest.sha256 = sha256.Hex();
  if (git_oid == GitOid::kComputed) digest.git_oid = git.Hex();
  return digest;
}

}  // namespace hearth::library
