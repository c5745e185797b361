#include "storage/rules/template_functions.h"

#include <re2/re2.h>

#include <cctype>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>

#include "storage/promql/float_format.h"
#include "storage/promql/lexer.h"

namespace hearth::rules {

namespace {

using Arguments = std::span<const TemplateValue>;

constexpr size_t kAnyNumber = 32;
constexpr int kWidthMax = 100;

// C's printf with Go's words for what is no number. `format` holds one verb for a double.
std::string Print(const char* format, double value) {
  if (!std::isfinite(value)) return promql::FloatText(value);
  char text[512];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

Result<double> Number(const TemplateValue& value) {
  if (const double* number = std::get_if<double>(&value)) return *number;
  if (std::holds_alternative<bool>(value)) return InvalidArgument("a condition is no number");
  const std::string& text = std::get<std::string>(value);
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  if (text.empty() || error != std::errc() || at != end) {
    return InvalidArgument(promql::Quote(text) + " is no number");
  }
  return number;
}

// Divides (or multiplies) by `base` until the number reads well, and says how often by a prefix.
std::string Scaled(double value, double base, std::span<const char* const> prefixes, bool up) {
  const char* prefix = "";
  for (const char* next : prefixes) {
    if (up ? std::abs(value) < base : std::abs(value) >= 1) break;
    prefix = next;
    value = up ? value / base : value * base;
  }
  return Print("%.4g", value) + prefix;
}

constexpr const char* kLarge[] = {"k", "M", "G", "T", "P", "E", "Z", "Y"};
constexpr const char* kBinary[] = {"ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"};
constexpr const char* kSmall[] = {"m", "u", "n", "p", "f", "a", "z", "y"};

Result<TemplateValue> Humanize(Arguments arguments) {
  HEARTH_ASSIGN_OR_RETURN(const double value, Number(arguments[0]));
  if (value == 0 || !std::isfinite(value)) return TemplateValue(Print("%.4g", value));
  if (std::abs(value) >= 1) return TemplateValue(Scaled(value, 1000, kLarge, true));
  return TemplateValue(Scaled(value, 1000, kSmall, false));
}

Result<TemplateValue> Humanize1024(Arguments arguments) {
  HEARTH_ASSIGN_OR_RETURN(const double value, Number(arguments[0]));
  if (std::abs(value) <= 1 || !std::isfinite(value)) return TemplateValue(Print("%.4g", value));
  return TemplateValue(Scaled(value, 1024, kBinary, true));
}

Result<TemplateValue> HumanizePercentage(Arguments arguments) {
  HEARTH_ASSIGN_OR_RETURN(const double value, Number(arguments[0]));
  return TemplateValue(Print("%.4g", value * 100) + "%");
}

Result<TemplateValue> HumanizeDuration(Arguments arguments) {
  HEARTH_ASSIGN_OR_RETURN(double value, Number(arguments[0]));
  if (!std::isfinite(value)) return TemplateValue(Print("%.4g", value));
  if (value == 0) return TemplateValue(std::string("0s"));
  if (std::abs(value) < 1) return TemplateValue(Scaled(value, 1000, kSmall, false) + "s");
  const std::string sign = value < 0 ? "-" : "";
  value = std::abs(value);
  if (value >= 9.2e18) return InvalidArgument(Print("%.4g", value) + " seconds are too many");
  const auto whole = static_cast<int64_t>(value);
  const std::string seconds = std::to_string(whole % 60) + "s";
  const std::string minutes = std::to_string(whole / 60 % 60) + "m ";
  const std::string hours = std::to_string(whole / 3600 % 24) + "h ";
  if (whole >= 86400) {
    return TemplateValue(sign + std::to_string(whole / 86400) + "d " + hours + minutes + seconds);
  }
  if (whole >= 3600) return TemplateValue(sign + hours + minutes + seconds);
  if (whole >= 60) return TemplateValue(sign + minutes + seconds);
  return TemplateValue(sign + Print("%.4g", value) + "s");
}

Result<TemplateValue> HumanizeTimestamp(Arguments arguments) {
  HEARTH_ASSIGN_OR_RETURN(const double value, Number(arguments[0]));
  if (!std::isfinite(value)) return TemplateValue(Print("%.4g", value));
  if (std::abs(value) > 2e11) {
    return InvalidArgument(Print("%.4g", value) + " is no timestamp in seconds");
  }
  return TemplateValue(GoTimeText(std::llround(value * 1000)));
}

// One verb of printf: `spec` is what stands between % and the verb.
Result<std::string> Formatted(const std::string& spec, char verb, const TemplateValue& value) {
  int width = 0;
  for (const char c : spec) {
    width = std::isdigit(static_cast<unsigned char>(c)) ? width * 10 + (c - '0') : 0;
    if (width > kWidthMax) return InvalidArgument("%" + spec + verb + " is too wide");
  }
  if (verb == 'f' || verb == 'e' || verb == 'g') {
    const double* number = std::get_if<double>(&value);
    if (number == nullptr) return InvalidArgument(std::string("%") + verb + " needs a number");
    if (verb == 'g' && spec.empty()) return TemplateText(*number);  // Go: as short as it can be
    return Print(("%" + spec + verb).c_str(), *number);
  }
  std::string text = TemplateText(value);
  if (verb == 'q') text = promql::Quote(text);
  if (spec.empty()) return text;
  std::string out(text.size() + kWidthMax + 1, '\0');
  const int length =
      std::snprintf(out.data(), out.size(), ("%" + spec + "s").c_str(), text.c_str());
  out.resize(static_cast<size_t>(length));
  return out;
}

Result<TemplateValue> Printf(Arguments arguments) {
  const std::string format = TemplateText(arguments[0]);
  std::string out;
  size_t next = 1;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      out += format[i];
      continue;
    }
    const size_t end = format.find_first_not_of("+-# 0123456789.", i + 1);
    if (end == std::string::npos) return InvalidArgument("a lone % ends the format");
    const char verb = format[end];
    const std::string spec = format.substr(i + 1, end - i - 1);
    i = end;
    if (verb == '%') {
      out += '%';
      continue;
    }
    if (std::string_view("svqfeg").find(verb) == std::string_view::npos) {
      return InvalidArgument(std::string("%") + verb + " is not among %s %v %q %f %e %g %%");
    }
    if (next == arguments.size()) return InvalidArgument("more verbs than values");
    HEARTH_ASSIGN_OR_RETURN(const std::string text, Formatted(spec, verb, arguments[next++]));
    out += text;
  }
  if (next != arguments.size()) return InvalidArgument("more values than verbs");
  return TemplateValue(out);
}

Result<TemplateValue> ToUpper(Arguments arguments) {
  std::string text = TemplateText(arguments[0]);
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return TemplateValue(text);
}

Result<TemplateValue> ToLower(Arguments arguments) {
  std::string text = TemplateText(arguments[0]);
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return TemplateValue(text);
}

// The first letter of each word large.
Result<TemplateValue> Title(Arguments arguments) {
  std::string text = TemplateText(arguments[0]);
  bool starts = true;
  for (char& c : text) {
    if (starts) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    starts = c == ' ' || c == '\t' || c == '\n' || c == '-' || c == '/' || c == '.';
  }
  return TemplateValue(text);
}

// Go writes a group as $1 or ${1}, RE2 as \1.
std::string Rewrite(const std::string& replacement) {
  std::string out;
  for (size_t i = 0; i < replacement.size(); ++i) {
    const bool braced = replacement.compare(i, 2, "${") == 0;
    const size_t digit = i + (braced ? 2 : 1);
    if (replacement[i] == '$' && digit < replacement.size() &&
        std::isdigit(static_cast<unsigned char>(replacement[digit])) &&
        (!braced || replacement.compare(digit + 1, 1, "}") == 0)) {
      out += '\\';
      out += replacement[digit];
      i = digit + (braced ? 1 : 0);
    } else {
      out += replacement[i];
      if (replacement[i] == '\\') out += '\\';
    }
  }
  return out;
}

Result<TemplateValue> ReReplaceAll(Arguments arguments) {
  const RE2 pattern(TemplateText(arguments[0]), RE2::Quiet);
  if (!pattern.ok()) return InvalidArgument("the pattern does not compile: " + pattern.error());
  const std::string rewrite = Rewrite(TemplateText(arguments[1]));
  std::string why;
  if (!pattern.CheckRewriteString(rewrite, &why)) return InvalidArgument(why);
  std::string text = TemplateText(arguments[2]);
  RE2::GlobalReplace(&text, pattern, rewrite);
  return TemplateValue(text);
}

Status Incomparable(const TemplateValue& a, const TemplateValue& b) {
  return InvalidArgument("incompatible types for comparison: " + TemplateText(a) + " and " +
                         TemplateText(b));
}

// Like Go, but that a number is a number: 90 compares with $value as 90.0 does.
template <typename Compare>
Result<TemplateValue> Ordered(Arguments arguments, Compare compare) {
  const TemplateValue& a = arguments[0];
  const TemplateValue& b = arguments[1];
  if (a.index() != b.index() || std::holds_alternative<bool>(a)) return Incomparable(a, b);
  if (const double* number = std::get_if<double>(&a)) {
    return TemplateValue(compare(*number, std::get<double>(b)));
  }
  return TemplateValue(compare(std::get<std::string>(a), std::get<std::string>(b)));
}

Result<TemplateValue> Less(Arguments arguments) { return Ordered(arguments, std::less<>()); }
Result<TemplateValue> LessOrEqual(Arguments arguments) {
  return Ordered(arguments, std::less_equal<>());
}
Result<TemplateValue> Greater(Arguments arguments) { return Ordered(arguments, std::greater<>()); }
Result<TemplateValue> GreaterOrEqual(Arguments arguments) {
  return Ordered(arguments, std::greater_equal<>());
}

// Whether the first equals any of the others.
Result<TemplateValue> Equal(Arguments arguments) {
  for (const TemplateValue& other : arguments.subspan(1)) {
    if (arguments[0].index() != other.index()) return Incomparable(arguments[0], other);
    if (arguments[0] == other) return TemplateValue(true);
  }
  return TemplateValue(false);
}

Result<TemplateValue> NotEqual(Arguments arguments) {
  HEARTH_ASSIGN_OR_RETURN(const TemplateValue equal, Equal(arguments));
  return TemplateValue(!std::get<bool>(equal));
}

// The first that is not true, or the last; Or the other way round.
Result<TemplateValue> And(Arguments arguments) {
  for (const TemplateValue& value : arguments) {
    if (!IsTrue(value)) return value;
  }
  return arguments.back();
}

Result<TemplateValue> Or(Arguments arguments) {
  for (const TemplateValue& value : arguments) {
    if (IsTrue(value)) return value;
  }
  return arguments.back();
}

Result<TemplateValue> Not(Arguments arguments) { return TemplateValue(!IsTrue(arguments[0])); }

constexpr TemplateFunction kFunctions[] = {
    {"and", 1, kAnyNumber, And},
    {"eq", 2, kAnyNumber, Equal},
    {"ge", 2, 2, GreaterOrEqual},
    {"gt", 2, 2, Greater},
    {"humanize", 1, 1, Humanize},
    {"humanize1024", 1, 1, Humanize1024},
    {"humanizeDuration", 1, 1, HumanizeDuration},
    {"humanizePercentage", 1, 1, HumanizePercentage},
    {"humanizeTimestamp", 1, 1, HumanizeTimestamp},
    {"le", 2, 2, LessOrEqual},
    {"lt", 2, 2, Less},
    {"ne", 2, 2, NotEqual},
    {"not", 1, 1, Not},
    {"or", 1, kAnyNumber, Or},
    {"printf", 1, kAnyNumber, Printf},
    {"reReplaceAll", 3, 3, ReReplaceAll},
    {"title", 1, 1, Title},
    {"toLower", 1, 1, ToLower},
    {"toUpper", 1, 1, ToUpper},
};

}  // namespace

const TemplateFunction* FindTemplateFunction(std::string_view name) {
  for (const TemplateFunction& function : kFunctions) {
    if (function.name == name) return &function;
  }
  return nullptr;
}

bool IsTrue(const TemplateValue& value) {
  if (const bool* truth = std::get_if<bool>(&value)) return *truth;
  if (const double* number = std::get_if<double>(&value)) return *number != 0;
  return !std::get<std::string>(value).empty();
}

std::string TemplateText(const TemplateValue& value) {
  if (const bool* truth = std::get_if<bool>(&value)) return *truth ? "true" : "false";
  if (const std::string* text = std::get_if<std::string>(&value)) return *text;
  const double number = std::get<double>(value);
  const double size = std::abs(number);
  if (!std::isfinite(number) || number == 0 || (size >= 1e-4 && size < 1e21)) {
    return promql::FloatText(number);
  }
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, number, std::chars_format::scientific);
  return std::string(text, end.ptr);
}

std::string GoTimeText(int64_t time_ms) {
  using namespace std::chrono;
  const sys_time<milliseconds> time{milliseconds(time_ms)};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u %02d:%02d:%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  std::string out = text;
  if (const auto fraction = clock.subseconds().count(); fraction != 0) {
    std::snprintf(text, sizeof text, ".%03d", static_cast<int>(fraction));
    out += text;
    while (out.back() == '0') out.pop_back();
  }
  return out + " +0000 UTC";
}

}  // namespace hearth::rules
