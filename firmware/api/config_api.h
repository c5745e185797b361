// /api/config: the model configuration, its revisions, and their applies.
#pragma once

#include <vector>

#include "firmware/apply/applier.h"
#include "firmware/apply/config_store.h"
#include "firmware/http/http.h"

namespace hearth::api {

// read_only: why nothing can be changed here (a pinned file); empty: it can.
//
// GET  /api/config                         newest and active revision, the apply, recovery, caps
// GET  /api/config/schema                  every field
// POST /api/config/validate                {"document"}: problems, changes, fit, interruption
// POST /api/config/diff                    {"from": id, "to": id | "document"}: lines and changes
// GET  /api/config/revisions?limit=&before=
// POST /api/config/revisions               {"document", "note", "expected"}: 201 {"id"}
// GET  /api/config/revisions/{id}
// GET  /api/config/revisions/{id}/export?format=yaml|json
// POST /api/config/apply                   {"revision"} or {"document", "note", "expected"}: 202
// GET  /api/config/apply, /api/config/applies/{id}
// POST /api/config/apply/confirm, /api/config/apply/cancel
// POST /api/config/restore                 {"revision", "expected"}: 202
// GET  /api/config/audit?limit=&before=
//
// A document that is wrong is answered with 400 and all its problems; a revision that is not the
// newest any more, or an apply that runs, with 409.
std::vector<http::Route> ConfigRoutes(apply::Applier* applier, apply::ConfigStore* store,
                                      const std::string& read_only);

}  // namespace hearth::api
