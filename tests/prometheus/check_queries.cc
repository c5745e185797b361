// Reads {"queries": [{"where", "query"}, ...], "recorded": [...], "outside": [...]} from standard input,
// prints a line for each defect of a query (query_check.h) and exits with 1 if there was one.
#include <iostream>
#include <iterator>

#include "base/json.h"
#include "tests/prometheus/query_check.h"

int main() {
  using hearth::Json;
  const std::string text(std::istreambuf_iterator<char>(std::cin), {});
  const auto parsed = hearth::ParseJson(text);
  if (!parsed.ok()) {
    std::cerr << parsed.status().message() << '\n';
    return 2;
  }
  const Json& input = parsed.value();
  const hearth::metrics::QueryCheck check(input.at("recorded").get<std::set<std::string>>(),
                                          input.at("outside").get<std::set<std::string>>());
  bool clean = true;
  for (const Json& entry : input.at("queries")) {
    for (const std::string& finding : check.Findings(entry.at("query").get<std::string>())) {
      std::cout << entry.at("where").get<std::string>() << ": " << finding << '\n';
      clean = false;
    }
  }
  return clean ? 0 : 1;
}
