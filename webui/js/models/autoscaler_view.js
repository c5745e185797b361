// Why a model has as many replicas as it has: the autoscaler's numbers on a scale, and its sentence.

import { formatValue } from '../format/units.js';
import { el, icon } from '../shell/dom.js';
import { t } from '../shell/i18n.js';
import { formatDuration } from '../time/time_range.js';
import { say, setText } from './kept.js';
import { directionText, kMarks, loadShare, scaleOf, wishedLoad } from './scale_marks.js';

const percent = (share) => `${share * 100}%`;

export class AutoscalerView {
  constructor() {
    this.sentence_ = el('p', { class: 'lead' });
    this.prevented_ = el('span', {});
    this.trouble_ = el('p', { class: 'prevented' }, icon('warning'), this.prevented_);
    this.ticks_ = el('div', { class: 'scale-ticks' });
    this.allowed_ = el('span', { class: 'scale-allowed' });
    this.current_ = el('span', { class: 'scale-current' });
    this.target_ = el('i', { class: 'scale-target' });
    this.desired_ = el('i', { class: 'scale-desired' });
    this.scale_ = el('div', { class: 'scale', role: 'img' }, this.allowed_, this.current_, this.ticks_, this.target_, this.desired_);
    this.legend_ = Object.fromEntries(kMarks.map(([field]) => [field, el('b', {})]));
    this.load_ = el('span', {});
    this.loadBar_ = el('span', { class: 'load-bar' });
    this.direction_ = el('span', {});
    this.details_ = el('div', {}, this.scale_,
      el('p', { class: 'scale-legend', 'aria-hidden': 'true' }, ...kMarks.map(([field, word]) => el('span', { class: field }, el('i', {}), t(word), ' ', this.legend_[field]))),
      el('div', { class: 'load', 'aria-hidden': 'true' }, this.loadBar_, el('i', { class: 'load-wish' })),
      el('p', { class: 'note' }, this.load_, ' ', this.direction_));
    this.element = el('div', { class: 'autoscaler' }, el('h4', {}, t('Autoscaler')), this.sentence_, this.trouble_, this.details_);
  }

  update({ autoscaling }) {
    const { length, at, ticks, allowed } = scaleOf(autoscaling);
    const isPrevented = autoscaling.prevented_by !== '';  // the sentence says by what
    say(this.sentence_, isPrevented ? '' : autoscaling.sentence);
    say(this.prevented_, isPrevented ? autoscaling.sentence : '');
    this.trouble_.hidden = !isPrevented;
    this.details_.hidden = !autoscaling.enabled;
    this.allowed_.style.left = percent(allowed.from);
    this.allowed_.style.width = percent(allowed.to - allowed.from);
    this.current_.style.width = percent(at(autoscaling.current_replicas));
    this.target_.style.left = percent(at(autoscaling.target_replicas));
    this.desired_.style.left = percent(at(autoscaling.desired_replicas));
    this.showTicks_(length, ticks);
    for (const [field] of kMarks) setText(this.legend_[field], String(autoscaling[field]));
    this.scale_.setAttribute('aria-label', kMarks.map(([field, word]) => `${t(word)} ${autoscaling[field]}`).join(', '));
    this.loadBar_.style.width = percent(Math.min(2, loadShare(autoscaling)) / 2);
    this.loadBar_.dataset.over = String(loadShare(autoscaling) > 1);
    setText(this.load_, t('Load over the last {time}: {mean} of {wished} requests.', {
      time: formatDuration(autoscaling.look_back_period_s * 1000), mean: formatValue(autoscaling.ongoing_requests, 'none', 1),
      wished: formatValue(wishedLoad(autoscaling), 'none') }));
    setText(this.direction_, directionText(autoscaling));
  }

  showTicks_(length, ticks) {
    if (this.ticks_.dataset.length === String(length)) return;
    this.ticks_.dataset.length = length;
    this.ticks_.replaceChildren(...ticks.map((share) => {
      const tick = el('i', {});
      tick.style.left = percent(share);
      return tick;
    }));
  }
}
