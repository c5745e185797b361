#include "engine/text/jinja_format.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "engine/text/jinja_text.h"
#include "engine/text/unicode.h"

namespace hearth::engine::jinja {
namespace {

// Python's repr of a float: the shortest digits that read back the same, in exponent form below
// 1e-4 and from 1e16 up.
std::string FloatText(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
  const double magnitude = std::abs(number);
  const bool fixed = magnitude == 0 || (magnitude >= 1e-4 && magnitude < 1e16);
  std::array<char, 64> buffer{};
  const auto result =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number,
                    fixed ? std::chars_format::fixed : std::chars_format::scientific);
  std::string text(buffer.data(), result.ptr);
  if (fixed && text.find('.') == std::string::npos) text += ".0";
  return text;
}

bool IsPrintable(char32_t c) {
  if (c == ' ') return true;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP: return false;
    default: return true;
  }
}

std::string HexEscape(const char* prefix, int digits, char32_t c) {
  std::array<char, 16> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "\\%s%0*x", prefix, digits, static_cast<unsigned>(c));
  return buffer.data();
}

// How repr() writes `c` between quotes; empty = as it is.
std::string ReprEscape(char32_t c, char quote) {
  if (c == static_cast<char32_t>(quote) || c == '\\') return {'\\', static_cast<char>(c)};
  if (c == '\n') return "\\n";
  if (c == '\r') return "\\r";
  if (c == '\t') return "\\t";
  if (IsPrintable(c)) return "";
  if (c < 0x100) return HexEscape("x", 2, c);
  return c < 0x10000 ? HexEscape("u", 4, c) : HexEscape("U", 8, c);
}

// How JSON writes `c` between quotes; empty = as it is.
std::string JsonEscape(char32_t c, bool ensure_ascii) {
  switch (c) {
    case '"': return "\\\"";
    case '\\': return "\\\\";
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    case '\f': return "\\f";
    case '\b': return "\\b";
    default: break;
  }
  if (c < 0x20) return HexEscape("u", 4, c);
  if (!ensure_ascii || c < 0x7F) return "";
  if (c < 0x10000) return HexEscape("u", 4, c);
  return HexEscape("u", 4, 0xD800 + ((c - 0x10000) >> 10)) +
         HexEscape("u", 4, 0xDC00 + ((c - 0x10000) & 0x3FF));
}

// Appends the characters of `text`, each escaped by `escape` where that gives something. Escapes of
// input are input.
template <typename Escape>
void AppendEscaped(Text& out, const Text& text, const Escape& escape) {
  for (size_t pos = 0; pos < text.size();) {
    const DecodedChar c = DecodeUtf8(text.bytes(), pos);
    const std::string escaped = escape(c.code_point);
    const auto length = static_cast<size_t>(c.length);
    const std::string_view raw = std::string_view(text.bytes()).substr(pos, length);
    out.Append(escaped.empty() ? raw : std::string_view(escaped), text.IsInput(pos));
    pos += length;
  }
}

void AppendReprOfText(Text& out, const Text& text) {
  const bool has_single = text.bytes().find('\'') != std::string::npos;
  const bool has_double = text.bytes().find('"') != std::string::npos;
  const char quote = has_single && !has_double ? '"' : '\'';
  out.Append(std::string(1, quote));
  AppendEscaped(out, text, [quote](char32_t c) { return ReprEscape(c, quote); });
  out.Append(std::string(1, quote));
}

class ReprWriter {
 public:
  explicit ReprWriter(Budget& budget) : budget_(budget) {}

  void Write(const Value& value) {
    budget_.Charge(1);
    if (const Text* text = value.AsText()) {
      ChargeWalk(text->size(), budget_);
      Budget::CheckLength(out_.size() + text->size());
      AppendReprOfText(out_, *text);
    } else if (const List* list = value.AsList()) {
      WriteList(*list);
    } else if (const Dict* dict = value.AsDict()) {
      WriteDict(*dict);
    } else {
      out_.Append(Scalar(value));
    }
  }

  static std::string Scalar(const Value& value) {
    if (value.IsUndefined()) return "Undefined";
    if (value.IsNone()) return "None";
    if (value.Is<bool>()) return value.Truth() ? "True" : "False";
    if (value.IsInteger()) return std::to_string(value.Integer());
    if (value.IsNumber()) return FloatText(value.Number());
    return "<" + std::string(value.TypeName()) + ">";
  }

  Text Take() { return std::move(out_); }

 private:
  void WriteList(const List& list) {
    out_.Append(list.is_tuple ? "(" : "[");
    for (size_t i = 0; i < list.items.size(); ++i) {
      if (i > 0) out_.Append(", ");
      Write(list.items[i]);
    }
    if (list.is_tuple && list.items.size() == 1) out_.Append(",");
    out_.Append(list.is_tuple ? ")" : "]");
  }

  void WriteDict(const Dict& dict) {
    out_.Append("{");
    for (size_t i = 0; i < dict.size(); ++i) {
      if (i > 0) out_.Append(", ");
      Write(dict.entries()[i].first);
      out_.Append(": ");
      Write(dict.entries()[i].second);
    }
    out_.Append("}");
  }

  Budget& budget_;
  Text out_;
};

class JsonWriter {
 public:
  JsonWriter(const JsonStyle& style, Budget& budget) : style_(style), budget_(budget) {}

  void Write(const Value& value, int level) {
    budget_.Charge(1);
    if (const Text* text = value.AsText()) {
      WriteText(*text);
    } else if (const List* list = value.AsList()) {
      WriteList(*list, level);
    } else if (const Dict* dict = value.AsDict()) {
      WriteDict(*dict, level);
    } else {
      out_.Append(Scalar(value));
    }
  }

  Text Take() { return std::move(out_); }

 private:
  static std::string Scalar(const Value& value) {
    if (value.IsNone()) return "null";
    if (value.Is<bool>()) return value.Truth() ? "true" : "false";
    if (value.IsInteger()) return std::to_string(value.Integer());
    if (!value.IsNumber()) {
      throw Error("tojson: a value of type " + std::string(value.TypeName()) + " is no JSON" +
                  (value.IsUndefined() ? " (" + value.UndefinedReason() + ")" : ""));
    }
    const double number = value.Number();
    if (std::isnan(number)) return "NaN";
    if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
    return FloatText(number);
  }

  void WriteText(const Text& text) {
    ChargeWalk(text.size(), budget_);
    Budget::CheckLength(out_.size() + text.size());
    out_.Append("\"");
    AppendEscaped(out_, text, [this](char32_t c) { return JsonEscape(c, style_.ensure_ascii); });
    out_.Append("\"");
  }

  void BreakLine(int level) {
    if (style_.indent < 0) return;
    const auto spaces = static_cast<size_t>(style_.indent) * static_cast<size_t>(level);
    budget_.ChargeBytes(spaces);
    Budget::CheckLength(out_.size() + spaces);
    out_.Append("\n" + std::string(spaces, ' '));
  }

  void WriteList(const List& list, int level) {
    if (list.items.empty()) {
      out_.Append("[]");
      return;
    }
    out_.Append("[");
    for (size_t i = 0; i < list.items.size(); ++i) {
      if (i > 0) out_.Append(style_.item_separator);
      BreakLine(level + 1);
      Write(list.items[i], level + 1);
    }
    BreakLine(level);
    out_.Append("]");
  }

  void WriteDict(const Dict& dict, int level) {
    if (dict.size() == 0) {
      out_.Append("{}");
      return;
    }
    std::vector<const Dict::Entry*> entries;
    for (const Dict::Entry& entry : dict.entries()) entries.push_back(&entry);
    if (style_.sort_keys) {
      std::stable_sort(entries.begin(), entries.end(),
                       [](const auto* a, const auto* b) { return Less(a->first, b->first); });
    }
    out_.Append("{");
    for (size_t i = 0; i < entries.size(); ++i) {
      if (i > 0) out_.Append(style_.item_separator);
      BreakLine(level + 1);
      const Value& key = entries[i]->first;
      WriteText(key.AsText() != nullptr ? *key.AsText() : Text(Scalar(key)));
      out_.Append(style_.key_separator);
      Write(entries[i]->second, level + 1);
    }
    BreakLine(level);
    out_.Append("}");
  }

  const JsonStyle& style_;
  Budget& budget_;
  Text out_;
};

// The parts of "%-08.3f" between the percent sign and the letter.
struct PercentSpec {
  std::string flags;
  int width = 0;
  int precision = -1;
};

// Widths beyond this are no formatting but an attack on memory.
constexpr int kWidthMax = 1000;

int TakeNumber(std::string_view text, size_t& pos) {
  int number = 0;
  while (pos < text.size() && text[pos] >= '0' && text[pos] <= '9') {
    number = std::min(number * 10 + (text[pos++] - '0'), kWidthMax);
  }
  return number;
}

PercentSpec TakeSpec(std::string_view text, size_t& pos) {
  PercentSpec spec;
  while (pos < text.size() && std::string_view("-+ 0#").find(text[pos]) != std::string_view::npos) {
    spec.flags += text[pos++];
  }
  spec.width = TakeNumber(text, pos);
  if (pos < text.size() && text[pos] == '.') {
    ++pos;
    spec.precision = TakeNumber(text, pos);
  }
  return spec;
}

// printf of one number by a format that is built here from checked parts.
template <typename Number>
std::string Print(const PercentSpec& spec, const char* conversion, Number number) {
  std::string format = "%" + spec.flags + std::to_string(spec.width);
  if (spec.width == 0) format = "%" + spec.flags;
  if (spec.precision >= 0) format += "." + std::to_string(spec.precision);
  format += conversion;
  std::string out(static_cast<size_t>(std::snprintf(nullptr, 0, format.c_str(), number)), '\0');
  std::snprintf(out.data(), out.size() + 1, format.c_str(), number);
  return out;
}

Text PadText(const Text& text, const PercentSpec& spec) {
  Text part = text;
  if (spec.precision >= 0) {
    const std::vector<size_t> offsets = CharacterOffsets(text.bytes());
    part =
        text.Substr(0, offsets[std::min(static_cast<size_t>(spec.precision), offsets.size() - 1)]);
  }
  const size_t length = CountCharacters(part.bytes());
  const auto width = static_cast<size_t>(spec.width);
  const std::string padding(width > length ? width - length : 0, ' ');
  const bool left = spec.flags.find('-') != std::string::npos;
  Text out;
  if (!left) out.Append(padding);
  out.Append(part);
  if (left) out.Append(padding);
  return out;
}

Text FormatOne(const PercentSpec& spec, char conversion, const Value& value, Budget& budget) {
  if (conversion == 's') return PadText(ToText(value, budget), spec);
  if (conversion == 'r') return PadText(Repr(value, budget), spec);
  if (!value.IsNumber()) {
    throw Error(std::string("%") + conversion + " needs a number, not " +
                std::string(value.TypeName()));
  }
  if (conversion == 'f' || conversion == 'e' || conversion == 'g') {
    return Text(Print(spec, std::string(1, conversion).c_str(), value.Number()));
  }
  const double number = value.Number();
  if (std::abs(number) > 9e18) throw Error("%d of a number that does not fit into 64 bits");
  const int64_t integer = value.IsInteger() ? value.Integer() : static_cast<int64_t>(number);
  const std::string letter = conversion == 'i' ? "d" : std::string(1, conversion);
  return Text(Print(spec, ("l" + letter).c_str(), integer));
}

}  // namespace

Text ToText(const Value& value, Budget& budget) {
  if (value.IsUndefined()) return Text();
  if (const Text* text = value.AsText()) return *text;
  return Repr(value, budget);
}

Text Repr(const Value& value, Budget& budget) {
  ReprWriter writer(budget);
  writer.Write(value);
  return writer.Take();
}

Text ToJson(const Value& value, const JsonStyle& style, Budget& budget) {
  JsonWriter writer(style, budget);
  writer.Write(value, 0);
  return writer.Take();
}

Text FormatPercent(const Text& format, const std::vector<Value>& arguments, Budget& budget) {
  const std::string& text = format.bytes();
  Text out;
  size_t used = 0;
  for (size_t pos = 0; pos < text.size();) {
    const size_t percent = std::min(text.find('%', pos), text.size());
    out.Append(format.Substr(pos, percent - pos));
    if (percent == text.size()) break;
    pos = percent + 1;
    const PercentSpec spec = TakeSpec(text, pos);
    const char conversion = pos < text.size() ? text[pos++] : '\0';
    if (conversion == '%') {
      out.Append("%");
      continue;
    }
    if (conversion == '\0' ||
        std::string_view("srdifegx").find(conversion) == std::string_view::npos) {
      throw Error("the format \"" + text + "\" has a conversion that is not supported");
    }
    if (used == arguments.size())
      throw Error("not enough arguments for the format \"" + text + "\"");
    out.Append(FormatOne(spec, conversion, arguments[used++], budget));
    budget.Charge(1);
    Budget::CheckLength(out.size());
  }
  if (used < arguments.size()) throw Error("too many arguments for the format \"" + text + "\"");
  return out;
}

}  // namespace hearth::engine::jinja
