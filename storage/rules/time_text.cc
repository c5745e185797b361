#include "storage/rules/time_text.h"

#include <algorithm>

#include "storage/rules/template_functions.h"

namespace hearth::rules {

std::string Rfc3339(int64_t time_ms) {
  if (time_ms == 0) return "0001-01-01T00:00:00Z";
  std::string text = GoTimeText(time_ms);
  text.resize(text.find(" +0000"));
  std::replace(text.begin(), text.end(), ' ', 'T');
  return text + 'Z';
}

}  // namespace hearth::rules
