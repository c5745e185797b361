// The pages of an appliance: those built into it, or with HEARTH_PAGE_SOURCES set the files of this
// source tree, so that a test of a page needs no build after each edit.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const kServer = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, 'dev_server.mjs');

/** @returns the origin to open; what it starts ends with the test `t` */
export async function pagesOf(appliance, t) {
  if (!process.env.HEARTH_PAGE_SOURCES) return appliance.url;
  const server = spawn(process.execPath, [kServer, appliance.url], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => server.kill());
  const [line] = await once(server.stdout, 'data');
  return String(line).trim().replace(/\/$/, '');
}
