// A model of Qwen2.5-0.5B's exact shapes with random weights, served, against the plain numpy forward.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Appliance, kSourceRoot } from './appliance.mjs';

const kPrompts = [
  [785, 3974, 1234],
  [151644, 8948, 198, 2610, 525, 264, 10950],
  [9707, 11, 1879, 0, 358, 1079, 1588, 13, 42, 99999, 150000, 7],
];
const kMaxTokens = 8;
const kNeededBytes = 3e9;

// Not the synchronous kind: it would keep the client from noticing that its idle connection was closed.
async function python(script, ...args) {
  const path = join(kSourceRoot, 'tests/reference', script);
  return (await promisify(execFile)('/usr/bin/python3', [path, ...args])).stdout;
}

test('Qwen2.5-0.5B shapes: served greedy tokens are the reference\'s', { timeout: 900000 }, async (t) => {
  const { bavail, bsize } = await statfs(tmpdir());
  if (bavail * bsize < kNeededBytes) return t.skip(`needs 3 GB free in ${tmpdir()}`);
  const model = await mkdtemp(join(tmpdir(), 'hearth-05b-'));
  t.after(() => rm(model, { recursive: true, force: true }));
  await python('make_random_qwen2.py', model);
  const appliance = await Appliance.start({ model, args: ['--max-model-len', '4096'] });
  t.after(() => appliance.stop());
  const { num_parameters: parameters, load_time_s: loadS } = (await appliance.status()).models[0];
  t.diagnostic(`${parameters} parameters, loaded in ${loadS.toFixed(2)} s`);
  for (const prompt of kPrompts) {
    const expected = JSON.parse(await python('qwen2_reference.py', model,
      '--prompt-ids', prompt.join(','), '--max-tokens', String(kMaxTokens)));
    const response = await fetch(`${appliance.url}/v1/completions`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ prompt, max_tokens: kMaxTokens, temperature: 0, ignore_eos: true,
        return_token_ids: true }),
    });
    const { choices } = await response.json();
    t.diagnostic(`${prompt.length} prompt tokens -> ${choices[0].token_ids}`);
    assert.deepEqual(choices[0].token_ids, expected);
  }
});
