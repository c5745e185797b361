// hearth chat: talks to a model; an answer to a prompt or to standard input, or one after the other
// on a terminal.
#include <locale.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <iostream>
#include <iterator>

#include "base/clock.h"
#include "base/limits.h"
#include "firmware/cli/box_client.h"
#include "firmware/cli/command.h"
#include "firmware/cli/event_stream.h"
#include "firmware/cli/line_editor.h"
#include "firmware/cli/read_json.h"
#include "firmware/cli/terminal.h"
#include "firmware/cli/text_table.h"

namespace hearth::cli {
namespace {

struct ChatFlags {
  std::string model;  // empty: the only one that is served
  std::string system;
  std::vector<std::string> prompt;
  std::optional<int> max_tokens;
  std::optional<double> temperature;
  std::optional<int64_t> seed;
};

constexpr const char* kHelp =
    "/reset       forget what was said\n"
    "/system TEXT say how to answer, and begin anew\n"
    "/model NAME  ask another model from now on\n"
    "/exit        leave; so does Ctrl-D\n"
    "Ctrl-C ends an answer that is being written.\n";

Json Message(const char* role, const std::string& content) {
  return Json{{"role", role}, {"content", content}};
}

// A conversation and where it is had.
class Chat {
 public:
  Chat(const Invocation& invocation, ChatFlags flags)
      : invocation_(invocation), box_(invocation), flags_(std::move(flags)) {
    Reset();
  }

  void Reset() {
    messages_ = Json::array();
    if (!flags_.system.empty()) messages_.push_back(Message("system", flags_.system));
  }
  void SetSystem(const std::string& text) {
    flags_.system = text;
    Reset();
  }
  void SetModel(const std::string& name) { flags_.model = name; }

  // Prints the answer as it comes. kAborted: Ctrl-C; what came until then stays said.
  Status Ask(const std::string& prompt, const Interrupts& interrupts);

 private:
  Json Body() const;
  void TellSpeed(const StreamedAnswer& answer, double begun_s, double first_s) const;

  const Invocation& invocation_;
  BoxClient box_;
  ChatFlags flags_;
  Json messages_;
};

Json Chat::Body() const {
  Json body{{"messages", messages_},
            {"stream", true},
            {"stream_options", {{"include_usage", true}}}};
  if (!flags_.model.empty()) body["model"] = flags_.model;
  if (flags_.max_tokens) body["max_tokens"] = *flags_.max_tokens;
  if (flags_.temperature) body["temperature"] = *flags_.temperature;
  if (flags_.seed) body["seed"] = *flags_.seed;
  return body;
}

Status Chat::Ask(const std::string& prompt, const Interrupts& interrupts) {
  messages_.push_back(Message("user", prompt));
  const bool plain = !IsTerminal(STDOUT_FILENO);
  const double begun_s = MonotonicSeconds();
  double first_s = 0;
  StreamedAnswer answer;
  EventCutter cutter([&](std::string_view data) {
    const std::string added = answer.Add(data);
    if (!added.empty() && first_s == 0) first_s = MonotonicSeconds();
    if (invocation_.json) {
      if (!answer.is_whole) Print(std::string(data) + "\n");
    } else {
      Print(plain ? added : Harmless(added));
    }
    return std::fflush(stdout) == 0 && answer.error.ok() && !interrupts.happened();
  });
  Status asked = box_.Stream("/v1/chat/completions", Body(), interrupts.flag(),
                             [&](std::string_view piece) { return cutter.Take(piece); });
  if (interrupts.happened()) asked = Aborted("the answer was broken off");
  if (asked.ok()) asked = answer.error;
  if (asked.ok() && !answer.is_whole) {
    asked = Unavailable("the answer ended in the middle: the box or its engine went away");
  }
  if (!invocation_.json && !answer.text.empty() && !answer.text.ends_with('\n')) Print("\n");
  if (answer.text.empty() && !asked.ok()) {
    messages_.erase(messages_.size() - 1);  // as if it had not been asked
  } else {
    messages_.push_back(Message("assistant", answer.text));
  }
  if (asked.ok()) TellSpeed(answer, begun_s, first_s);
  return asked;
}

// Who sits before a terminal sees how fast it was; nobody else is told.
void Chat::TellSpeed(const StreamedAnswer& answer, double begun_s, double first_s) const {
  if (invocation_.json || !IsTerminal(STDERR_FILENO) || !IsTerminal(STDOUT_FILENO)) return;
  const double end_s = MonotonicSeconds();
  const auto tokens = static_cast<double>(answer.completion_tokens.value_or(0));
  std::string text = std::to_string(answer.completion_tokens.value_or(0)) + " tokens";
  if (first_s > 0) text += ", the first after " + DurationText(first_s - begun_s);
  if (tokens > 1 && end_s > first_s) {
    char rate[48];
    std::snprintf(rate, sizeof(rate), ", then %.1f a second", (tokens - 1) / (end_s - first_s));
    text += rate;
  }
  if (answer.finish_reason == "length") text += "; cut off at its limit of tokens";
  Tell("\033[2m" + text + "\033[0m\n");
}

enum class Line { kRead, kInterrupted, kEnd };

// Lines of whoever sits before the terminal of standard input.
class Prompter {
 public:
  Prompter() : can_edit_(IsTerminal(STDERR_FILENO) && TerminalKind() != "dumb") {
    ::setlocale(LC_CTYPE, "C.UTF-8");  // widths of characters, whatever language is set
  }

  Line Read(std::string& line);

 private:
  static std::string TerminalKind() {
    const char* const kind = std::getenv("TERM");
    return kind != nullptr ? kind : "dumb";
  }
  Line ReadEdited(std::string& line);
  static Line ReadPlain(std::string& line);

  const bool can_edit_;
  LineEditor editor_;
};

// Keys come one by one while this lives; Ctrl-C remains a signal.
class KeyByKey {
 public:
  KeyByKey() {
    is_set_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
    termios keys = before_;
    keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    keys.c_cc[VMIN] = 1;
    keys.c_cc[VTIME] = 0;
    if (is_set_) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &keys);
  }
  ~KeyByKey() {
    if (is_set_) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
  }
  KeyByKey(const KeyByKey&) = delete;
  KeyByKey& operator=(const KeyByKey&) = delete;

 private:
  bool is_set_ = false;
  termios before_{};
};

constexpr const char* kPrompt = "> ";

Line Prompter::Read(std::string& line) {
  if (can_edit_) return ReadEdited(line);
  Tell(kPrompt);
  return ReadPlain(line);
}

Line Prompter::ReadEdited(std::string& line) {
  const KeyByKey keys;
  editor_.Begin();
  while (true) {
    Tell(editor_.Drawn(kPrompt, TerminalColumns()));
    char byte = 0;
    const ssize_t got = ::read(STDIN_FILENO, &byte, 1);
    if (got < 0 && errno == EINTR) return Line::kInterrupted;
    if (got <= 0) return Line::kEnd;
    const LineEditor::Event event = editor_.Feed(byte);
    if (event == LineEditor::Event::kEnd) return Line::kEnd;
    if (event != LineEditor::Event::kLine) continue;
    line = editor_.text();
    Tell("\n");
    return Line::kRead;
  }
}

// Byte by byte: streams would hide that Ctrl-C ended the wait.
Line Prompter::ReadPlain(std::string& line) {
  line.clear();
  char c = 0;
  while (true) {
    const ssize_t got = ::read(STDIN_FILENO, &c, 1);
    if (got < 0 && errno == EINTR) return Line::kInterrupted;
    if (got <= 0) return line.empty() ? Line::kEnd : Line::kRead;
    if (c == '\n') return Line::kRead;
    if (line.size() < limits::kBodyBytesMax) line += c;
  }
}

// False: leave.
bool Obey(Chat& chat, const std::string& line) {
  const size_t space = line.find(' ');
  const std::string word = line.substr(0, space);
  const std::string rest = space == std::string::npos ? "" : line.substr(space + 1);
  if (word == "/exit" || word == "/quit") return false;
  if (word == "/reset") {
    chat.Reset();
    Tell("What was said is forgotten.\n");
  } else if (word == "/system") {
    chat.SetSystem(rest);
    Tell("From here on, anew.\n");
  } else if (word == "/model" && !rest.empty()) {
    chat.SetModel(rest);
  } else {
    Tell(kHelp);
  }
  return true;
}

Status Converse(Chat& chat) {
  Tell("Ctrl-D leaves, arrows bring back what was asked, /help says more.\n");
  Interrupts interrupts;
  Prompter prompter;
  std::string line;
  while (true) {
    interrupts.Forget();
    switch (prompter.Read(line)) {
      case Line::kEnd:
        Tell("\n");
        return Status::Ok();
      case Line::kInterrupted:
        Tell("\n(Ctrl-D leaves)\n");
        continue;
      case Line::kRead:
        break;
    }
    if (line.find_first_not_of(" \t") == std::string::npos) continue;
    if (line.starts_with('/')) {
      if (!Obey(chat, line)) return Status::Ok();
      continue;
    }
    const Status asked = chat.Ask(line, interrupts);
    if (!asked.ok()) Tell("(" + asked.message() + ")\n");
  }
}

Status RunChat(const Invocation& invocation, const ChatFlags& flags) {
  Chat chat(invocation, flags);
  std::string prompt;
  for (const std::string& word : flags.prompt) prompt += (prompt.empty() ? "" : " ") + word;
  const bool has_terminal = IsTerminal(STDIN_FILENO);
  if (prompt.empty() && has_terminal) return Converse(chat);
  // As in: hearth chat 'Summarise:' - < report.txt
  if (!has_terminal && (prompt.empty() || flags.prompt.back() == "-")) {
    if (!prompt.empty()) prompt.pop_back();
    prompt += std::string(std::istreambuf_iterator<char>(std::cin), {});
  }
  if (prompt.find_first_not_of(" \t\r\n") == std::string::npos) {
    return InvalidArgument("there is nothing to ask: give a prompt, or text on standard input");
  }
  const Interrupts interrupts;
  return chat.Ask(prompt, interrupts);
}

}  // namespace

void AddChatCommand(CLI::App& hearth, Invocation& invocation) {
  const auto flags = std::make_shared<ChatFlags>();
  CLI::App* const chat =
      AddCommand(hearth, invocation, "chat",
                 "talks to a model; an answer to PROMPT or standard input, else a conversation",
                 [&invocation, flags] { return RunChat(invocation, *flags); });
  chat->add_option("PROMPT", flags->prompt,
                   "what to ask; a last - stands for the text on standard input");
  chat->add_option("--model", flags->model, "a served model; may be left out when there is one")
      ->type_name("NAME");
  chat->add_option("--system", flags->system, "how to answer")->type_name("TEXT");
  chat->add_option("--max-tokens", flags->max_tokens, "of an answer at most");
  chat->add_option("--temperature", flags->temperature, "0 is always the likeliest word");
  chat->add_option("--seed", flags->seed, "the same seed, the same answer");
}

}  // namespace hearth::cli
