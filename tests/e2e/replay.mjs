// What a Prometheus holds, as history_server --replay reads it.

import { once } from 'node:events';
import { get } from './prometheus.mjs';

// Writes all samples of `url` in the `reach` (a duration) before endMs, without the last line "serve".
// Returns their times in milliseconds, ascending. Samples of one scrape have one time.
export async function replay(url, { reach, endMs }, stream) {
  const { result } = await get(`${url}/api/v1/query`,
    { query: `{__name__=~".+"}[${reach}]`, time: endMs / 1000 });
  const metadata = await get(`${url}/api/v1/metadata`, {});
  const frames = new Map();
  for (const [index, { metric, values }] of result.entries()) {
    const name = metric.__name__;
    const isCounter = metadata[name]?.[0].type !== 'gauge' && /_(total|bucket|sum|count)$/.test(name);
    stream.write(`series ${isCounter ? 'counter' : 'gauge'} ${JSON.stringify(metric)}\n`);
    for (const [time, value] of values) {
      const timeMs = Math.round(time * 1000);
      if (!frames.has(timeMs)) frames.set(timeMs, Array(result.length).fill('-'));
      frames.get(timeMs)[index] = value;
    }
  }
  const times = [...frames.keys()].sort((a, b) => a - b);
  for (const time of times) {
    if (!stream.write(`frame ${time} ${frames.get(time).join(' ')}\n`)) await once(stream, 'drain');
  }
  return times;
}
