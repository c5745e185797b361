// Data: what the panel drew, as a table and as a file.

import { Dropdown, choiceList } from '../shell/dropdown.js';
import { download, el, icon } from '../shell/dom.js';
import { t } from '../shell/i18n.js';
import { fileName } from '../dashboard/panel_frame.js';
import { joinedTable, seriesTable, tableCsv } from './inspect_table.js';
import { pagedTable } from './paged_table.js';

const kJoined = 'joined';

function checkbox(text, checked, onChange) {
  return el('label', { class: 'check' },
    el('input', { type: 'checkbox', checked, onchange: (event) => onChange(event.target.checked) }), text);
}

/** [[id, title, () => table]] of what can be shown of an answer. @param raw without transformations, or null */
function shapes(answer, raw) {
  const source = raw ?? answer;
  const tables = raw ? [] : answer.tables;
  const transformed = tables.map((table, index) => [`t${index}`, table.name || t('Table {index}', { index: index + 1 }), () => table]);
  const { series } = source;
  const all = series.filter(({ timeless }) => !timeless);
  const single = all.map((one, index) => [`s${index}`, one.name, () => seriesTable(one)]);
  const joined = all.length > 0 ? [[kJoined, t('Series joined by time'), () => joinedTable(all)]] : [];
  return [...joined, ...single, ...transformed];
}

export class DataTab {
  constructor(frame) {
    this.frame_ = frame;
    this.formatted_ = true;
    this.transformed_ = true;
    this.shape_ = null;
    this.element = el('div', { class: 'inspect-data' });
  }

  async show() {
    const { answer } = this.frame_;
    if (!answer) {
      this.element.replaceChildren(el('p', {}, t('The panel has no answer yet')));
      return;
    }
    const raw = this.transformed_ ? null : await this.frame_.data.untransformed();
    const list = shapes(answer, raw);
    const first = this.frame_.panel.transformations.length > 0 && !raw ? list.find(([id]) => id.startsWith('t')) : null;
    const chosen = list.find(([id]) => id === this.shape_) ?? first ?? list[0];
    if (!chosen) {
      this.element.replaceChildren(this.options_([], ''), el('p', {}, t('No data in this time range')));
      return;
    }
    this.table_ = chosen[2]();
    this.element.replaceChildren(this.options_(list, chosen[0]),
      pagedTable(this.table_, { formatted: this.formatted_, label: chosen[1] }));
  }

  options_(list, current) {
    const choose = el('select', { 'aria-label': t('Shown table'), onchange: (event) => { this.shape_ = event.target.value; this.show(); } },
      ...list.map(([id, title]) => el('option', { value: id, selected: id === current }, title)));
    const transforms = this.frame_.panel.transformations.length > 0;
    return el('div', { class: 'inspect-options' }, list.length > 0 && choose,
      checkbox(t('Formatted values'), this.formatted_, (on) => { this.formatted_ = on; this.show(); }),
      transforms && checkbox(t('Apply transformations'), this.transformed_, (on) => { this.transformed_ = on; this.show(); }),
      list.length > 0 && this.downloads_());
  }

  downloads_() {
    const button = el('button', { type: 'button', class: 'tool wide' }, t('Download CSV'), icon('chevron'));
    const menu = new Dropdown(button, (pane) => pane.append(choiceList([
      ['raw', t('CSV')], ['formatted', t('CSV, formatted values')], ['excel', t('CSV for Excel')],
    ], null, (kind) => {
      menu.close();
      const text = tableCsv(this.table_, { formatted: kind === 'formatted', excel: kind === 'excel' });
      download(fileName(this.frame_.panel.title), text, 'text/csv;charset=utf-8');
    })));
    return menu.element;
  }
}
