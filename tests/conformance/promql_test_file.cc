#include "tests/conformance/promql_test_file.h"

#include <charconv>
#include <sstream>

#include "storage/promql/evaluator.h"
#include "storage/promql/lexer.h"
#include "storage/promql/parser.h"

namespace hearth::promql {

namespace {

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

// Takes the first word of `text`.
std::string_view TakeWord(std::string_view& text) {
  text = Trim(text);
  const std::string_view word = text.substr(0, text.find_first_of(" \t"));
  text = Trim(text.substr(word.size()));
  return word;
}

bool TakeNumber(std::string_view text, size_t& at, double& value) {
  const char* begin = text.data() + at + (at < text.size() && text[at] == '+' ? 1 : 0);
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), value);
  if (error != std::errc()) return false;
  at = static_cast<size_t>(end - text.data());
  return true;
}

// `xN` means N more points; no suffix means none.
bool TakeRepeat(std::string_view text, size_t& at, int& times) {
  times = 0;
  if (at >= text.size() || text[at] != 'x') return true;
  const auto [end, error] = std::from_chars(text.data() + at + 1, text.data() + text.size(), times);
  if (error != std::errc()) return false;
  at = static_cast<size_t>(end - text.data());
  return true;
}

bool TakeHistogram(std::string_view text, size_t& at, std::vector<TestPoint>& points) {
  const size_t end = text.find("}}", at);
  if (end == std::string_view::npos) return false;
  at = end + 2;
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) {
    const size_t increment_end = text.find("}}", at);
    if (increment_end == std::string_view::npos) return false;
    at = increment_end + 2;
  }
  int times = 0;
  if (!TakeRepeat(text, at, times)) return false;
  points.insert(points.end(), static_cast<size_t>(times) + 1, {TestPoint::Kind::kHistogram, 0});
  return true;
}

bool TakeFloats(std::string_view text, size_t& at, std::vector<TestPoint>& points) {
  double value = 0;
  double increment = 0;
  if (!TakeNumber(text, at, value)) return false;
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) {
    if (!TakeNumber(text, at, increment)) return false;
  }
  int times = 0;
  if (!TakeRepeat(text, at, times)) return false;
  for (int i = 0; i <= times; ++i) {
    points.push_back({TestPoint::Kind::kFloat, value});
    value += increment;
  }
  return true;
}

bool ReadPoints(std::string_view text, std::vector<TestPoint>& points) {
  for (size_t at = 0; at < text.size();) {
    if (text[at] == ' ' || text[at] == '\t') {
      ++at;
    } else if (text[at] == '_') {
      ++at;
      int times = 0;
      if (!TakeRepeat(text, at, times)) return false;
      // `_x3` is three gaps, unlike `1x3`, which is four points.
      points.insert(points.end(), static_cast<size_t>(std::max(times, 1)), {});
    } else if (text.substr(at, 5) == "stale") {
      at += 5;
      points.push_back({TestPoint::Kind::kFloat, StaleMarker()});
    } else if (text.substr(at, 2) == "{{") {
      if (!TakeHistogram(text, at, points)) return false;
    } else if (!TakeFloats(text, at, points)) {
      return false;
    }
  }
  return true;
}

// The end of `name{labels}` at the start of a line.
size_t MetricEnd(std::string_view line) {
  bool braces = false;
  char quote = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != 0) {
      if (c == '\\') ++i;
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '{') {
      braces = true;
    } else if (c == '}') {
      return i + 1;
    } else if (!braces && (c == ' ' || c == '\t')) {
      return i;
    }
  }
  return line.size();
}

Result<TestSeries> ReadSeries(std::string_view line) {
  TestSeries series;
  const std::string_view metric = line.substr(0, MetricEnd(line));
  if (metric != "{}") {
    HEARTH_ASSIGN_OR_RETURN(const std::vector<Matcher> matchers, ParseMatchers(metric));
    std::vector<Labels::Pair> pairs;
    for (const Matcher& matcher : matchers) pairs.emplace_back(matcher.name, matcher.value);
    series.labels = Labels(std::move(pairs));
  }
  if (!ReadPoints(line.substr(metric.size()), series.points)) {
    return InvalidArgument("bad points: " + std::string(line));
  }
  return series;
}

Expectation ReadText(std::string_view text) {
  if (text.starts_with("msg:"))
    return {Expectation::Text::kExact, std::string(Trim(text.substr(4)))};
  if (text.starts_with("regex:"))
    return {Expectation::Text::kRegex, std::string(Trim(text.substr(6)))};
  return {};
}

Status ReadExpect(std::string_view text, TestCommand& command) {
  const std::string_view what = TakeWord(text);
  if (what == "fail") {
    command.fail = ReadText(text);
  } else if (what == "warn") {
    command.warn = ReadText(text);
  } else if (what == "info") {
    command.info = ReadText(text);
  } else if (what == "no_warn") {
    command.no_warn = true;
  } else if (what == "no_info") {
    command.no_info = true;
  } else if (what == "ordered") {
    command.ordered = true;
  } else if (what == "string") {
    const Token token{TokenKind::kString, text, 0};
    HEARTH_ASSIGN_OR_RETURN(command.string, Unquote(text, token));
  } else {
    return InvalidArgument("unknown expectation: " + std::string(what));
  }
  return Status::Ok();
}

Status ReadExpectedLine(std::string_view line, TestCommand& command) {
  std::string_view rest = line;
  const std::string_view word = TakeWord(rest);
  if (word == "expect") return ReadExpect(rest, command);
  if (word == "expected_fail_message") {
    command.fail = {Expectation::Text::kExact, std::string(rest)};
    return Status::Ok();
  }
  if (word == "expected_fail_regexp") {
    command.fail = {Expectation::Text::kRegex, std::string(rest)};
    return Status::Ok();
  }
  if (line.find("{{") != std::string_view::npos) command.expects_histogram = true;
  std::vector<TestPoint> points;
  if (rest.empty() && ReadPoints(line, points) && points.size() == 1) {
    command.scalar = points.front();
    return Status::Ok();
  }
  HEARTH_ASSIGN_OR_RETURN(TestSeries series, ReadSeries(line));
  command.series.push_back(std::move(series));
  return Status::Ok();
}

Status ReadEval(std::string_view word, std::string_view rest, TestCommand& command) {
  if (word == "eval_fail") command.fail = Expectation{};
  if (word == "eval_warn") command.warn = Expectation{};
  if (word == "eval_info") command.info = Expectation{};
  if (word == "eval_ordered") command.ordered = true;
  const std::string_view mode = TakeWord(rest);
  TakeWord(rest);  // at, from
  HEARTH_ASSIGN_OR_RETURN(command.start_ms, ParseDurationMs(TakeWord(rest)));
  command.end_ms = command.start_ms;
  command.kind = TestCommand::Kind::kEvalInstant;
  if (mode == "range") {
    command.kind = TestCommand::Kind::kEvalRange;
    TakeWord(rest);  // to
    HEARTH_ASSIGN_OR_RETURN(command.end_ms, ParseDurationMs(TakeWord(rest)));
    TakeWord(rest);  // step
    HEARTH_ASSIGN_OR_RETURN(command.step_ms, ParseDurationMs(TakeWord(rest)));
  }
  command.query = std::string(rest);
  return Status::Ok();
}

Result<TestCommand> ReadCommand(std::string_view line) {
  TestCommand command;
  const std::string_view word = TakeWord(line);
  if (word == "clear") return command;
  if (word == "load" || word == "load_with_nhcb") {
    command.kind = TestCommand::Kind::kLoad;
    command.with_custom_buckets = word == "load_with_nhcb";
    HEARTH_ASSIGN_OR_RETURN(command.load_step_ms, ParseDurationMs(TakeWord(line)));
    return command;
  }
  if (!word.starts_with("eval")) return InvalidArgument("unknown command: " + std::string(word));
  HEARTH_RETURN_IF_ERROR(ReadEval(word, line, command));
  return command;
}

}  // namespace

Result<std::vector<TestCommand>> ReadTestFile(std::string_view text) {
  std::vector<TestCommand> commands;
  std::istringstream lines{std::string(text)};
  std::string raw;
  bool in_block = false;
  for (int number = 1; std::getline(lines, raw); ++number) {
    const std::string_view line = Trim(raw);
    if (line.empty()) in_block = false;
    if (line.empty() || line.starts_with('#')) continue;
    const std::string where = "line " + std::to_string(number);
    const bool indented = raw.front() == ' ' || raw.front() == '\t';
    if (!indented) {
      Result<TestCommand> command = ReadCommand(line);
      if (!command.ok()) return command.status().WithContext(where);
      command->line = number;
      commands.push_back(std::move(command).value());
      in_block = true;
      continue;
    }
    if (!in_block) return InvalidArgument(where + ": an indented line outside of a command");
    TestCommand& command = commands.back();
    if (command.kind == TestCommand::Kind::kLoad) {
      Result<TestSeries> series = ReadSeries(line);
      if (!series.ok()) return series.status().WithContext(where);
      command.series.push_back(std::move(series).value());
    } else if (const Status status = ReadExpectedLine(line, command); !status.ok()) {
      return status.WithContext(where);
    }
  }
  return commands;
}

}  // namespace hearth::promql
