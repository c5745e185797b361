// /api/library: the models on the disk of this box, and the jobs that bring, check and remove them.
//
//   GET    /api/library                        LibraryView: disk, models, jobs
//   POST   /api/library/pulls                  {"model", "revision": "main"}: 202 {"job"}; 200 with the
//                                              job there is when the model is being pulled
//   POST   /api/library/imports                {"path", "model"}: 202 {"job"}
//   PUT    /api/library/uploads/MODEL/FILE     the file as the body, with its length: 201
//   POST   /api/library/uploads/MODEL/finish   202 {"job"}
//   POST   /api/library/models/MODEL/verify    202 {"job"}
//   DELETE /api/library/models/MODEL           200; ?path= takes one row of it; 409 while that is served,
//                                              configured or worked on
//   GET    /api/library/jobs, jobs/ID          {"jobs": [...]}, one job
//   POST   /api/library/jobs/ID/pause, resume  202 {"job"}
//   DELETE /api/library/jobs/ID                202 {"job"}: cancelled, and what has come removed
//   POST   /api/library/gc                     {"removed_bytes"}
//
// MODEL is "name" or "Org/Name", its slash percent-encoded or not.
#pragma once

#include <vector>

#include "firmware/http/http.h"
#include "firmware/library/library.h"

namespace hearth::api {

// `library` outlives the routes.
std::vector<http::Route> LibraryRoutes(library::Library* library);

}  // namespace hearth::api
