// Whether a PromQL expression asks for something this box has: a query with a wrong name, label or label
// value is not an error anywhere, it is silent for ever.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "firmware/metrics/name_views.h"
#include "storage/promql/ast.h"

namespace hearth::metrics {

class QueryCheck {
 public:
  // recorded: names of recording rules. outside: names and labels that Prometheus itself makes, such as
  // up, job and instance.
  QueryCheck(std::set<std::string> recorded, std::set<std::string> outside);

  // One sentence for each defect: text that does not parse, a series that no view has, a matcher on a
  // label that the family lacks or that asks for a value the label never has.
  std::vector<std::string> Findings(std::string_view query) const;

 private:
  std::vector<std::string> SelectorFindings(const promql::Selector& selector) const;
  std::vector<std::string> MatcherFindings(const NameView& view,
                                           const promql::Matcher& matcher) const;

  const std::set<std::string> recorded_;
  const std::set<std::string> outside_;
  std::map<std::string, const NameView*> views_;  // by the name of a series
};

}  // namespace hearth::metrics
