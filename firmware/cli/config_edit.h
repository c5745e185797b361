// Changes of a configuration by path, for `hearth config set`.
#pragma once

#include <string>

#include "base/json.h"
#include "base/status.h"

namespace hearth::cli {

// Sets what `path` names in `root` ("llm_configs[0].engine_kwargs.max_num_seqs"). Maps on the way
// are made; a list may grow by one item at its end. kInvalidArgument where the path is broken, or
// leads through a value that is no map or list.
Status SetPath(Json& root, const std::string& path, const Json& value);

// Takes away what `path` names. kNotFound when it is not there.
Status UnsetPath(Json& root, const std::string& path);

}  // namespace hearth::cli
