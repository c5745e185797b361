// Panel type "table": rows and columns that sort, filter and page; one frame at a time.

import { themeColor, withAlpha } from '../format/colors.js';
import { display, shownText } from '../format/display.js';
import { reducedUnit, reducerTitle } from '../format/reducers.js';
import { el, icon } from '../shell/dom.js';
import { t } from '../shell/i18n.js';
import { formatMoment, formatStamp } from '../time/time_range.js';
import { fillCell } from './table_cell.js';
import { cellOptions, columnLimits, columnTexts, footerValues, rowOrder } from './table_data.js';
import { columnFilter } from './table_filter.js';

const kRowPx = { sm: 27, md: 34, lg: 44 };
const kMaxRows = 500;  // of one page

/** A time is a date, whatever unit the panel's numbers have. */
function shownCell(column, value) {
  if (column.type !== 'time' || typeof value !== 'number') return display(value ?? null, column.config, column.limits);
  const text = column.config.unit === 'dateTimeAsIso' ? formatStamp(value) : formatMoment(value);
  return { text, prefix: '', suffix: '', color: '' };
}

const cellText = (column, value) => shownText(shownCell(column, value));

export class TablePanel {
  static showsRows = true;  // whatever stands in them

  constructor(panel, body, context) {
    this.panel_ = panel;
    this.context_ = context;
    this.frame_ = panel.options.frameIndex ?? 0;
    this.sort_ = null;
    this.filters_ = new Map();
    this.page_ = 0;
    this.head_ = el('thead', { hidden: panel.options.showHeader === false });
    this.rows_ = el('tbody');
    this.foot_ = el('tfoot');
    this.table_ = el('table', { class: `data-table cells-${panel.options.cellHeight ?? 'sm'}` },
      el('caption', { class: 'sr' }, panel.title), this.head_, this.rows_, this.foot_);
    this.box_ = el('div', { class: 'table-box', tabindex: 0, role: 'group', 'aria-label': panel.title }, this.table_);
    this.bar_ = el('div', { class: 'table-bar', hidden: true });
    body.replaceChildren(el('div', { class: 'table-panel' }, this.box_, this.bar_));
    this.watch_ = new ResizeObserver(() => {
      if (this.columns_ && this.pageSize_() !== this.shownSize_) this.show_();
    });
    this.watch_.observe(this.box_.parentElement);
  }

  draw(data) {
    this.data_ = data;
    this.frames_ = data.tables;
    const frame = this.frames_[Math.min(this.frame_, this.frames_.length - 1)];
    this.columns_ = (frame?.columns ?? []).filter((column) => !column.config.custom?.hidden && !column.config.custom?.hideFrom?.viz)
      .map((column) => ({ ...column, title: column.name, limits: columnLimits(column), look: cellOptions(column.config) }));
    this.sort_ ??= this.initialSort_();
    this.show_();
  }

  initialSort_() {
    const asked = this.panel_.options.sortBy?.[0];
    // Tables of Grafana 7 and before sort by the column's number.
    const column = asked ? asked.index ?? this.columns_.findIndex(({ name, sourceName }) => [name, sourceName].includes(asked.displayName)) : -1;
    return column < 0 ? null : { column, desc: Boolean(asked.desc) };
  }

  show_() {
    const order = rowOrder(this.columns_, this.sort_, this.filters_, cellText);
    const size = this.pageSize_();
    this.shownSize_ = size;
    const pages = Math.max(1, Math.ceil(order.length / size));
    this.page_ = Math.min(this.page_, pages - 1);
    this.drawHead_();
    this.drawRows_(order.slice(this.page_ * size, (this.page_ + 1) * size));
    this.drawFoot_(order);
    this.drawBar_(pages, order.length);
  }

  pageSize_() {
    const { options } = this.panel_;
    if (!(options.footer?.enablePagination || options.enablePagination)) return kMaxRows;
    const lines = 1 + (options.footer?.show ? 1 : 0);
    const room = (this.box_.parentElement.clientHeight || 300) - 34;
    return Math.max(1, Math.floor(room / (kRowPx[options.cellHeight] ?? kRowPx.sm)) - lines);
  }

  /** Rebuilt only when the columns or their order change: a refresh must not close an open filter. */
  drawHead_() {
    const shape = JSON.stringify([this.columns_.map(({ title, type }) => [title, type]), this.sort_, [...this.filters_.keys()]]);
    if (shape === this.headShape_) return;
    this.headShape_ = shape;
    const focused = [...this.head_.querySelectorAll('th')].findIndex((cell) => cell.contains(document.activeElement));
    this.head_.replaceChildren(el('tr', {}, ...this.columns_.map((column, index) => this.headCell_(column, index))));
    if (focused >= 0) this.head_.querySelectorAll('th')[focused]?.querySelector('button').focus();
  }

  headCell_(column, index) {
    const sorted = this.sort_?.column === index ? this.sort_ : null;
    const direction = sorted ? (sorted.desc ? 'descending' : 'ascending') : 'none';
    const custom = column.config.custom ?? {};
    const cell = el('th', { scope: 'col', 'aria-sort': direction, class: this.alignClass_(column) },
      el('div', { class: 'head-cell' },
        el('button', { type: 'button', class: 'head-sort', title: t('Sort by {column}', { column: column.title }), onclick: () => this.sortBy_(index) },
          el('span', {}, column.title), sorted && el('i', { class: `arrow ${direction}` }, sorted.desc ? '▼' : '▲')),
        custom.filterable && columnFilter(column.title, () => columnTexts(this.columns_[index], cellText), this.filters_.get(index),
          (texts) => this.setFilter_(index, texts))));
    if (custom.width) cell.style.width = `${custom.width}px`;
    if (custom.minWidth) cell.style.minWidth = `${custom.minWidth}px`;
    return cell;
  }

  alignClass_(column) {
    const { align } = column.config.custom ?? {};
    if (align && align !== 'auto') return `align-${align}`;
    return column.type === 'number' && column.look.type !== 'gauge' ? 'align-right' : 'align-left';
  }

  /** Ascending, descending, as it came. */
  sortBy_(index) {
    if (this.sort_?.column !== index) this.sort_ = { column: index, desc: false };
    else if (!this.sort_.desc) this.sort_ = { column: index, desc: true };
    else this.sort_ = { column: -1, desc: false };
    this.page_ = 0;
    this.show_();
  }

  setFilter_(index, texts) {
    if (texts) this.filters_.set(index, texts);
    else this.filters_.delete(index);
    this.page_ = 0;
    this.show_();
  }

  drawRows_(order) {
    const theme = this.context_.theme();
    while (this.rows_.rows.length > order.length) this.rows_.deleteRow(-1);
    order.forEach((row, at) => {
      const line = this.rows_.rows[at] ?? this.rows_.insertRow();
      while (line.cells.length > this.columns_.length) line.deleteCell(-1);
      let ground = '';
      this.columns_.forEach((column, index) => {
        const cell = line.cells[index] ?? line.insertCell();
        const value = column.values[row];
        const shown = shownCell(column, value);
        const color = shown.color && themeColor(shown.color, theme);
        if (column.look.applyToRow && color) ground = withAlpha(color, 0.22);
        fillCell(cell, { column, value, shown, color, align: this.alignClass_(column), row: (name) => this.valueAt_(name, row) });
      });
      line.style.background = ground;
    });
  }

  /** ${__data.fields["name"]} and ${__data.fields.name} of a link. */
  valueAt_(path, row) {
    const name = /^__data\.fields(?:\.([^[]+)|\[\W?([^\]]+?)\W?\])$/.exec(path);
    const column = name && this.columns_.find((one) => [one.name, one.sourceName].includes(name[1] ?? name[2]));
    return column ? cellText(column, column.values[row]) : undefined;
  }

  drawFoot_(order) {
    const { footer } = this.panel_.options;
    const values = footerValues(this.columns_, order, footer);
    this.foot_.hidden = values === null;
    if (!values) return;
    const calc = footer.reducer?.[0] ?? 'sum';
    this.foot_.replaceChildren(el('tr', {}, ...values.map((value, index) => {
      const column = this.columns_[index];
      const counted = calc === 'count' && footer.countRows;
      const config = { ...column.config, mappings: [], unit: counted ? 'none' : reducedUnit(calc, column.config.unit) };
      const text = value === null ? '' : shownText(display(value, config));
      const label = index === 0 && (value === null || counted) ? t(reducerTitle(calc)) : '';
      return el('td', { class: value === null || counted ? 'align-left' : this.alignClass_(column) }, [label, text].filter(Boolean).join(': '));
    })));
  }

  /** Frame picker and pager. */
  drawBar_(pages, count) {
    const shape = JSON.stringify([this.frames_.map((frame) => frame.name), this.frame_, pages, this.page_, count]);
    if (shape === this.barShape_) return;
    this.barShape_ = shape;
    this.bar_.hidden = pages === 1 && this.frames_.length < 2;
    const focused = this.bar_.contains(document.activeElement) ? document.activeElement.dataset.act : null;
    const parts = [];
    if (this.frames_.length > 1) {
      const picker = el('select', { 'aria-label': t('Table'), 'data-act': 'frame' },
        ...this.frames_.map((frame, index) => el('option', { value: index, selected: index === this.frame_ }, frame.name || frame.refId || String(index))));
      picker.addEventListener('change', () => this.pickFrame_(Number(picker.value)));
      parts.push(picker);
    }
    if (pages > 1) {
      const step = (act, text, to) => el('button', {
        type: 'button', class: `tool page-${act}`, 'data-act': act, title: text, 'aria-label': text, disabled: to < 0 || to >= pages,
        onclick: () => { this.page_ = to; this.show_(); this.box_.scrollTop = 0; },
      }, icon('chevron'));
      parts.push(step('back', t('Previous page'), this.page_ - 1),
        el('span', { 'aria-live': 'polite' }, t('{page} of {pages} ({rows} rows)', { page: this.page_ + 1, pages, rows: count })),
        step('next', t('Next page'), this.page_ + 1));
    }
    this.bar_.replaceChildren(...parts);
    if (focused) this.bar_.querySelector(`[data-act="${focused}"]`)?.focus();
  }

  pickFrame_(index) {
    this.frame_ = index;
    this.sort_ = null;
    this.filters_.clear();
    this.page_ = 0;
    this.draw(this.data_);
  }

  destroy() {
    this.watch_.disconnect();
  }
}
