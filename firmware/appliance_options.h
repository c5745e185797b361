// From what the administrator configured to what the appliance takes.
#pragma once

#include <vector>

#include "firmware/appliance.h"
#include "firmware/command_line.h"

namespace hearth {

// What only the parts themselves can judge (rule files, URLs, names of views, the file of models) is
// checked here. All that is wrong is appended to `problems`; the options mean nothing then.
ApplianceOptions MakeApplianceOptions(const config::LoadedBoxConfig& loaded,
                                      const CommandLine& line,
                                      std::vector<config::PlacedProblem>& problems);

}  // namespace hearth
