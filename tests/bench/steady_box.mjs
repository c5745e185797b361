// A stand-in for a box whose history never ends: it answers range queries with smooth made-up series
// and passes everything else on, so that a bench of the page measures the page.

import { createServer, request } from 'node:http';

const kSeriesPerQuery = 3;

/** What a query_range would have found: kSeriesPerQuery waves on the asked steps. */
export function madeUpSeries(params) {
  const [start, end, step] = ['start', 'end', 'step'].map((name) => Number(params.get(name)));
  const seed = [...params.get('query')].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) % 9973, 7);
  return Array.from({ length: kSeriesPerQuery }, (_, index) => {
    const values = [];
    for (let time = start; time <= end + 1e-6; time += step) {
      const wave = Math.sin((time + seed) / (300 + 40 * index)) + 0.3 * Math.sin((time * (index + 2)) / 17);
      values.push([time, (5 + seed % 7 + 2 * wave).toFixed(4)]);
    }
    return { metric: { model_name: `model-${index}` }, values };
  });
}

/** A dashboard of `count` time series panels, `columns` in a row. */
export function wallDashboard(uid, count, columns) {
  const w = Math.floor(24 / columns);
  return {
    uid, title: 'Bench', schemaVersion: 39, refresh: '1s', time: { from: 'now-6h', to: 'now' },
    templating: { list: [] },
    panels: Array.from({ length: count }, (_, index) => ({
      id: index + 1, type: 'timeseries', title: `Panel ${index + 1}`,
      gridPos: { x: (index % columns) * w, y: 7 * Math.floor(index / columns), w, h: 7 },
      fieldConfig: { defaults: { unit: 's', custom: { fillOpacity: 8, lineWidth: 1 } }, overrides: [] },
      options: { legend: { displayMode: 'table', placement: 'bottom', calcs: ['lastNotNull', 'mean', 'max'] } },
      targets: [{ refId: 'A', expr: `made_up_${index}`, legendFormat: '{{model_name}}' }],
    })),
  };
}

/**
 * @param answers {path: body} answered before the box is asked; a body that is text is HTML
 * @returns {url, server, queries()}: how many range queries came
 */
export async function startSteadyBox(boxUrl, answers) {
  const box = new URL(boxUrl);
  let queries = 0;
  const server = createServer((incoming, answer) => {
    const url = new URL(incoming.url, box);
    const json = (body) => {
      answer.writeHead(200, { 'Content-Type': 'application/json' });
      answer.end(JSON.stringify(body));
    };
    if (url.pathname === '/api/v1/query_range') {
      ++queries;
      json({ status: 'success', data: { resultType: 'matrix', result: madeUpSeries(url.searchParams) } });
    } else if (Object.hasOwn(answers, url.pathname)) {
      const body = answers[url.pathname];
      if (typeof body !== 'string') return json(body);
      answer.writeHead(200, { 'Content-Type': 'text/html' });
      answer.end(body);
    } else {
      const asked = request(url, { method: incoming.method, headers: { ...incoming.headers, host: box.host } }, (response) => {
        answer.writeHead(response.statusCode, response.headers);
        response.pipe(answer);
      });
      asked.on('error', () => answer.writeHead(502).end());
      incoming.pipe(asked);
    }
    return undefined;
  });
  await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
  return { url: `http://127.0.0.1:${server.address().port}`, server, queries: () => queries };
}
