// Configurations of a test, applied over the API of a real box.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { events, eventually, kDemoModel, sleep } from './appliance.mjs';

export const kPatienceMs = 60000;

/** One LLMConfig; `fields` are merged into it. */
export function llmConfig(name, fields = {}) {
  return { model_loading_config: { model_id: name, model_source: fields.source ?? kDemoModel },
    engine_kwargs: fields.engine_kwargs ?? {},
    ...(fields.deployment_config ? { deployment_config: fields.deployment_config } : {}),
    ...(fields.rest ?? {}) };
}

export const documentOf = (...llmConfigs) => JSON.stringify({ llm_configs: llmConfigs });

async function answerOf(response, status) {
  const text = await response.text();
  assert.equal(response.status, status, text);
  return JSON.parse(text);
}

/** Saves a document on top of the newest revision and begins to apply it: {apply, revision}. */
export async function beginApply(box, document, note = '') {
  const { newest } = await box.config();
  return answerOf(await box.post('/api/config/apply', { document, note, expected: newest }), 202);
}

export async function applyOf(box, id) {
  return answerOf(await fetch(`${box.url}/api/config/applies/${id}`), 200);
}

/** The apply once `is(apply)`; it is not waited for beyond its end. */
export async function applyWhen(box, id, is, patienceMs = kPatienceMs) {
  const apply = await eventually(`apply ${id} to get there`, async () => {
    const seen = await applyOf(box, id);
    return (is(seen) || seen.ended_ms) && seen;
  }, patienceMs);
  assert.ok(is(apply), JSON.stringify(apply));
  return apply;
}

export const applyEnded = (box, id, patienceMs) => applyWhen(box, id, (apply) => apply.ended_ms > 0, patienceMs);

/** Applies, keeps it as soon as it is watched, and returns the apply that ended. */
export async function applyAndKeep(box, document, note) {
  const { apply } = await beginApply(box, document, note);
  const seen = await applyWhen(box, apply, ({ state, ended_ms }) => state === 'watching' || ended_ms > 0);
  if (!seen.ended_ms) await answerOf(await box.post('/api/config/apply/confirm', {}), 202);
  return applyEnded(box, apply);
}

export async function auditOf(box) {
  const entries = [];
  for (let before = ''; ;) {
    const page = await answerOf(await fetch(`${box.url}/api/config/audit?limit=1000${before}`), 200);
    entries.push(...page.entries);
    if (page.entries.length < 1000) return entries.reverse();
    before = `&before=${page.entries.at(-1).id}`;
  }
}

export async function eventsOf(box, kind) {
  const { events } = await answerOf(await fetch(`${box.url}/api/events`), 200);
  return events.filter((event) => event.kind === kind);
}

/** The ids of the processes that any thread of `pid` has started and that run `program`. */
export function childrenOf(pid, program = 'hearth-engine') {
  const read = (path) => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return '';  // it has ended meanwhile
    }
  };
  const threads = existsSync(`/proc/${pid}/task`) ? readdirSync(`/proc/${pid}/task`) : [];
  const ids = threads.flatMap((thread) => read(`/proc/${pid}/task/${thread}/children`).split(' '));
  return ids.filter(Boolean).map(Number).filter((id) => read(`/proc/${id}/cmdline`).includes(program));
}

/**
 * Clients that ask without a pause until stop(): [{status, text, last, finish_reason, error, beganMs,
 * endedMs, waitedMs}], one per request; waitedMs is the time to the first event of the answer.
 */
export function askOnAndOn(box, { streams, fields = {}, model }) {
  const answers = [];
  let asking = true;
  const client = async () => {
    while (asking) {
      const answer = { beganMs: Date.now() };
      try {
        const response = await box.chat('What is TTFT?', { stream: true, max_tokens: 32, model, ...fields });
        answer.status = response.status;
        answer.text = '';
        for await (const event of events(response)) {
          answer.waitedMs ??= Date.now() - answer.beganMs;
          answer.last = event;
          answer.text += event.choices?.[0]?.delta?.content ?? '';
          answer.finish_reason = event.choices?.[0]?.finish_reason ?? answer.finish_reason;
        }
      } catch (error) {
        answer.error = error.message;
      }
      answer.endedMs = Date.now();
      answers.push(answer);
      if (answer.status !== 200) await sleep(20);
    }
  };
  const clients = Array.from({ length: streams }, client);
  return { answers, stop: async () => { asking = false; await Promise.all(clients); return answers; } };
}

/** What of them did not end as a request that was served does. */
export const lost = (answers) => answers.filter(({ status, last, finish_reason: reason }) =>
  status !== 200 || last !== '[DONE]' || (reason !== 'stop' && reason !== 'length'));
