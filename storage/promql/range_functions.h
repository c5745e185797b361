// Functions of windows of samples, computed as Prometheus computes them.
#pragma once

#include "storage/promql/functions.h"

namespace hearth::promql {

// Each a RangeFunction.
void Rate(const SeriesWindows& windows, StepSpan steps, double* values);
void Increase(const SeriesWindows& windows, StepSpan steps, double* values);
void Delta(const SeriesWindows& windows, StepSpan steps, double* values);
void InstantRate(const SeriesWindows& windows, StepSpan steps, double* values);
void InstantDelta(const SeriesWindows& windows, StepSpan steps, double* values);
void Derivative(const SeriesWindows& windows, StepSpan steps, double* values);
void PredictLinear(const SeriesWindows& windows, StepSpan steps, double* values);
void Changes(const SeriesWindows& windows, StepSpan steps, double* values);
void Resets(const SeriesWindows& windows, StepSpan steps, double* values);
void SumOverTime(const SeriesWindows& windows, StepSpan steps, double* values);
void AvgOverTime(const SeriesWindows& windows, StepSpan steps, double* values);
void MinOverTime(const SeriesWindows& windows, StepSpan steps, double* values);
void MaxOverTime(const SeriesWindows& windows, StepSpan steps, double* values);
void CountOverTime(const SeriesWindows& windows, StepSpan steps, double* values);
void LastOverTime(const SeriesWindows& windows, StepSpan steps, double* values);
void PresentOverTime(const SeriesWindows& windows, StepSpan steps, double* values);
void StddevOverTime(const SeriesWindows& windows, StepSpan steps, double* values);
void StdvarOverTime(const SeriesWindows& windows, StepSpan steps, double* values);
void QuantileOverTime(const SeriesWindows& windows, StepSpan steps, double* values);

}  // namespace hearth::promql
