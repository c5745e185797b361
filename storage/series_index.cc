#include "storage/series_index.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "base/json.h"
#include "storage/frame.h"

namespace hearth::storage {

namespace {

const std::string kNameLabel = "__name__";

std::string LabelsToText(const promql::Labels& labels) {
  Json object = Json::object();
  for (const auto& [name, value] : labels.pairs()) object[name] = value;
  return DumpJson(object);
}

Result<promql::Labels> LabelsFromText(std::string_view text) {
  HEARTH_ASSIGN_OR_RETURN(const Json object, ParseJson(text));
  if (!object.is_object()) return DataLoss("labels are not an object: " + std::string(text));
  std::vector<promql::Labels::Pair> pairs;
  for (const auto& [name, value] : object.items()) {
    if (!value.is_string()) return DataLoss("label " + name + " is not text: " + std::string(text));
    pairs.emplace_back(name, value.get<std::string>());
  }
  return promql::Labels(std::move(pairs));
}

}  // namespace

SeriesId SeriesIndex::Register(const promql::Labels& labels, SeriesKind kind,
                               CounterOrigin origin) {
  const auto known = by_labels_.find(labels);
  const bool is_known = known != by_labels_.end() && series_[known->second].kind == kind;
  if (!is_known && series_.size() >= kSeriesMax) return kNoSeries;
  const SeriesId id = is_known ? known->second : Add(labels, kind);
  series_[id].origin = origin;
  return id;
}

SeriesId SeriesIndex::Add(const promql::Labels& labels, SeriesKind kind) {
  const auto id = static_cast<SeriesId>(series_.size());
  SeriesInfo& info = series_.emplace_back();
  info.labels = labels;
  info.kind = kind;
  info.rollup_slot = rollup_slots_;
  rollup_slots_ += kind == SeriesKind::kCounter ? 1 : kGaugeColumns;
  by_labels_[labels] = id;
  by_name_[labels.Get(kNameLabel)].push_back(id);
  return id;
}

double SeriesIndex::Take(SeriesId id, double reading) {
  CHECK(id < series_.size()) << "series " << id << " was never registered";
  SeriesInfo& info = series_[id];
  if (info.kind == SeriesKind::kGauge) return reading;
  if (!std::isfinite(reading)) return kAbsent;
  const bool goes_on = !info.was_read && info.origin == CounterOrigin::kTheMachine &&
                       info.last_ms >= info.first_ms;
  info.was_read = true;
  if (goes_on) {
    info.base = info.total - reading;
    info.reading = reading;
    return info.total;
  }
  // Prometheus's reset rule: a counter below its last value began again from 0.
  if (reading < info.reading) info.base = info.total;
  info.reading = reading;
  info.total = info.base + reading;
  return info.total;
}

bool SeriesIndex::Matches(SeriesId id, const std::vector<promql::Matcher>& matchers) const {
  const promql::Labels& labels = series_[id].labels;
  for (const promql::Matcher& matcher : matchers) {
    if (!matcher.Matches(labels.Get(matcher.name))) return false;
  }
  return true;
}

std::vector<SeriesId> SeriesIndex::Match(const std::vector<promql::Matcher>& matchers,
                                         const std::vector<Stretch>& stretches) const {
  std::vector<SeriesId> ids;
  const auto consider = [&](SeriesId id) {
    const SeriesInfo& info = series_[id];
    const bool overlaps = std::any_of(
        stretches.begin(), stretches.end(),
        [&](const Stretch& stretch) { return info.Overlaps(stretch); });
    if (!overlaps || !Matches(id, matchers)) return;
    if (by_labels_.at(info.labels) == id) ids.push_back(id);
  };
  const auto name = std::find_if(matchers.begin(), matchers.end(), [](const promql::Matcher& m) {
    return m.name == kNameLabel && m.op == promql::Matcher::Op::kEqual;
  });
  if (name == matchers.end()) {
    for (SeriesId id = 0; id < series_.size(); ++id) consider(id);
  } else if (const auto named = by_name_.find(name->value); named != by_name_.end()) {
    for (const SeriesId id : named->second) consider(id);
  }
  return ids;
}

Status SeriesIndex::Load(Connection& connection) {
  HEARTH_ASSIGN_OR_RETURN(
      Statement rows,
      connection.Prepare("SELECT id, kind, labels, first_ms, last_ms, total FROM series "
                         "ORDER BY id"));
  while (true) {
    HEARTH_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return Status::Ok();
    if (rows.Int(0) != static_cast<int64_t>(series_.size())) {
      return DataLoss("series ids of " + connection.path() + " are not dense at " +
                      std::to_string(rows.Int(0)));
    }
    HEARTH_ASSIGN_OR_RETURN(promql::Labels labels, LabelsFromText(rows.Text(2)));
    const auto kind = rows.Int(1) == 0 ? SeriesKind::kCounter : SeriesKind::kGauge;
    SeriesInfo& info = series_[Add(labels, kind)];
    info.first_ms = rows.Int(3);
    info.last_ms = rows.Int(4);
    info.total = info.base = rows.Real(5);
    info.dirty = false;
  }
}

std::vector<SeriesRow> SeriesIndex::DirtyRows() {
  std::vector<SeriesRow> rows;
  for (SeriesId id = 0; id < series_.size(); ++id) {
    if (!series_[id].dirty) continue;
    rows.push_back({id, series_[id]});
    series_[id].dirty = false;
  }
  return rows;
}

void SeriesIndex::MarkDirty(const std::vector<SeriesRow>& rows) {
  for (const SeriesRow& row : rows) series_[row.id].dirty = true;
}

void SeriesIndex::MarkAllDirty() {
  for (SeriesInfo& info : series_) info.dirty = true;
}

Status SeriesIndex::Write(Connection& connection, const std::vector<SeriesRow>& rows) {
  HEARTH_ASSIGN_OR_RETURN(Statement insert, connection.Prepare(
      "INSERT OR REPLACE INTO series(id, kind, labels, first_ms, last_ms, total) "
      "VALUES(?, ?, ?, ?, ?, ?)"));
  for (const SeriesRow& row : rows) {
    const std::string labels = LabelsToText(row.info.labels);
    insert.Bind(1, int64_t{row.id}).Bind(2, int64_t{row.info.kind == SeriesKind::kCounter ? 0 : 1});
    insert.Bind(3, std::string_view(labels)).Bind(4, row.info.first_ms).Bind(5, row.info.last_ms);
    insert.Bind(6, row.info.total);
    HEARTH_RETURN_IF_ERROR(insert.Run());
  }
  return Status::Ok();
}

}  // namespace hearth::storage
