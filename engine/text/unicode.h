// Code points: UTF-8 in and out, the classes that pre-tokenizers ask for, and NFC.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hearth::engine {

inline constexpr char32_t kReplacementCharacter = 0xFFFD;

// One step of decoding. Ill-formed bytes give U+FFFD for each maximal subpart of a character
// (Unicode 15, 3.9, "U+FFFD Substitution of Maximal Subparts"): what Rust's from_utf8_lossy and
// Python's errors="replace" do, hence what Hugging Face shows.
struct DecodedChar {
  char32_t code_point = kReplacementCharacter;
  int length = 1;           // bytes consumed
  bool valid = false;
  bool incomplete = false;  // the bytes end inside a character that more bytes could complete
};

// Requires pos < text.size().
DecodedChar DecodeUtf8(std::string_view text, size_t pos);

void AppendUtf8(std::string& out, char32_t code_point);

bool IsValidUtf8(std::string_view text);
std::string ReplaceInvalidUtf8(std::string_view text);

// Bytes that encode a character's first byte, i.e. not 10xxxxxx.
inline bool IsUtf8Start(char byte) { return (static_cast<uint8_t>(byte) & 0xC0) != 0x80; }

bool IsLetter(char32_t code_point);  // \p{L}
bool IsNumber(char32_t code_point);  // \p{N}
bool IsMark(char32_t code_point);    // \p{M}

// White_Space as in Oniguruma's \s; without U+001C..U+001F, which Python's isspace() adds.
bool IsWhiteSpace(char32_t code_point);

char32_t ToLower(char32_t code_point);
char32_t ToUpper(char32_t code_point);

// Normalization Form C. `text` must be valid UTF-8. Time is O(n log n) also for text made of
// combining marks alone, where utf8proc's own canonical ordering is quadratic.
std::string NormalizeNfc(std::string_view text);

}  // namespace hearth::engine
