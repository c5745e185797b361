// The models directory: what lies in it, where something new goes, and what may be thrown away.
//
//   models--Org--Name/snapshots/<commit>/...   Hugging Face's cache layout, real files, no links
//   models--Org--Name/refs/main                the commit that serves under this id
//   models--Org--Name/.partial/<commit>/       of a pull: plan.json, journal, files/
//   name/...                                   an imported model
//   .incoming/<folder>/...                     of an import or upload
//   .uploads/                                  bodies that are arriving
//   .jobs/<id>.json                            jobs that have not ended well
//   .trash/                                    what is being removed
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "firmware/library/manifest.h"

namespace hearth::library {

// One model on the disk, whole or in part. What the API shows of it.
struct ModelView {
  std::string id;
  std::string revision;
  std::string path;
  uint64_t bytes = 0;
  uint64_t num_files = 0;
  std::string content_hash;  // empty: nobody has hashed it
  std::string source = "unknown";
  std::string state = "whole";  // "damaged", "partial"
  std::string problem;
  int64_t added_ms = 0;
  std::optional<int64_t> verified_ms;
  std::vector<std::string> served_as;
  std::string architecture;
  std::optional<uint64_t> num_parameters;
  std::string dtype;

  template <typename V>
  void VisitFields(V& v) {
    v("id", id);
    v("revision", revision);
    v("path", path);
    v("bytes", bytes);
    v("num_files", num_files);
    v("content_hash", content_hash);
    v("source", source);
    v("state", state);
    v("problem", problem);
    v("added_ms", added_ms);
    v("verified_ms", verified_ms);
    v("served_as", served_as);
    v("architecture", architecture);
    v("num_parameters", num_parameters);
    v("dtype", dtype);
  }
};

// Any thread; who writes into one model's folder is the library's business.
class Shelf {
 public:
  explicit Shelf(std::string directory) : directory_(std::move(directory)) {}

  // Makes the directory and its own folders. An error: nothing can be put here.
  Status Prepare() const;

  const std::string& directory() const { return directory_; }
  std::string RepositoryPath(const std::string& model) const;
  std::string SnapshotPath(const std::string& model, const std::string& commit) const;
  std::string PartialPath(const std::string& model, const std::string& commit) const;
  std::string IncomingPath(const std::string& model) const;
  std::string UploadsPath() const;
  std::string JobsPath() const;

  // Folders of unfinished pulls of the model, any commit.
  std::vector<std::string> Partials(const std::string& model) const;

  std::vector<ModelView> Scan() const;

  // Where a model is, whole or damaged: the newest of its snapshots, or its own folder.
  std::optional<ModelView> Find(const std::string& model) const;

  // All of it, with what is unfinished. kNotFound.
  Status Remove(const std::string& model) const;
  // One folder: out of sight at once, then removed.
  Status Discard(const std::string& path) const;

  // What nobody will miss: leftovers of removals, and unfinished pulls, imports and uploads of models
  // that are not `busy` and that were not touched for a week.
  uint64_t GarbageBytes(const std::set<std::string>& busy) const;
  // Puts the unfinished ones out of sight. Nobody may begin with one of them meanwhile.
  void BinForgotten(const std::set<std::string>& busy) const;
  uint64_t EmptyTrash() const;  // bytes removed

 private:
  ModelView Describe(const std::string& id, const std::string& revision, const std::string& path) const;
  void ScanRepository(const std::string& path, const std::string& id,
                      std::vector<ModelView>& models) const;
  void ScanPlain(const std::string& path, std::vector<ModelView>& models) const;
  void ScanIncoming(std::vector<ModelView>& models) const;
  std::vector<std::string> Forgotten(const std::set<std::string>& busy) const;
  Status MoveToTrash(const std::string& path) const;
  ModelFacts FactsOf(const std::string& path) const;

  const std::string directory_;
  mutable std::mutex facts_mutex_;
  mutable std::map<std::string, std::pair<int64_t, ModelFacts>> facts_;  // by path: as of when
};

}  // namespace hearth::library
