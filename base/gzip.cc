#include "base/gzip.h"

#include <zlib.h>

#include "base/check.h"

namespace hearth {

std::string GzipCompress(std::string_view data, int level) {
  constexpr int kGzipWindow = 15 + 16;  // the largest window, and a gzip header instead of zlib's
  z_stream stream{};
  CHECK(deflateInit2(&stream, level, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string compressed(deflateBound(&stream, data.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(compressed.data());
  stream.avail_out = static_cast<uInt>(compressed.size());
  CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END) << "deflateBound promised enough room";
  compressed.resize(stream.total_out);
  deflateEnd(&stream);
  return compressed;
}

}  // namespace hearth
