// What a model, a revision and a file of it may be called. Names come from a hub, a request or a USB
// stick, and become paths below the models directory: what is not plainly a name is refused.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace hearth::library {

inline constexpr size_t kModelIdBytesMax = 96;  // the hub's own bound
inline constexpr size_t kFileNameBytesMax = 200;

// "Org/Name" or "name" of [A-Za-z0-9._-]; no part begins with a dot, none has ".." or "--" in it.
// "--" is what stands for the slash on the disk, and the hub has no such name either.
Status CheckModelId(std::string_view id);

// A file's path inside a model: the same per component, any number of them.
Status CheckFilePath(std::string_view path);

// A branch, a tag or a commit.
Status CheckRevision(std::string_view revision);
bool IsCommit(std::string_view revision);  // 40 hexadecimal digits, lower case

// Would the path lead out of its folder? A repository that has one such file is not trusted with
// the others.
bool LeavesFolder(std::string_view path);

// Is it one of the files that serving a model takes? Weights as safetensors, configuration, tokenizer,
// templates, the papers that belong to it; top level only. Pickles may run code when they are read.
bool IsWanted(std::string_view path);

// "models--Org--Name", a folder of Hugging Face's cache, and back.
std::string RepositoryName(std::string_view id);
std::optional<std::string> ModelIdOf(std::string_view repository_name);

// Where a model that was imported lies below the models directory: a name is its own folder, an id of
// two parts that of the cache.
std::string FolderOf(std::string_view id);

}  // namespace hearth::library
