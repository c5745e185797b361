// LLMConfig(…) as Ray's documentation writes it, read without Python.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { llmConfigsOfPython } from '../../../webui/js/config/python_literal.js';

const read = (inner) => llmConfigsOfPython(`LLMConfig(${inner})`)?.[0] ?? null;

test('python: a program with a configuration in it', () => {
  const program = `from ray import serve
from ray.serve.llm import LLMConfig, build_openai_app

llm_config = LLMConfig(
    model_loading_config=dict(
        model_id="qwen-0.5b",
        model_source="Qwen/Qwen2.5-0.5B-Instruct",
    ),
    deployment_config=dict(autoscaling_config=dict(min_replicas=1, max_replicas=2)),
    accelerator_type="A10G",  # what it runs on
    engine_kwargs={"tensor_parallel_size": 1, 'gpu_memory_utilization': 0.9},
    log_engine_metrics=False,
)
app = build_openai_app({"llm_configs": [llm_config]})
serve.run(app, blocking=True)
`;
  assert.deepEqual(llmConfigsOfPython(program), [{
    model_loading_config: { model_id: 'qwen-0.5b', model_source: 'Qwen/Qwen2.5-0.5B-Instruct' },
    deployment_config: { autoscaling_config: { min_replicas: 1, max_replicas: 2 } },
    accelerator_type: 'A10G', engine_kwargs: { tensor_parallel_size: 1, gpu_memory_utilization: 0.9 }, log_engine_metrics: false,
  }]);
  assert.equal(llmConfigsOfPython(`${program}other = LLMConfig(model_loading_config={"model_id": "b"})`).length, 2);
});

test('python: its literals', () => {
  assert.deepEqual(read('a=1_000, b=-2.5e3, c=.5, j=1., d=None, e=True, f="x" \'y\', g=r"\\d", h="a\\"\\n", i="""one\n"two" """'),
    { a: 1000, b: -2500, c: 0.5, j: 1, e: true, f: 'xy', g: '\\d', h: 'a"\n', i: 'one\n"two" ' });
  assert.deepEqual(read('a=[1, [2,], ()], b={}, c=dict(), d=ModelLoadingConfig(model_id="m"), e=ray.serve.X({"k": 1}),'),
    { a: [1, [2], []], b: {}, c: {}, d: { model_id: 'm' }, e: { k: 1 } });
});

test('python: what only a running program knows is not taken', () => {
  for (const inner of ['a=x', 'a=os.environ["B"]', 'a=f"{x}"', 'a=1 + 2', '**config', 'a=[i for i in y]', 'a=f(1, 2)', 'a=b"x"', 'a=1', 'a="x', 'a=lambda: 1']) {
    assert.equal(llmConfigsOfPython(inner === 'a=1' ? 'LLMConfig(a=1' : `LLMConfig(${inner})`), null, inner);
  }
  for (const text of ['', 'LLMConfig', 'applications: []', 'LLMConfigs(a=1)', '# LLMConfig (', 'LLMConfig('.repeat(1e5), `LLMConfig(a=${'['.repeat(1e5)}`]) assert.equal(llmConfigsOfPython(text), null, text.slice(0, 40));
});
