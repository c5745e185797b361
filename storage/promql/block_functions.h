// Functions that see whole blocks: labels, sorting, presence, time, histograms.
#pragma once

#include "storage/promql/functions.h"

namespace hearth::promql {

Result<Block> Absent(const CallContext& context);
Result<Block> AbsentOverTime(const CallContext& context);
Result<Block> Clamp(const CallContext& context);
Result<Block> ClampMax(const CallContext& context);
Result<Block> ClampMin(const CallContext& context);
Result<Block> HistogramQuantile(const CallContext& context);
Result<Block> LabelJoin(const CallContext& context);
Result<Block> LabelReplace(const CallContext& context);
Result<Block> Pi(const CallContext& context);
Result<Block> QuantileOverTimeChecked(const CallContext& context);
Result<Block> Round(const CallContext& context);
Result<Block> ScalarOf(const CallContext& context);
Result<Block> Sort(const CallContext& context);
Result<Block> SortDescending(const CallContext& context);
Result<Block> Time(const CallContext& context);
Result<Block> Timestamp(const CallContext& context);
Result<Block> VectorOf(const CallContext& context);

// Parts of the UTC date of a value in Unix seconds; of the step's time without argument.
Result<Block> DayOfMonth(const CallContext& context);
Result<Block> DayOfWeek(const CallContext& context);
Result<Block> DayOfYear(const CallContext& context);
Result<Block> DaysInMonth(const CallContext& context);
Result<Block> Hour(const CallContext& context);
Result<Block> Minute(const CallContext& context);
Result<Block> Month(const CallContext& context);
Result<Block> Year(const CallContext& context);

}  // namespace hearth::promql
