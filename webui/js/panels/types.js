// The panel types of Grafana that the pages draw, by the name they have in its JSON. What stands here
// stands in drawn_features.json too, which the box reads to say what it will not draw.

import { BarChartPanel } from './barchart.js';
import { BarGaugePanel } from './bargauge.js';
import { GaugePanel } from './gauge.js';
import { HeatmapPanel } from './heatmap.js';
import { HistogramPanel } from './histogram.js';
import { PiePanel } from './piechart.js';
import { StatPanel } from './stat.js';
import { StateTimelinePanel, StatusHistoryPanel } from './state_timeline.js';
import { TablePanel } from './table.js';
import { TextPanel } from './text.js';
import { TimeSeriesPanel } from './timeseries.js';

export const kTypes = {
  timeseries: TimeSeriesPanel,
  stat: StatPanel,
  gauge: GaugePanel,
  bargauge: BarGaugePanel,
  piechart: PiePanel,
  text: TextPanel,
  heatmap: HeatmapPanel,
  histogram: HistogramPanel,
  table: TablePanel,
  'state-timeline': StateTimelinePanel,
  'status-history': StatusHistoryPanel,
  barchart: BarChartPanel,
};
