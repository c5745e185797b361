// Answers in the JSON of Prometheus's HTTP API, written straight into text: a dashboard polls them.
#pragma once

#include <string>
#include <string_view>

#include "storage/promql/value.h"

namespace hearth::promql {

// Quoted and escaped. Invalid UTF-8 becomes U+FFFD.
void AppendJsonString(std::string_view text, std::string& out);

// {"name":"value",...}
void AppendJson(const Labels& labels, std::string& out);

// {"resultType":"vector","result":[...]}
void AppendJson(const Value& value, std::string& out);
void AppendJson(const Matrix& matrix, std::string& out);

// {"timings":{...},"samples":{...}}
void AppendJson(const EvalStats& stats, std::string& out);

// ,"warnings":[...],"infos":[...]: only what there is.
void AppendJson(const Annotations& annotations, std::string& out);

}  // namespace hearth::promql
