// Runs the hearth command, with pipes or on a terminal of its own.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { kBinaries } from './appliance.mjs';

export const kHearth = join(kBinaries, 'hearth');

/** A command that runs: {child, out, err, ended}, `ended` becoming {code, signal, out, err}. */
export function begin(args, { input = '', env = {} } = {}) {
  const running = { out: '', err: '' };
  running.child = spawn(kHearth, args, { env: { ...process.env, ...env } });
  running.child.stdout.on('data', (data) => { running.out += data; });
  running.child.stderr.on('data', (data) => { running.err += data; });
  running.child.stdin.on('error', () => {});  // it may end without reading
  running.child.stdin.end(input);
  running.ended = once(running.child, 'close').then(([code, signal]) => ({ code, signal, out: running.out, err: running.err }));
  return running;
}

export const run = (args, options) => begin(args, options).ended;

/**
 * A command on a terminal of 100 columns, made by script(1): {type(text), out, ended}. What is typed is
 * echoed; '\x03' is Ctrl-C, '\x04' Ctrl-D.
 */
export function onTerminal(args) {
  const quoted = [kHearth, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const child = spawn('script', ['-qefc', `stty cols 100; exec ${quoted}`, '/dev/null'], { env: { ...process.env, TERM: 'xterm' } });
  const running = { child, out: '' };
  // Without colours and moves of the cursor, which a line that is edited is drawn with.
  child.stdout.on('data', (data) => { running.out += `${data}`.replace(/\x1b\[[\d;?]*[A-Za-z]/g, ''); });
  child.stdin.on('error', () => {});
  running.type = (text) => child.stdin.write(text);
  running.ended = once(child, 'close').then(([code]) => ({ code, out: running.out }));
  return running;
}
