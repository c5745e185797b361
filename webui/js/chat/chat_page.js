// The chat page: talk to a model of the box and see what the talk costs in time and tokens.

import { ChatError, streamChat } from './chat_client.js';
import { el, icon } from '../shell/dom.js';
import { msg, t } from '../shell/i18n.js';
import { splitBlocks, splitInline } from '../shell/rich_text.js';
import { buildTopBar } from '../shell/top_bar.js';
import { installShortcuts } from '../shell/shortcuts.js';
import { StatusView } from '../shell/status.js';
import { nextTheme } from '../shell/theme.js';
import { formatValue } from '../format/units.js';

const kExamples = ['What is TTFT?', 'How do I scrape the metrics?', 'How do I roll back the config?'];
const kFinishTexts = {
  length: msg('cut at the token limit'), abort: msg('aborted'), error: msg('ended by an error'),
};

function renderText(container, text) {
  container.replaceChildren(...splitBlocks(text).map((block) => {
    if (block.kind === 'code') return el('pre', {}, el('code', {}, block.text));
    return el('p', {}, ...splitInline(block.text).map(({ kind, text: piece }) => {
      if (kind === 'code') return el('code', {}, piece);
      return kind === 'bold' ? el('b', {}, piece) : piece;
    }));
  }));
}

function figures(clock, note) {
  const figure = (name, text) => el('span', { class: 'figure' }, el('b', {}, text), ` ${name}`);
  const speed = clock.tokensPerSecond;
  return [
    clock.ttftMs !== null && figure('TTFT', formatValue(clock.ttftMs, 'ms')),
    speed !== null && figure('tok/s', formatValue(speed, 'none')),
    clock.tokens > 0 && figure(t('tokens'), String(clock.tokens)),
    clock.usage && figure(t('prompt tokens'), String(clock.usage.prompt_tokens)),
    note && el('span', { class: 'muted' }, note),
  ].filter(Boolean);
}

class ChatPage {
  constructor() {
    this.messages_ = [];  // the history: as long as this page
    this.abort_ = null;
    this.status_ = new StatusView();
    this.buildSettings_();
    this.buildComposer_();
    this.log_ = el('div', { class: 'log', id: 'log', 'aria-live': 'polite' });
    const newChat = el('button', { type: 'button', class: 'tool wide', id: 'new-chat', onclick: () => this.newChat_() },
      icon('plus'), t('New chat'));
    document.body.prepend(
      buildTopBar('/chat', [newChat]),
      this.status_.alerts,
      el('section', { class: 'strip', 'aria-label': t('State of the box') }, el('h1', {}, t('Chat')), this.status_.facts),
      el('main', { class: 'chat' }, this.settings_,
        el('section', { class: 'talk' }, this.log_, this.composer_)),
    );
    installShortcuts([
      { keys: ['n'], text: msg('New chat'), run: () => this.newChat_() },
      { keys: ['i', '/'], text: msg('Write'), run: () => this.input_.focus() },
      { keys: ['Escape'], label: 'Esc', text: msg('Stop the answer'), run: () => this.stop_() },
      { keys: ['c t'], text: msg('Dark, light or automatic theme'), run: nextTheme },
      { keys: ['g h'], text: msg('Dashboard'), run: () => { location.href = '/'; } },
    ]);
    this.newChat_();
    this.loadModels_();
  }

  buildSettings_() {
    this.model_ = el('select', { id: 'model' });
    this.system_ = el('textarea', { id: 'system', rows: 4, placeholder: t('none') });
    this.temperature_ = el('input', { type: 'number', id: 'temperature', min: 0, max: 2, step: 0.1, value: 0 });
    this.maxTokens_ = el('input', { type: 'number', id: 'max-tokens', min: 1, step: 1, value: 256 });
    this.problem_ = el('p', { class: 'field-error', role: 'alert' });
    const field = (input, label) => el('div', { class: 'field' }, el('label', { for: input.id }, label), input);
    this.settings_ = el('aside', { class: 'settings', 'aria-label': t('Settings') },
      field(this.model_, t('Model')), this.problem_, field(this.system_, t('System prompt')),
      el('div', { class: 'pair' }, field(this.temperature_, 'temperature'), field(this.maxTokens_, 'max_tokens')),
      el('p', { class: 'hint' }, t('The history stays in this page and goes when it closes.'), ' ',
        t('Stop closes the connection, and the box frees the request’s KV blocks.')));
  }

  buildComposer_() {
    this.input_ = el('textarea', { id: 'prompt', rows: 1, placeholder: t('Ask the model…'), 'aria-label': t('Message') });
    this.send_ = el('button', { type: 'submit', class: 'primary round', id: 'send' });
    this.composer_ = el('form', { class: 'composer' }, this.input_, this.send_);
    this.composer_.addEventListener('submit', (event) => {
      event.preventDefault();
      if (this.abort_) this.stop_();
      else this.ask_(this.input_.value.trim());
    });
    this.input_.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        if (!this.abort_) this.ask_(this.input_.value.trim());
      }
      if (event.key === 'Escape') this.stop_();
    });
    this.input_.addEventListener('input', () => this.growInput_());
    this.showSend_();
  }

  growInput_() {
    this.input_.style.height = 'auto';
    this.input_.style.height = `${Math.min(200, this.input_.scrollHeight + 2)}px`;
  }

  showSend_() {
    const busy = this.abort_ !== null;
    this.send_.replaceChildren(icon(busy ? 'stop' : 'send'));
    this.send_.title = busy ? t('Stop (Esc)') : t('Send (Enter)');
    this.send_.setAttribute('aria-label', this.send_.title);
  }

  async loadModels_() {
    try {
      const response = await fetch('/v1/models');
      const body = await response.json();
      const ids = (body.data ?? []).map((model) => model.id);
      this.model_.replaceChildren(...ids.map((id) => el('option', { value: id }, id)));
      this.problem_.textContent = ids.length === 0 ? t('The box serves no model now.') : '';
    } catch {
      this.problem_.textContent = t('The list of models could not be read.');
    }
    // A model that is still loading shows up later.
    if (this.model_.options.length === 0) setTimeout(() => this.loadModels_(), 2000);
  }

  newChat_() {
    this.stop_();
    this.messages_ = [];
    this.log_.replaceChildren(el('div', { class: 'welcome' },
      el('h2', {}, t('Ask the box')),
      el('p', { class: 'muted' }, t('The model runs here; nothing you write leaves this machine.')),
      el('div', { class: 'examples' }, ...kExamples.map((text) => el('button', {
        type: 'button', class: 'example', onclick: () => this.ask_(text),
      }, text)))));
    this.input_.focus();
  }

  stop_() {
    this.abort_?.abort();
  }

  addBubble_(role, text) {
    const content = el('div', { class: 'content' });
    const foot = el('div', { class: 'figures' });
    renderText(content, text);
    const bubble = el('article', { class: `bubble ${role}` }, content, foot);
    this.log_.append(bubble);
    bubble.scrollIntoView({ block: 'end' });
    return { bubble, content, foot };
  }

  requestBody_() {
    const system = this.system_.value.trim();
    const body = {
      model: this.model_.value,
      messages: [...(system ? [{ role: 'system', content: system }] : []), ...this.messages_],
    };
    if (this.temperature_.value !== '') body.temperature = Number(this.temperature_.value);
    if (this.maxTokens_.value !== '') body.max_tokens = Number(this.maxTokens_.value);
    return body;
  }

  async ask_(text) {
    if (text === '' || this.abort_) return;
    this.log_.querySelector('.welcome')?.remove();
    this.input_.value = '';
    this.growInput_();
    this.messages_.push({ role: 'user', content: text });
    this.addBubble_('user', text);
    const parts = this.addBubble_('assistant', '');
    parts.bubble.classList.add('streaming');
    const abort = new AbortController();
    this.abort_ = abort;
    this.showSend_();
    await this.answer_(parts, abort.signal);
    parts.bubble.classList.remove('streaming');
    this.abort_ = null;
    this.showSend_();
  }

  /** Streams one answer into its bubble; draws at most once per frame. */
  async answer_(parts, signal) {
    const history = this.messages_;
    let answer = '';
    let seen = null;
    let drawn = false;
    const draw = () => {
      drawn = false;
      renderText(parts.content, answer);
      if (seen) parts.foot.replaceChildren(...figures(seen, ''));
      parts.bubble.scrollIntoView({ block: 'end' });
    };
    let note = '';
    try {
      const clock = await streamChat(this.requestBody_(), (piece, running) => {
        answer += piece;
        seen = running;
        if (!drawn) requestAnimationFrame(draw);
        drawn = true;
      }, signal);
      seen = clock;
      note = clock.finishReason === 'stop' ? '' : t(kFinishTexts[clock.finishReason] ?? clock.finishReason ?? '');
    } catch (error) {
      if (error.name === 'AbortError') note = t('stopped');
      else if (error instanceof ChatError) parts.bubble.append(el('div', { class: 'alert error' }, icon('warning'), error.message));
      else throw error;
    } finally {
      if (answer !== '') history.push({ role: 'assistant', content: answer });
      else history.pop();  // a question without an answer is not part of the talk
      draw();
      parts.foot.replaceChildren(...(seen ? figures(seen, note) : [el('span', { class: 'muted' }, note)]));
    }
  }
}

new ChatPage();
