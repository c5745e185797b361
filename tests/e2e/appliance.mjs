// Starts a real hearthd with a real engine for a test, and stops it by the process it started.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { once } from 'node:events';

export const kSourceRoot = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../..');
export const kBinaries = process.env.HEARTH_BIN ?? join(kSourceRoot, 'build/release/bin');
export const kDemoModel = join(kSourceRoot, 'packaging/demo-model/model');

const kSampleMs = 1000;

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// Polls until `condition` returns something truthy, which it returns; throws after `timeoutMs`.
export async function eventually(what, condition, timeoutMs = 20000) {
  const deadline = Date.now() + timeoutMs;
  let last;
  while (Date.now() < deadline) {
    try {
      const value = await condition();
      if (value) return value;
    } catch (error) {
      last = error;
    }
    await sleep(50);
  }
  throw new Error(`waited ${timeoutMs} ms in vain for: ${what}${last ? ` (${last.message})` : ''}`);
}

export class Appliance {
  // options: {port, state, model, ownModel, args, env}. Without `state` a directory is made and removed
  // again; with ownModel false the command line names no model.
  static async start(options = {}) {
    const appliance = new Appliance();
    appliance.ownsState = options.state === undefined;
    appliance.state = options.state ?? (await mkdtemp(join(tmpdir(), 'hearth-e2e-')));
    appliance.log = '';
    const model = options.model ?? kDemoModel;
    const name = options.name ?? 'demo';
    appliance.model = name;
    appliance.child = spawn(
      join(kBinaries, 'hearthd'),
      ['--port', `${options.port ?? 0}`, '--state', appliance.state,
        ...(options.ownModel === false ? [] : ['--model', model, '--served-model-name', name]), ...(options.args ?? [])],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...options.env } });
    appliance.exited = once(appliance.child, 'exit').then(([code, signal]) => ({ code, signal }));
    appliance.child.stderr.on('data', (data) => { appliance.log += data; });
    appliance.url = await appliance.firstUrl();
    if (options.waitReady !== false) await appliance.ready();
    return appliance;
  }

  firstUrl() {
    return new Promise((done, failed) => {
      let text = '';
      this.child.stdout.on('data', (data) => {
        text += data;
        const match = text.match(/Hearth is up: (http:\S+)\//);
        if (match) done(match[1]);
      });
      this.exited.then((end) => failed(new Error(`hearthd ended ${JSON.stringify(end)}: ${this.log}`)));
    });
  }

  ready() {
    return eventually('a ready model', async () => (await fetch(`${this.url}/health`)).status === 200,
      60000);
  }

  async status() {
    return (await fetch(`${this.url}/api/status`)).json();
  }

  async metrics() {
    return parseMetrics(await (await fetch(`${this.url}/metrics`)).text());
  }

  // What happened until now: /metrics shows the newest sample, and one is taken every second.
  async settledMetrics() {
    await sleep(kSampleMs + 300);
    return this.metrics();
  }

  chat(content, fields = {}) {
    return fetch(`${this.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ messages: [{ role: 'user', content }], temperature: 0, ...fields }),
      signal: fields.signal,
    });
  }

  async ask(content, fields = {}) {
    const response = await this.chat(content, fields);
    const body = await response.json();
    if (!response.ok) throw new Error(`${response.status}: ${JSON.stringify(body)}`);
    return body;
  }

  kill9() {
    this.child.kill('SIGKILL');
    return this.exited;
  }

  // PATCH, POST or DELETE of /api/models.
  models(method, name, body) {
    return fetch(`${this.url}/api/models${name ? `/${encodeURIComponent(name)}` : ''}`,
      { method, body: body === undefined ? undefined : JSON.stringify(body) });
  }

  // GET /api/config.
  async config() {
    return (await fetch(`${this.url}/api/config`)).json();
  }

  post(path, body) {
    return fetch(`${this.url}${path}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  }

  async stop() {
    this.child.kill('SIGTERM');
    const end = await this.exited;
    if (this.ownsState) await rm(this.state, { recursive: true, force: true });
    return end;
  }
}

/** Whether a process runs under AddressSanitizer, which keeps freed memory and has its own way to run out of it. */
export const isSanitized = (pid) => readFileSync(`/proc/${pid}/maps`, 'utf8').includes('asan');

// {'name{labels}': value}
export function parseMetrics(text) {
  const values = {};
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const space = line.lastIndexOf(' ');
    values[line.slice(0, space)] = Number(line.slice(space + 1));
  }
  return values;
}

// The sum over all series of a family whose labels contain `part`.
export function total(metrics, name, part = '') {
  return Object.entries(metrics)
    .filter(([key]) => (key === name || key.startsWith(`${name}{`)) && key.includes(part))
    .reduce((sum, [, value]) => sum + value, 0);
}

// The data lines of an event stream, parsed; '[DONE]' stays a string.
export async function* events(response) {
  let buffer = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body) {
    buffer += decoder.decode(chunk, { stream: true });
    let end;
    while ((end = buffer.indexOf('\n\n')) >= 0) {
      const line = buffer.slice(0, end);
      buffer = buffer.slice(end + 2);
      const data = line.slice('data: '.length);
      yield data === '[DONE]' ? data : JSON.parse(data);
    }
  }
}
