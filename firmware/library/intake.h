// Models that come without a hub: from a directory or a USB stick, or file by file from a browser. And
// the second look at those that are here.
#pragma once

#include <string>
#include <vector>

#include "firmware/library/disk_guard.h"
#include "firmware/library/job.h"
#include "firmware/library/shelf.h"

namespace hearth::library {

// Is the model's place free? kFailedPrecondition names what to do.
Status CheckPlaceFree(const Shelf& shelf, const std::string& model);

// Copies the directory of the job's path: what IsWanted of it, through links only where they stay inside.
// It may be a model's folder, or a repository of Hugging Face's cache (models--Org--Name). Ok: the model
// is on its shelf. kAborted, kResourceExhausted as Pull::Run; begun again it copies from the start.
Status RunImport(const Shelf& shelf, const DiskGuard& disk, Job& job);

// Hashes what was uploaded, and puts it on its shelf.
Status RunUpload(const Shelf& shelf, Job& job);

// Hashes a model of the shelf against its manifest and writes down what was found. kDataLoss: it is
// damaged; the message says where.
Status RunVerify(const Shelf& shelf, Job& job);

}  // namespace hearth::library
