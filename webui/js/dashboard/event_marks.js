// Events as marks on a chart: a line at the time and a handle below it that says what happened.

import { el } from '../shell/dom.js';
import { groupEvents } from './event_groups.js';
import { t } from '../shell/i18n.js';
import { formatMoment } from '../time/time_range.js';

const kLinesShown = 8;

function describe(events) {
  const lines = events.slice(0, kLinesShown).map(({ timeMs, text }) => `${formatMoment(timeMs)}  ${text}`);
  if (events.length > kLinesShown) lines.push(t('and {count} more', { count: events.length - kLinesShown }));
  return lines.join('\n');
}

export class EventMarks {
  constructor() {
    this.element = el('div', { class: 'event-marks' });
  }

  /** @param view {fromMs, toMs} that the chart shows now */
  draw(events, view, chart) {
    const area = chart.plotArea();
    if (!area) return;
    const shown = events.filter(({ timeMs }) => timeMs >= view.fromMs && timeMs <= view.toMs);
    this.element.replaceChildren(...groupEvents(shown, (timeMs) => chart.pixelAt(timeMs)).map((group) => {
      const mark = el('div', { class: `event-mark ${group.severity}` },
        el('span', { class: 'event-handle', title: describe(group.events) }));
      mark.style.height = `${area.bottom - area.top}px`;
      mark.style.transform = `translate(${group.x}px, ${area.top}px)`;
      return mark;
    }));
  }
}
