// Debian's prometheus, started by a test against the appliance.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './appliance.mjs';

// Drops what a scrape adds, so that label sets are the box's.
export const kAsTheBox = { metric_relabel_configs: [{ regex: 'job|instance', action: 'labeldrop' }] };
export const kEveryView = ['vllm', 'ray', 'vllm_removed', 'production_stack', 'hearth', 'dcgm', 'node'];

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

// target: host:port. labels: what a scrape config adds to every series. scrape: further settings of the
// scrape. args: further ones of the program.
export async function startPrometheus(t, target,
  { scrapeS = 1, labels = {}, scrape = {}, args = [] } = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'hearth-prometheus-'));
  const config = join(directory, 'prometheus.yml');
  await writeFile(config, JSON.stringify({  // YAML's subset
    global: { scrape_interval: `${scrapeS * 1000}ms`, scrape_timeout: `${scrapeS * 1000}ms` },
    scrape_configs: [{ job_name: 'hearth', static_configs: [{ targets: [target], labels }], ...scrape }],
  }));
  const port = await freePort();
  const child = spawn('prometheus', [`--config.file=${config}`, '--enable-feature=exemplar-storage',
    `--storage.tsdb.path=${join(directory, 'data')}`, `--web.listen-address=127.0.0.1:${port}`,
    ...args],
  { stdio: 'ignore' });
  const exited = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGTERM');
    await exited;
    await rm(directory, { recursive: true, force: true });
  });
  const url = `http://127.0.0.1:${port}`;
  await eventually('prometheus', async () => (await fetch(`${url}/-/ready`)).ok, 30000);
  return url;
}

// The data of a Prometheus API answer, or a failed assertion with what it says.
export async function get(url, parameters) {
  const response = await fetch(`${url}?${new URLSearchParams(parameters)}`);
  const body = await response.json();
  assert.equal(body.status, 'success', JSON.stringify(body));
  return body.data;
}

// Forwards to `target` with the Accept header of a scraper that only knows the text format. Debian's
// prometheus always asks for OpenMetrics. Returns host:port.
export async function textOnlyProxy(t, target) {
  const server = createHttpServer((incoming, outgoing) => {
    const forwarded = request({ host: target.split(':')[0], port: target.split(':')[1],
      path: incoming.url, headers: { accept: 'text/plain;version=0.0.4', 'accept-encoding': 'gzip' } },
    (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
    });
    forwarded.on('error', () => outgoing.destroy());
    forwarded.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `127.0.0.1:${server.address().port}`;
}

// Debian's prometheus as a receiver of remote writes, which may be stopped and go on with its data.
export class Receiver {
  static async start(t) {
    const receiver = new Receiver();
    receiver.directory = await mkdtemp(join(tmpdir(), 'hearth-receiver-'));
    await writeFile(join(receiver.directory, 'prometheus.yml'), '{}');
    receiver.port = await freePort();
    receiver.url = `http://127.0.0.1:${receiver.port}`;
    await receiver.resume();
    t.after(async () => {
      await receiver.stop();
      await rm(receiver.directory, { recursive: true, force: true });
    });
    return receiver;
  }

  async resume() {
    this.child = spawn('prometheus', ['--web.enable-remote-write-receiver',
      `--config.file=${join(this.directory, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(this.directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${this.port}`], { stdio: 'ignore' });
    this.exited = once(this.child, 'exit');
    await eventually('prometheus', async () => (await fetch(`${this.url}/-/ready`)).ok, 30000);
  }

  async stop() {
    this.child.kill('SIGTERM');
    await this.exited;
  }
}
