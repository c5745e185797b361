// The legend of a chart as one line of names that wraps, each with its reductions if there are any.

import { reducerTitle } from '../format/reducers.js';
import { t } from '../shell/i18n.js';
import { LegendList } from './legend_list.js';
import { reducedTexts } from './legend_table.js';

export class LegendLine {
  /** @param legend Grafana's {calcs}; see LegendTable */
  constructor(container, legend, onSelect) {
    this.calcs_ = legend.calcs ?? [];
    this.list_ = new LegendList(legend, onSelect);
    container.replaceChildren(this.list_.element);
  }

  draw(seriesList) {
    this.list_.draw(seriesList.map((series) => ({
      name: series.name,
      color: series.color,
      hidden: series.hidden,
      values: reducedTexts(series, this.calcs_).map((text, index) => `${t(reducerTitle(this.calcs_[index]))}: ${text}`),
    })));
  }
}
