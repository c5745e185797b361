// A batch as the bytes of a request's body.
#pragma once

#include <string>

#include "firmware/remote_write/batcher.h"

namespace hearth::remote_write {

// A WriteRequest (remote_write.proto) in snappy's block format. The marks of ended series go out to
// the bit as they were recorded.
std::string Encode(const Batch& batch);

}  // namespace hearth::remote_write
