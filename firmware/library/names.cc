#include "firmware/library/names.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace hearth::library {
namespace {

constexpr std::string_view kRepositoryPrefix = "models--";

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

// One part between slashes.
bool IsName(std::string_view part) {
  return !part.empty() && part.size() <= kFileNameBytesMax && part.front() != '.' &&
         part.find("..") == std::string_view::npos && std::all_of(part.begin(), part.end(), IsNameByte);
}

// Takes the part before the next slash off `rest`; false when there was no slash.
bool TakePart(std::string_view& rest, std::string_view& part) {
  const size_t slash = rest.find('/');
  part = rest.substr(0, slash);
  rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  return slash != std::string_view::npos;
}

bool AreNames(std::string_view path) {
  std::string_view part;
  while (TakePart(path, part)) {
    if (!IsName(part)) return false;
  }
  return IsName(part);
}

// What is shown of a name that nobody has checked.
std::string Shown(std::string_view text) {
  std::string shown;
  for (const char c : text.substr(0, kModelIdBytesMax)) {
    shown += std::isprint(static_cast<unsigned char>(c)) != 0 ? c : '?';
  }
  return "'" + shown + "'";
}

}  // namespace

Status CheckModelId(std::string_view id) {
  const auto slashes = std::count(id.begin(), id.end(), '/');
  if (id.size() <= kModelIdBytesMax && slashes <= 1 && AreNames(id) &&
      id.find("--") == std::string_view::npos) {
    return Status::Ok();
  }
  return InvalidArgument(
      Shown(id) + " is no model id: write Org/Name or name of letters, digits, '.', '_' and '-', at most " +
      std::to_string(kModelIdBytesMax) + " bytes, without '..', '--' or a leading dot");
}

Status CheckFilePath(std::string_view path) {
  if (path.size() <= 2 * kFileNameBytesMax && AreNames(path)) return Status::Ok();
  return InvalidArgument(Shown(path) +
                         " is no file name of a model: letters, digits, '.', '_' and '-', without "
                         "'..' or a leading dot");
}

Status CheckRevision(std::string_view revision) {
  if (revision.size() <= kFileNameBytesMax && AreNames(revision)) return Status::Ok();
  return InvalidArgument(Shown(revision) +
                         " is no revision: name a branch, a tag or a commit, e.g. main");
}

bool IsCommit(std::string_view revision) {
  return revision.size() == 40 && std::all_of(revision.begin(), revision.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool LeavesFolder(std::string_view path) {
  if (path.empty() || path.front() == '/') return true;
  if (path.find('\\') != std::string_view::npos || path.find('\0') != std::string_view::npos) {
    return true;
  }
  std::string_view part;
  bool more = true;
  while (more) {
    more = TakePart(path, part);
    if (part.empty() || part == "." || part == "..") return true;
  }
  return false;
}

bool IsWanted(std::string_view path) {
  if (path.find('/') != std::string_view::npos) return false;
  constexpr std::array<std::string_view, 6> kEndings = {".safetensors", ".json", ".jinja", ".txt",
                                                        ".md", ".model"};
  // tokenizer.model is SentencePiece's; any other .model may be anything.
  if (path.ends_with(".model") && path != "tokenizer.model") return false;
  if (path.ends_with(".md") && !path.starts_with("README") && !path.starts_with("LICENSE")) return false;
  // The safetensors' index is wanted, that of a pickle is not.
  if (path.ends_with(".bin.index.json")) return false;
  if (path == "LICENSE" || path == "NOTICE") return true;
  return std::any_of(kEndings.begin(), kEndings.end(),
                     [&](std::string_view ending) { return path.ends_with(ending); });
}

std::string RepositoryName(std::string_view id) {
  std::string name(kRepositoryPrefix);
  for (const char c : id) name += c == '/' ? std::string("--") : std::string(1, c);
  return name;
}

std::optional<std::string> ModelIdOf(std::string_view repository_name) {
  if (!repository_name.starts_with(kRepositoryPrefix)) return std::nullopt;
  std::string id(repository_name.substr(kRepositoryPrefix.size()));
  if (const size_t dashes = id.find("--"); dashes != std::string::npos) id.replace(dashes, 2, "/");
  if (!CheckModelId(id).ok()) return std::nullopt;
  return id;
}

std::string FolderOf(std::string_view id) {
  return id.find('/') == std::string_view::npos ? std::string(id) : RepositoryName(id);
}

}  // namespace hearth::library
