// Functions of one window of samples, computed as Prometheus computes them.
#pragma once

#include <vector>

#include "storage/promql/functions.h"

namespace hearth::promql {

double Rate(const Window& window);
double Increase(const Window& window);
double Delta(const Window& window);
double InstantRate(const Window& window);
double InstantDelta(const Window& window);
double Derivative(const Window& window);
double PredictLinear(const Window& window);
double Changes(const Window& window);
double Resets(const Window& window);
double SumOverTime(const Window& window);
double AvgOverTime(const Window& window);
double MinOverTime(const Window& window);
double MaxOverTime(const Window& window);
double CountOverTime(const Window& window);
double LastOverTime(const Window& window);
double PresentOverTime(const Window& window);
double StddevOverTime(const Window& window);
double StdvarOverTime(const Window& window);
double QuantileOverTime(const Window& window);

}  // namespace hearth::promql
