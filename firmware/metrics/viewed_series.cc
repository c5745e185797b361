#include "firmware/metrics/viewed_series.h"

#include <algorithm>
#include <utility>

#include "storage/promql/evaluator.h"

namespace hearth::metrics {
namespace {

using promql::Labels;
using promql::Matcher;

constexpr const char* kNameLabel = "__name__";

bool MatchesAll(const std::vector<Matcher>& matchers, const Labels& labels) {
  return std::all_of(matchers.begin(), matchers.end(), [&](const Matcher& matcher) {
    return matcher.Matches(labels.Get(matcher.name));
  });
}

bool NameMatches(const std::vector<Matcher>& matchers, const std::string& name) {
  return std::all_of(matchers.begin(), matchers.end(), [&](const Matcher& matcher) {
    return matcher.name != kNameLabel || matcher.Matches(name);
  });
}

bool Touches(const NameView& view, const std::string& label) {
  if (view.labels == nullptr) return false;
  const auto touched = view.labels->touched;
  return std::find(touched.begin(), touched.end(), label) != touched.end();
}

// Those of `matchers` that mean the same before the view's change, on the recorded name.
std::vector<Matcher> RecordedMatchers(const std::vector<Matcher>& matchers, const NameView& view,
                                      const std::string& recorded_name) {
  std::vector<Matcher> recorded;
  recorded.push_back(Matcher::Make(kNameLabel, Matcher::Op::kEqual, recorded_name).value());
  for (const Matcher& matcher : matchers) {
    if (matcher.name != kNameLabel && !Touches(view, matcher.name)) recorded.push_back(matcher);
  }
  return recorded;
}

}  // namespace

ViewedSeries::ViewedSeries(const promql::SeriesSource* recorded) : recorded_(recorded) {
  for (const NameView& view : NameViews()) {
    const MetricDef& def = DefOf(view.id);
    for (const std::string_view suffix : SeriesSuffixes(def.kind)) {
      const std::string recorded_name = std::string(def.name) + std::string(suffix);
      const auto shown = view.SeriesName(suffix);
      // A canonical name whose labels are as recorded needs no translation.
      if (!shown || (*shown == recorded_name && view.labels == nullptr)) continue;
      names_.push_back({&view, *shown, recorded_name});
    }
  }
  for (const Name& name : names_) by_shown_[name.shown].push_back(&name);
}

template <typename Visit>
Status ViewedSeries::ForEachName(const std::vector<Matcher>& matchers, Visit visit) const {
  const auto exact = std::find_if(matchers.begin(), matchers.end(), [](const Matcher& matcher) {
    return matcher.name == kNameLabel && matcher.op == Matcher::Op::kEqual;
  });
  if (exact != matchers.end()) {
    const auto it = by_shown_.find(exact->value);
    if (it == by_shown_.end()) return Status::Ok();
    for (const Name* name : it->second) {
      if (!NameMatches(matchers, name->shown)) continue;
      HEARTH_RETURN_IF_ERROR(visit(*name, RecordedMatchers(matchers, *name->view, name->recorded)));
    }
    return Status::Ok();
  }
  for (const Name& name : names_) {
    if (!NameMatches(matchers, name.shown)) continue;
    HEARTH_RETURN_IF_ERROR(visit(name, RecordedMatchers(matchers, *name.view, name.recorded)));
  }
  return Status::Ok();
}

Result<std::vector<promql::Series>> ViewedSeries::Select(const std::vector<Matcher>& matchers,
                                                         const promql::SelectHints& hints) const {
  HEARTH_ASSIGN_OR_RETURN(std::vector<promql::Series> found, recorded_->Select(matchers, hints));
  // Where a view shows a recorded name with other labels, that view answers.
  std::erase_if(found, [&](const promql::Series& series) {
    return by_shown_.contains(series.labels.Get(kNameLabel));
  });
  HEARTH_RETURN_IF_ERROR(
      ForEachName(matchers, [&](const Name& name, const std::vector<Matcher>& recorded) -> Status {
        HEARTH_ASSIGN_OR_RETURN(std::vector<promql::Series> part,
                                recorded_->Select(recorded, hints));
        for (promql::Series& series : part) {
          series.labels = ViewLabels(*name.view, series.labels, name.shown);
          if (!MatchesAll(matchers, series.labels)) continue;
          if (name.view->scale != 1) {
            for (promql::Sample& sample : series.samples) {
              if (promql::IsStaleMarker(sample.value)) continue;  // arithmetic would lose its bits
              sample.value = name.view->Scaled(sample.value);
            }
          }
          found.push_back(std::move(series));
        }
        return Status::Ok();
      }));
  return found;
}

Result<std::vector<Labels>> ViewedSeries::SeriesLabels(const std::vector<Matcher>& matchers,
                                                       int64_t start_ms, int64_t end_ms) const {
  HEARTH_ASSIGN_OR_RETURN(std::vector<Labels> found,
                          recorded_->SeriesLabels(matchers, start_ms, end_ms));
  std::erase_if(found,
                [&](const Labels& labels) { return by_shown_.contains(labels.Get(kNameLabel)); });
  HEARTH_RETURN_IF_ERROR(
      ForEachName(matchers, [&](const Name& name, const std::vector<Matcher>& recorded) -> Status {
        HEARTH_ASSIGN_OR_RETURN(std::vector<Labels> part,
                                recorded_->SeriesLabels(recorded, start_ms, end_ms));
        for (const Labels& labels : part) {
          Labels shown = ViewLabels(*name.view, labels, name.shown);
          if (MatchesAll(matchers, shown)) found.push_back(std::move(shown));
        }
        return Status::Ok();
      }));
  return found;
}

}  // namespace hearth::metrics
