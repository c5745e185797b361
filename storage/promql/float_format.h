// Floats as text, as Go writes them.
#pragma once

#include <string>

namespace hearth::promql {

// Shortest text that reads back as the same double, without exponent: strconv's 'f', -1.
// "NaN", "+Inf", "-Inf".
void AppendFloat(double value, std::string& out);
std::string FloatText(double value);

// As above, with an exponent below 1e-6 and from 1e21 on: a sample's value in Prometheus's JSON.
void AppendJsonFloat(double value, std::string& out);

}  // namespace hearth::promql
