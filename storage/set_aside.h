// What is done with a database that is broken: it makes way, and stays for who wants to look.
#pragma once

#include <string>

#include "base/result.h"

namespace hearth::storage {

// Renames the database and its write-ahead log to <path>.corrupt-<utc>, of which the newest two are
// kept. No connection to it may be open. Returns the new name.
Result<std::string> SetDatabaseAside(const std::string& path);

// Now, for the name of a file: 20260131T235959Z. Sorts by time.
std::string UtcStamp();

}  // namespace hearth::storage
