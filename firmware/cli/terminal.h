// What a command says to whoever sits before it, and what that one says back.
#pragma once

#include <signal.h>

#include <atomic>
#include <string>
#include <string_view>

#include "base/json.h"

namespace hearth::cli {

void Print(const std::string& text);   // to standard output
void PrintJson(const Json& document);  // a line of its own, written out at once
void Tell(const std::string& text);    // to standard error, written out at once

// `text` without what a terminal would obey: what a model or an engine wrote moves no cursor, sets
// no title and types no answer.
std::string Harmless(std::string_view text);

// Of a file descriptor: is somebody looking at it?
bool IsTerminal(int descriptor);

// Of the terminal of standard error; 0 where there is none, 80 where it does not say.
size_t TerminalColumns();

// While it lives Ctrl-C is noted instead of ending the program, and breaks off a read() that waits.
// One at a time.
class Interrupts {
 public:
  Interrupts();
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  // True once there was one; for whoever can be told to stop, an HttpClient for one.
  const std::atomic<bool>* flag() const;
  bool happened() const { return *flag(); }
  void Forget();

 private:
  struct sigaction before_ {};
};

// One line that says how far something is: on a terminal it is written over, elsewhere a new line is
// written whenever `step` changes. To standard error, so that standard output holds results only.
class ProgressLine {
 public:
  // silent: says nothing at all.
  explicit ProgressLine(bool silent);
  ~ProgressLine() { Clear(); }

  void Show(const std::string& step, const std::string& text);
  void Clear();  // takes the line away, so that something else may be written

 private:
  const bool silent_;
  const bool live_;
  bool shown_ = false;
  std::string step_;
};

}  // namespace hearth::cli
