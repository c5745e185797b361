// A stretch of a prompt that knows where it came from.
#pragma once

#include <string>

namespace hearth::engine {

struct Segment {
  std::string text;
  // Written by a user or a tool, not by the model's template: a special token spelled out in it,
  // even in part, stays ordinary text.
  bool is_input = false;

  bool operator==(const Segment&) const = default;
};

}  // namespace hearth::engine
