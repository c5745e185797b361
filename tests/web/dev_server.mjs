// Serves the page's files from the source tree, everything else from a running appliance: an edit is
// there after a reload, without a build.
//
//   node tests/web/dev_server.mjs http://127.0.0.1:8080 [port]

import { createReadStream, existsSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { extname, join, normalize } from 'node:path';

const kWebui = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../../webui');
const kTypes = {
  '.html': 'text/html; charset=utf-8', '.css': 'text/css; charset=utf-8', '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json', '.svg': 'image/svg+xml', '.map': 'application/json',
};
const kLibraries = {
  '/vendor/chart.umd.js': 'chart.js/dist/chart.umd.js',
  '/vendor/chartjs-chart-matrix.min.js': 'chartjs-chart-matrix/dist/chartjs-chart-matrix.min.js',
};
const kYaml = { module: '/vendor/yaml.js', sources: '/vendor/yaml/' };  // one file in the program, modules here

const [box, port = '0'] = process.argv.slice(2);
if (!box) {
  console.error('usage: node tests/web/dev_server.mjs http://127.0.0.1:8080 [port]');
  process.exit(2);
}

/** The file of an address, or null where the box answers. */
function fileOf(path) {
  if (kLibraries[path]) return join(kWebui, 'node_modules', kLibraries[path]);
  if (path.startsWith(kYaml.sources)) return join(kWebui, 'node_modules/yaml/browser', normalize(path.slice(kYaml.sources.length)));
  if (path === '/' || path.startsWith('/d/')) return join(kWebui, 'index.html');
  const file = join(kWebui, normalize(path));
  for (const candidate of [file, `${file}.html`]) {
    if (extname(candidate) && existsSync(candidate)) return candidate;
  }
  return null;
}

/** Asks the box; its headers come along, the content security policy among them. */
function passOn(incoming, answer) {
  const headers = { ...incoming.headers, host: new URL(box).host };
  if (headers.origin) headers.origin = new URL(box).origin;  // the box refuses changes by pages of others
  const asked = request(new URL(incoming.url, box), { method: incoming.method, headers },
    (response) => {
      answer.writeHead(response.statusCode, response.headers);
      response.pipe(answer);
    });
  asked.on('error', () => answer.writeHead(502).end());
  answer.on('close', () => asked.destroy());
  incoming.pipe(asked);
}

const policy = (await fetch(box)).headers.get('content-security-policy');
const server = createServer((incoming, answer) => {
  const path = decodeURIComponent(new URL(incoming.url, box).pathname);
  if (path === kYaml.module) {
    answer.writeHead(302, { Location: `${kYaml.sources}index.js` }).end();
    return undefined;
  }
  const file = incoming.method === 'GET' && fileOf(path);
  if (!file) return passOn(incoming, answer);
  answer.writeHead(200, {
    'Content-Type': kTypes[extname(file)], 'Cache-Control': 'no-store', 'Content-Security-Policy': policy,
  });
  return createReadStream(file).pipe(answer);
});
server.listen(Number(port), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/`));
