#include "storage/promql/answer_json.h"

#include <algorithm>
#include <charconv>

#include "base/json.h"
#include "storage/promql/float_format.h"

namespace hearth::promql {

namespace {

// [1435781451.781,"1"]: seconds with exactly three digits, or none for a whole second.
void AppendSample(const Sample& sample, std::string& out, bool scalar = false) {
  char text[24];
  const auto number = [&](int64_t value) {
    out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
  };
  out += '[';
  const int64_t magnitude = sample.time_ms < 0 ? -sample.time_ms : sample.time_ms;
  if (sample.time_ms < 0) out += '-';
  number(magnitude / 1000);
  if (const int64_t fraction = magnitude % 1000; fraction != 0) {
    out += fraction < 10 ? ".00" : fraction < 100 ? ".0" : ".";
    number(fraction);
  }
  out += ",\"";
  // Prometheus writes scalars without an exponent, whatever their size.
  if (scalar) {
    out += FloatText(sample.value);
  } else {
    AppendJsonFloat(sample.value, out);
  }
  out += "\"]";
}

void AppendSamples(const std::vector<Sample>& samples, std::string& out) {
  out += '[';
  for (size_t i = 0; i < samples.size(); ++i) {
    if (i > 0) out += ',';
    AppendSample(samples[i], out);
  }
  out += ']';
}

void AppendSeries(const std::vector<Series>& list, bool matrix, std::string& out) {
  out += '[';
  for (size_t i = 0; i < list.size(); ++i) {
    if (i > 0) out += ',';
    out += "{\"metric\":";
    AppendJson(list[i].labels, out);
    if (matrix) {
      out += ",\"values\":";
      AppendSamples(list[i].samples, out);
    } else {
      out += ",\"value\":";
      AppendSample(list[i].samples.front(), out);
    }
    out += '}';
  }
  out += ']';
}

void AppendStrings(std::string_view key, const std::vector<std::string>& texts, std::string& out) {
  if (texts.empty()) return;
  out += ",\"";
  out += key;
  out += "\":[";
  for (size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) out += ',';
    AppendJsonString(texts[i], out);
  }
  out += ']';
}

}  // namespace

void AppendJsonString(std::string_view text, std::string& out) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
  });
  if (!plain) {
    out += DumpJson(Json(std::string(text)));
    return;
  }
  out += '"';
  out += text;
  out += '"';
}

void AppendJson(const Labels& labels, std::string& out) {
  out += '{';
  bool first = true;
  for (const Labels::Pair& pair : labels.pairs()) {
    if (!first) out += ',';
    first = false;
    AppendJsonString(pair.first, out);
    out += ':';
    AppendJsonString(pair.second, out);
  }
  out += '}';
}

void AppendJson(const Value& value, std::string& out) {
  out += "{\"resultType\":\"";
  out += ApiName(value.type);
  out += "\",\"result\":";
  switch (value.type) {
    case ValueType::kScalar: AppendSample(value.scalar, out, true); break;
    case ValueType::kString: {
      // A string's pair has the time without quotes, as a sample's.
      std::string sample;
      AppendSample({value.time_ms, 0}, sample);
      out += sample.substr(0, sample.find(',') + 1);
      AppendJsonString(value.string, out);
      out += ']';
      break;
    }
    default: AppendSeries(value.series, value.type == ValueType::kMatrix, out); break;
  }
  out += '}';
}

void AppendJson(const Matrix& matrix, std::string& out) {
  out += "{\"resultType\":\"matrix\",\"result\":";
  AppendSeries(matrix.series, true, out);
  out += '}';
}

void AppendJson(const EvalStats& stats, std::string& out) {
  const auto seconds = [&](const char* key, double value) {
    out += key;
    AppendJsonFloat(value, out);
  };
  // Preparation is what the source took; nothing waits in a queue, and results come out sorted.
  seconds("{\"timings\":{\"evalTotalTime\":", stats.total_s);
  seconds(",\"resultSortTime\":", 0);
  seconds(",\"queryPreparationTime\":", stats.select_s);
  seconds(",\"innerEvalTime\":", stats.total_s - stats.select_s);
  seconds(",\"execQueueTime\":", 0);
  seconds(",\"execTotalTime\":", stats.total_s);
  out += "},\"samples\":{\"totalQueryableSamples\":" + std::to_string(stats.samples_queryable) +
         ",\"samplesRead\":" + std::to_string(stats.samples_read) +
         ",\"peakSamples\":" + std::to_string(stats.samples_peak) + "}}";
}

void AppendJson(const Annotations& annotations, std::string& out) {
  AppendStrings("warnings", annotations.warnings, out);
  AppendStrings("infos", annotations.infos, out);
}

}  // namespace hearth::promql
