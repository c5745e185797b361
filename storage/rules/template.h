// Templates of labels and annotations: the part of Prometheus's that stands in rule files.
//
// {{ pipeline }} with the variables $labels.x, $externalLabels.x and $value (also .Labels.x,
// .ExternalLabels.x, .Value), strings, numbers, parentheses, `|` and the functions of
// template_functions.h; {{- and -}} take the white space beside them; {{/* */}} says nothing.
// {{if pipeline}} ... {{else if pipeline}} ... {{else}} ... {{end}} chooses.
// Everything else (range, with, query, ...) is an error of Parse that names it, never text.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "storage/promql/series_source.h"

namespace hearth::rules {

struct TemplateData {
  const promql::Labels& labels;
  const promql::Labels& external_labels;
  double value = 0;
};

class Template {
 public:
  struct Node;  // a piece of text or an expression

  // kInvalidArgument with what is wrong and where ("at byte 12").
  static Result<Template> Parse(std::string_view text);

  // kInvalidArgument when a function cannot take its arguments ("humanize: \"abc\" is no number").
  Result<std::string> Expand(const TemplateData& data) const;

  // As written.
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::vector<std::shared_ptr<const Node>> nodes_;
};

}  // namespace hearth::rules
