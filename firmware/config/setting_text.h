// What somebody wrote for a setting outside of a file, as the value that a file would have held.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace hearth::config {

// `type` as in the schema; "list" and "map" take several texts. `one_text`: all entries of a list or
// map stand in one text, separated by commas, as in a variable; a flag is repeated for each entry of
// a map instead, since headers contain commas. A text that is not of the type is given back as it
// is, for the table to refuse with its limits.
Json ValueOfTexts(const std::string& type, const std::vector<std::string>& texts, bool one_text);

}  // namespace hearth::config
