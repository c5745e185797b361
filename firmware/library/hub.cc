#include "firmware/library/hub.h"

#include <algorithm>
#include <numeric>

#include "base/json.h"
#include "firmware/library/names.h"

namespace hearth::library {
namespace {

constexpr size_t kAnswerBytesMax = size_t{16} << 20;  // a page of a thousand files is 300 KiB
constexpr int kPagesMax = 50;
constexpr size_t kFilesMax = 2000;
constexpr uint64_t kFileBytesMax = uint64_t{1} << 43;  // 8 TiB, far above any model

bool IsHex(const std::string& text, size_t digits) {
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::string Text(const Json& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_string() ? member->get<std::string>() : "";
}

// A slash in a revision ("refs/pr/1") is no separator of the URL.
std::string InUrl(std::string revision) {
  for (size_t slash = 0; (slash = revision.find('/', slash)) != std::string::npos;) {
    revision.replace(slash, 1, "%2F");
  }
  return revision;
}

std::string WithoutEndSlash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

Status AddFile(const Json& entry, std::vector<PlannedFile>& files) {
  if (!entry.is_object() || Text(entry, "type") != "file") return Status::Ok();
  PlannedFile file;
  file.path = Text(entry, "path");
  if (LeavesFolder(file.path)) {
    return InvalidArgument(
        "the repository names a file outside of its own folder; it is not to be trusted, and nothing "
        "of it was kept");
  }
  if (!IsWanted(file.path)) return Status::Ok();
  HEARTH_RETURN_IF_ERROR(CheckFilePath(file.path));
  const auto lfs = entry.find("lfs");
  const bool is_lfs = lfs != entry.end() && lfs->is_object();
  const Json& sized = is_lfs ? *lfs : entry;
  const auto size = sized.find("size");
  if (size == sized.end() || !size->is_number_unsigned() || *size > kFileBytesMax) {
    return InvalidArgument("the hub tells no usable size of " + file.path);
  }
  file.size = size->get<uint64_t>();
  (is_lfs ? file.sha256 : file.git_oid) = Text(sized, "oid");
  if (is_lfs ? !IsHex(file.sha256, 64) : !IsHex(file.git_oid, 40)) {
    return InvalidArgument("the hub tells no hash of " + file.path +
                           ", so what comes could not be checked");
  }
  files.push_back(std::move(file));
  if (files.size() <= kFilesMax) return Status::Ok();
  return InvalidArgument("the repository has more than " + std::to_string(kFilesMax) + " files");
}

Status CheckComplete(const std::string& model, const std::vector<PlannedFile>& files) {
  const auto has = [&](auto&& test) { return std::any_of(files.begin(), files.end(), test); };
  if (!has([](const PlannedFile& file) { return file.path == "config.json"; })) {
    return FailedPrecondition(model + " has no config.json: it is no model that can be served here");
  }
  if (!has([](const PlannedFile& file) { return file.path.ends_with(".safetensors"); })) {
    return FailedPrecondition(
        model + " has no weights as safetensors; pickles (.bin, .pt) and .gguf are not taken: choose a "
        "repository with .safetensors files");
  }
  return Status::Ok();
}

}  // namespace

uint64_t Plan::bytes() const {
  return std::accumulate(files.begin(), files.end(), uint64_t{0},
                         [](uint64_t sum, const PlannedFile& file) { return sum + file.size; });
}

std::string Hub::FileUrl(const Plan& plan, const PlannedFile& file) const {
  return WithoutEndSlash(access_->endpoint) + "/" + plan.model + "/resolve/" + plan.commit + "/" +
         file.path;
}

Status Hub::RefusalOf(const std::string& model, const TransferReply& reply) const {
  const std::string said = "the hub answered " + std::to_string(reply.status) + " for " + model;
  const std::string token =
      access_->token.empty() ? "set HF_TOKEN or hub.token_file" : "check the token of HF_TOKEN or "
                                                                  "hub.token_file";
  if (reply.error_code == "RevisionNotFound") {
    return NotFound(said + ": it has no such revision; name a branch, a tag or a commit of it");
  }
  if (reply.error_code == "EntryNotFound") {
    return NotFound(said + ": a file of it is no longer there; pull it again");
  }
  switch (reply.status) {
    case 401:
      return FailedPrecondition(said + ": there is no such model, or it is private or gated; check "
                                "the name, or " + token);
    case 403:
      return FailedPrecondition(said + ": access is not granted; if the model is gated, accept its "
                                "terms on the hub's page, and " + token);
    case 404:
      return NotFound(said + ": there is no such model, revision or file; check the name");
    case 429: return Unavailable(said + ": too many requests");
    default: break;
  }
  if (reply.status >= 500 || reply.status == 408 || reply.status == 425) return Unavailable(said);
  return FailedPrecondition(said + ", which a hub does not say: check hub.endpoint");
}

Result<std::string> Hub::GetText(const std::string& model, const std::string& url,
                                 RetryAdvice& advice, std::string* next) {
  std::string text;
  const ByteSink sink = [&](const TransferReply&, std::string_view piece) {
    if (text.size() + piece.size() > kAnswerBytesMax) {
      return InvalidArgument("the hub's answer has more than " + std::to_string(kAnswerBytesMax) +
                             " bytes");
    }
    text += piece;
    return Status::Ok();
  };
  HEARTH_ASSIGN_OR_RETURN(const TransferReply reply, transfer_->Get(url, std::nullopt, sink));
  advice.retry_after_s = reply.retry_after_s;
  if (reply.status != 200) return RefusalOf(model, reply);
  if (next != nullptr) *next = reply.next;
  return text;
}

Result<Plan> Hub::Resolve(const std::string& model, const std::string& revision,
                          RetryAdvice& advice) {
  Plan plan{.model = model, .revision = revision, .commit = {}, .files = {}};
  const std::string api = WithoutEndSlash(access_->endpoint) + "/api/models/" + model;
  HEARTH_ASSIGN_OR_RETURN(
      const std::string about,
      GetText(model, api + "/revision/" + InUrl(revision), advice, nullptr));
  const auto json = ParseJson(about);
  if (!json.ok() || !json->is_object()) {
    return FailedPrecondition("the hub's answer about " + model + " is no JSON object; check hub.endpoint");
  }
  plan.commit = Text(*json, "sha");
  if (!IsCommit(plan.commit)) return FailedPrecondition("the hub names no commit of " + model);

  std::string url = api + "/tree/" + plan.commit + "?recursive=true";
  for (int page = 0; !url.empty(); ++page) {
    if (page == kPagesMax) {
      return InvalidArgument(model + " has more than " + std::to_string(kPagesMax) + " pages of files");
    }
    std::string next;
    HEARTH_ASSIGN_OR_RETURN(const std::string text, GetText(model, url, advice, &next));
    const auto entries = ParseJson(text);
    if (!entries.ok() || !entries->is_array()) {
      return FailedPrecondition("the hub's list of files of " + model + " is no JSON array");
    }
    for (const Json& entry : *entries) HEARTH_RETURN_IF_ERROR(AddFile(entry, plan.files));
    url = next;
  }
  HEARTH_RETURN_IF_ERROR(CheckComplete(model, plan.files));
  std::stable_sort(plan.files.begin(), plan.files.end(),
                   [](const PlannedFile& a, const PlannedFile& b) { return a.size < b.size; });
  return plan;
}

}  // namespace hearth::library
