// The words of PromQL as this box evaluates it: functions and aggregations with their arguments and
// one line of help, keywords, usual durations. tests/web holds the names to those of the evaluator.

import { msg } from '../shell/i18n.js';

const kRange = 'range-vector';
const kInstant = 'instant-vector';

/** [name, arguments, help] */
export const kFunctions = [
  ['abs', kInstant, msg('Every value without its sign')],
  ['absent', kInstant, msg('1 where the selector finds nothing')],
  ['absent_over_time', kRange, msg('1 where the range holds no sample')],
  ['acos', kInstant, msg('Arccosine, in radians')],
  ['acosh', kInstant, msg('Inverse hyperbolic cosine')],
  ['asin', kInstant, msg('Arcsine, in radians')],
  ['asinh', kInstant, msg('Inverse hyperbolic sine')],
  ['atan', kInstant, msg('Arctangent, in radians')],
  ['atanh', kInstant, msg('Inverse hyperbolic tangent')],
  ['avg_over_time', kRange, msg('Mean of the samples in the range')],
  ['ceil', kInstant, msg('Every value rounded up')],
  ['changes', kRange, msg('How often the value changed in the range')],
  ['clamp', `${kInstant}, min, max`, msg('Every value held between min and max')],
  ['clamp_max', `${kInstant}, max`, msg('Every value, at most max')],
  ['clamp_min', `${kInstant}, min`, msg('Every value, at least min')],
  ['cos', kInstant, msg('Cosine of radians')],
  ['cosh', kInstant, msg('Hyperbolic cosine')],
  ['count_over_time', kRange, msg('How many samples the range holds')],
  ['day_of_month', `[${kInstant}]`, msg('Day of the month of a Unix time in UTC, 1 to 31')],
  ['day_of_week', `[${kInstant}]`, msg('Day of the week of a Unix time in UTC, 0 is Sunday')],
  ['day_of_year', `[${kInstant}]`, msg('Day of the year of a Unix time in UTC, 1 to 366')],
  ['days_in_month', `[${kInstant}]`, msg('Days of the month of a Unix time in UTC')],
  ['deg', kInstant, msg('Radians as degrees')],
  ['delta', kRange, msg('Last minus first value of a gauge, extrapolated to the range')],
  ['deriv', kRange, msg('Slope per second of a gauge, by linear regression')],
  ['exp', kInstant, msg('e to the power of every value')],
  ['floor', kInstant, msg('Every value rounded down')],
  ['histogram_quantile', `φ, ${kInstant}`, msg('The φ-quantile (0 to 1) of a histogram’s rate(…_bucket)')],
  ['hour', `[${kInstant}]`, msg('Hour of a Unix time in UTC, 0 to 23')],
  ['idelta', kRange, msg('Difference of the last two samples of a gauge')],
  ['increase', kRange, msg('By how much a counter grew in the range, resets counted')],
  ['irate', kRange, msg('Per-second rate of a counter’s last two samples')],
  ['label_join', `${kInstant}, "dst", "separator", "src", …`, msg('A new label of the values of others, joined')],
  ['label_replace', `${kInstant}, "dst", "$1", "src", "regex"`, msg('A new label from a match in another')],
  ['last_over_time', kRange, msg('The newest sample of the range')],
  ['ln', kInstant, msg('Natural logarithm')],
  ['log10', kInstant, msg('Logarithm to the base 10')],
  ['log2', kInstant, msg('Logarithm to the base 2')],
  ['max_over_time', kRange, msg('The largest sample of the range')],
  ['min_over_time', kRange, msg('The smallest sample of the range')],
  ['minute', `[${kInstant}]`, msg('Minute of a Unix time in UTC, 0 to 59')],
  ['month', `[${kInstant}]`, msg('Month of a Unix time in UTC, 1 to 12')],
  ['pi', '', msg('3.14159…')],
  ['predict_linear', `${kRange}, seconds`, msg('The value so many seconds from now, by linear regression')],
  ['present_over_time', kRange, msg('1 where the range holds a sample')],
  ['quantile_over_time', `φ, ${kRange}`, msg('The φ-quantile (0 to 1) of the samples in the range')],
  ['rad', kInstant, msg('Degrees as radians')],
  ['rate', kRange, msg('Per-second growth of a counter over the range, resets counted')],
  ['resets', kRange, msg('How often a counter started anew in the range')],
  ['round', `${kInstant}[, nearest]`, msg('Every value rounded to the nearest multiple')],
  ['scalar', kInstant, msg('The value of the only series, as a number')],
  ['sgn', kInstant, msg('1, 0 or -1: the sign of every value')],
  ['sin', kInstant, msg('Sine of radians')],
  ['sinh', kInstant, msg('Hyperbolic sine')],
  ['sort', kInstant, msg('Series in ascending order of their values')],
  ['sort_desc', kInstant, msg('Series in descending order of their values')],
  ['sqrt', kInstant, msg('Square root')],
  ['stddev_over_time', kRange, msg('Standard deviation of the samples in the range')],
  ['stdvar_over_time', kRange, msg('Variance of the samples in the range')],
  ['sum_over_time', kRange, msg('Sum of the samples in the range')],
  ['tan', kInstant, msg('Tangent of radians')],
  ['tanh', kInstant, msg('Hyperbolic tangent')],
  ['time', '', msg('The time of evaluation in Unix seconds')],
  ['timestamp', kInstant, msg('The time of each sample in Unix seconds')],
  ['vector', 'scalar', msg('A number as a series without labels')],
  ['year', `[${kInstant}]`, msg('Year of a Unix time in UTC')],
];

/** [name, arguments, help] */
export const kAggregationWords = [
  ['sum', kInstant, msg('Sum over the series')],
  ['avg', kInstant, msg('Mean over the series')],
  ['count', kInstant, msg('How many series there are')],
  ['min', kInstant, msg('The smallest value of the series')],
  ['max', kInstant, msg('The largest value of the series')],
  ['group', kInstant, msg('1 for every group of series')],
  ['stddev', kInstant, msg('Standard deviation over the series')],
  ['stdvar', kInstant, msg('Variance over the series')],
  ['topk', `k, ${kInstant}`, msg('The k series of the largest values')],
  ['bottomk', `k, ${kInstant}`, msg('The k series of the smallest values')],
  ['count_values', `"label", ${kInstant}`, msg('How many series have each value')],
  ['quantile', `φ, ${kInstant}`, msg('The φ-quantile (0 to 1) over the series')],
];

/** [word, help, what follows it] */
export const kGroupings = [
  ['by', msg('Keep only these labels'), ' ('],
  ['without', msg('Drop these labels'), ' ('],
];

export const kOperators = [
  ['and', msg('Series of the left that the right has too'), ' '],
  ['or', msg('Series of the left, and those only the right has'), ' '],
  ['unless', msg('Series of the left that the right lacks'), ' '],
  ['offset', msg('Look back by a duration'), ' '],
  ['atan2', msg('Arctangent of left / right'), ' '],
];

export const kMatchings = [
  ['on', msg('Match series by these labels only'), ' ('],
  ['ignoring', msg('Match series by all labels but these'), ' ('],
];

export const kGroupMatchings = [
  ['group_left', msg('Many series on the left match one on the right'), ' ('],
  ['group_right', msg('One series on the left matches many on the right'), ' ('],
];

export const kBool = ['bool', msg('Give 0 or 1 instead of dropping series'), ' '];

export const kMatchOperators = [
  ['=', msg('is')], ['!=', msg('is not')], ['=~', msg('matches the regular expression')],
  ['!~', msg('does not match the regular expression')],
];

/** [text, help] */
export const kDurations = [
  ['$__rate_interval', msg('Fits the step of the graph: the right choice for rate()')],
  ['$__interval', msg('The step of the graph')],
  ['$__range', msg('The whole shown time')],
  ['30s', ''], ['1m', ''], ['5m', ''], ['15m', ''], ['30m', ''], ['1h', ''], ['6h', ''], ['1d', ''], ['7d', ''],
];
