// The configuration page over a real box: what Ray's documentation shows is pasted and applied; a bad
// value is named where it stands; two browsers do not overwrite each other; an old revision comes back.

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { violations } from '../web/accessibility.mjs';
import { launchBrowser, openPage } from '../web/browser.mjs';
import { pagesOf } from '../web/page_sources.mjs';
import { Appliance, eventually, kDemoModel } from './appliance.mjs';

const kPatienceMs = 60000;

// The application file and the LLMConfig of Ray's documentation. The file is indented as it is printed
// there: YAML does not take it so. The model they name lies in the box's models directory.
const kSource = 'Qwen/Qwen2.5-0.5B-Instruct';
const kPrintedYaml = `# config.yaml
applications:
- args:
    llm_configs:
        - model_loading_config:
            model_id: qwen-0.5b
            model_source: ${kSource}
        accelerator_type: A10G
        deployment_config:
            autoscaling_config:
                min_replicas: 1
                max_replicas: 2
        log_engine_metrics: false  # Disable engine metrics
  import_path: ray.serve.llm:build_openai_app
  name: llm_app
  route_prefix: "/"
`;
// As a program, it says the same as kPrintedYaml.
const kProgram = `from ray import serve
from ray.serve.llm import LLMConfig, build_openai_app

llm_config = LLMConfig(
    model_loading_config=dict(model_id="qwen-0.5b", model_source="${kSource}"),
    deployment_config=dict(autoscaling_config=dict(min_replicas=1, max_replicas=2)),
    accelerator_type="A10G",  # Pass the desired accelerator type
    log_engine_metrics=False,
)
serve.run(build_openai_app({"llm_configs": [llm_config]}), blocking=True)
`;
const kConfigJson = JSON.stringify({
  model_loading_config: { model_id: 'qwen-json', model_source: kSource },
  deployment_config: { autoscaling_config: { min_replicas: 1, max_replicas: 2 } }, accelerator_type: 'A10G', log_engine_metrics: false,
}, null, 2);

const seen = (page, what, selector, pattern) => eventually(what,
  async () => pattern.test((await page.locator(selector).allInnerTexts()).join('\n')), kPatienceMs);
const field = (page, path) => page.locator(`.config-field[data-path$="${path}"]`);
const modelNames = async (appliance) => (await (await fetch(`${appliance.url}/v1/models`)).json()).data.map(({ id }) => id);

async function openConfig(page, origin) {
  await page.goto(`${origin}/config`);
  await seen(page, 'what the box says', '.config-verdict', /Valid/);
}

async function paste(page, text) {
  await page.click('#config-paste-open');
  await page.fill('#config-paste', text);
  await page.click('dialog[open] [data-choice="go"]');
  if (text !== kConfigJson) {
    await seen(page, 'what is wrong with it', '.config-problems', /line \d+/);
    await page.click('#config-repair');
  }
  await seen(page, 'the check', '.config-verdict', /Valid/);
}

async function applyAndKeep(page, note, look = () => {}) {
  await page.click('#config-apply-open:not([disabled])');
  await page.waitForSelector('dialog[open] .fit');
  await look();
  await page.fill('#config-note', note);
  await page.click('dialog[open] [data-choice="go"]');
  await page.locator('#apply-confirm').click({ timeout: kPatienceMs });
  await seen(page, 'the end', '#config-apply', /is active/);
}

async function pastesRaysExamples({ page, origin, appliance }) {
  await openConfig(page, origin);
  await paste(page, kPrintedYaml);
  const capped = await page.locator('.config-capped').innerText();
  assert.match(capped, /accelerator_type[^]*configured A10G · effective cpu/);
  await seen(page, 'the same beside the field', '.config-field[data-path$="accelerator_type"]', /configured A10G · effective cpu/);
  assert.deepEqual(await violations(page), [], 'the form');
  await applyAndKeep(page, 'as in the documentation', async () => assert.deepEqual(await violations(page), [], 'what is asked before'));
  assert.match(await page.locator('.apply-probe blockquote').innerText(), /\S/, 'what the new engine answered');
  assert.deepEqual(await violations(page), [], 'an apply');
  assert.deepEqual(await modelNames(appliance), ['qwen-0.5b']);
  await appliance.ask('What is TTFT?', { model: 'qwen-0.5b', max_tokens: 8 });
  await paste(page, kProgram);
  await seen(page, 'the same configuration', '#config-check', /Nothing that is served changes/);
  await page.click('#config-view-text');
  assert.match(await page.inputValue('#config-text'), /^llm_configs:\n {2}- model_loading_config:\n {6}model_id: qwen-0.5b\n/);
  await page.click('#config-view-form');
  await paste(page, kConfigJson);
  await applyAndKeep(page, 'as JSON');
  assert.deepEqual(await modelNames(appliance), ['qwen-json']);
  assert.equal((await appliance.config()).revision.document, kConfigJson, 'the text is kept as it was written');
}

async function namesABadValueInPlace({ page, origin, appliance }) {
  await openConfig(page, origin);
  await paste(page, kPrintedYaml);
  await applyAndKeep(page, 'YAML again');
  const before = (await appliance.config()).active;
  const sequences = field(page, 'engine_kwargs.max_num_seqs');
  await sequences.locator('input').fill('many');
  await seen(page, 'the error at the field', '.config-field[data-path$="engine_kwargs.max_num_seqs"]', /many/);
  assert.equal(await sequences.locator('input').getAttribute('aria-invalid'), 'true');
  assert.equal(await page.locator('#config-apply-open').isDisabled(), true);
  assert.deepEqual(await violations(page), [], 'errors in the form');
  await page.click('.config-problems .error button');
  assert.equal(await page.evaluate(() => document.activeElement.value), 'many', 'the list leads to the field');
  await page.click('#config-view-text');
  assert.match(await page.inputValue('#config-text'), /# Disable engine metrics/, 'comments stay');
  const mark = page.locator('.config-number.error');
  const line = (await page.inputValue('#config-text')).split('\n').findIndex((text) => /max_num_seqs: many/.test(text)) + 1;
  assert.equal(await mark.innerText(), String(line), 'the line has a mark');
  assert.deepEqual(await violations(page), [], 'errors in the text');
  await page.fill('#config-text', (await page.inputValue('#config-text')).replace('many', '8'));
  await seen(page, 'a valid text', '.config-verdict', /Valid/);
  await seen(page, 'the changes', '.config-lower .diff .added', /max_num_seqs: 8/);
  await page.click('#config-view-form');
  assert.equal(await sequences.locator('input').inputValue(), '8', 'both views are of one text');
  assert.match(await page.locator('.fit-verdict').innerText(), /It fits/);
  await applyAndKeep(page, 'eight sequences');
  const now = await appliance.config();
  assert.ok(now.active > before);
  assert.match(now.revision.document, /max_num_seqs: 8/);
  await appliance.ask('What is TTFT?', { model: 'qwen-0.5b', max_tokens: 8 });
}

/** A second browser saves first: the first is asked, and nothing is overwritten without its word. */
async function asksTheSecond({ browser, page, origin, appliance, problems }) {
  await openConfig(page, origin);
  const other = await openPage(browser, origin, problems);
  await openConfig(other, origin);
  await field(page, 'engine_kwargs.max_num_seqs').locator('input').fill('12');
  await field(other, 'engine_kwargs.max_num_seqs').locator('input').fill('9');
  await other.click('#config-save:not([disabled])');
  await other.fill('#config-note', 'by the other');
  await other.click('dialog[open] [data-choice="go"]');
  await eventually('their revision', async () => (await appliance.config()).revision.note === 'by the other');
  const theirs = (await appliance.config()).newest;
  await other.close();
  await page.click('#config-save:not([disabled])');
  await page.click('dialog[open] [data-choice="go"]');
  await page.waitForSelector('dialog[open] [data-choice="mine"]');
  const said = await page.locator('dialog[open]').innerText();
  assert.match(said, /max_num_seqs: 9[^]*max_num_seqs: 12/, 'both texts side by side');
  assert.match(said, /by the other/);
  assert.deepEqual(await violations(page), [], 'the conflict');
  await page.click('dialog[open] [data-choice="mine"]');
  await eventually('mine on top of theirs', async () => (await appliance.config()).newest === theirs + 1);
  assert.match((await appliance.config()).revision.document, /max_num_seqs: 12/);
  const refused = problems.filter((text) => /409/.test(text));
  assert.equal(refused.length, 1, 'the refused save');
  problems.splice(problems.indexOf(refused[0]), 1);
}

async function restoresAnOldRevision({ page, appliance }) {
  await page.click('#config-tab-revisions');
  const row = page.locator('.config-revisions tr', { hasText: 'as JSON' });
  await row.waitFor();
  assert.deepEqual(await violations(page), [], 'revisions');
  await row.getByRole('button', { name: 'Restore' }).click();
  await page.click('dialog[open] [data-choice="go"]');
  await page.locator('#apply-confirm').click({ timeout: kPatienceMs });
  await seen(page, 'the end', '#config-apply', /is active/);
  assert.deepEqual(await modelNames(appliance), ['qwen-json']);
  assert.equal((await appliance.config()).revision.document, kConfigJson);
  await page.click('#config-tab-audit');
  await seen(page, 'the trail', '.config-lower', /restore/);
  const rows = await page.locator('.config-audit tbody tr').count();
  await page.check('.config-audit input');
  assert.ok(await page.locator('.config-audit tbody tr').count() > rows, 'each step, where somebody wants it');
  assert.deepEqual(await violations(page), [], 'the trail');
}

async function goesBackWhenAsked({ page, appliance }) {
  const { active } = await appliance.config();
  await field(page, 'engine_kwargs.max_num_seqs').locator('input').fill('3');
  await page.click('#config-apply-open:not([disabled])');
  await page.click('dialog[open] [data-choice="go"]');
  await page.waitForSelector('#apply-confirm', { timeout: kPatienceMs });
  await page.click('#apply-cancel');
  await seen(page, 'the return', '#config-apply', /was taken back[^]*cancelled/);
  assert.equal((await appliance.config()).active, active);
  assert.deepEqual(await modelNames(appliance), ['qwen-json']);
}

async function isOnTheDashboard({ page, origin }) {
  await page.goto(`${origin}/?from=now-15m&to=now&refresh=off`);
  await page.waitForSelector('.panel[data-state="ready"] .event-mark', { state: 'attached' });
  const marks = page.locator('.event-handle');
  const said = (await marks.evaluateAll((nodes) => nodes.map(({ title }) => title))).join('\n');
  assert.match(said, /revision \d+/, 'the marks say which revision');
  const nowS = Date.now() / 1000;
  const { events } = await (await fetch(`${origin}/api/events?start=${nowS - 900}&end=${nowS}`)).json();
  const kinds = events.map(({ kind }) => kind);
  assert.ok(kinds.filter((kind) => kind === 'config_applied').length >= 4, String(kinds));
  assert.ok(kinds.includes('config_returned'), String(kinds));
}

test('Configuration page: paste, repair, apply, meet another browser, go back', { timeout: 600000 }, async (t) => {
  const state = await mkdtemp(join(tmpdir(), 'hearth-e2e-'));
  t.after(() => rm(state, { recursive: true, force: true }));
  await mkdir(join(state, 'models', 'Qwen'), { recursive: true });
  await symlink(kDemoModel, join(state, 'models', kSource));
  const appliance = await Appliance.start({ state });
  t.after(() => appliance.stop());
  const origin = await pagesOf(appliance, t);
  const browser = await launchBrowser();
  t.after(() => browser.close());
  const problems = [];
  const page = await openPage(browser, origin, problems);
  page.on('dialog', (dialog) => dialog.accept());  // leaving a page with unsaved changes
  const here = { appliance, origin, browser, page, problems };
  await t.test('what the documentation shows is pasted and applied', () => pastesRaysExamples(here));
  await t.test('a bad value is named in place, repaired and applied', () => namesABadValueInPlace(here));
  await t.test('a second browser meets a conflict', () => asksTheSecond(here));
  await t.test('an old revision is restored', () => restoresAnOldRevision(here));
  await t.test('a watched revision goes back when asked', () => goesBackWhenAsked(here));
  await t.test('what happened is on the dashboard', () => isOnTheDashboard(here));
  assert.deepEqual(problems, []);
});
