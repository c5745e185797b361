// Models made from the demo model: two that look right and are not, and one that answers otherwise.

import { cp, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kDemoModel } from './appliance.mjs';

const kHeaderAt = 8;  // after its length, of which the upper half is zero

async function readHeader(path) {
  const file = await open(path);
  try {
    const length = Number((await file.read(Buffer.alloc(kHeaderAt), 0, kHeaderAt, 0)).buffer.readBigUInt64LE());
    const text = (await file.read(Buffer.alloc(length), 0, length, kHeaderAt)).buffer.toString();
    return { tensors: JSON.parse(text), dataAt: kHeaderAt + length };
  } finally {
    await file.close();
  }
}

// A copy whose last norm, of bfloat16, little endian, `change` has rewritten in place.
async function modelWithNorm(directory, change) {
  await cp(kDemoModel, directory, { recursive: true });
  const path = join(directory, 'model.safetensors');
  const { tensors, dataAt } = await readHeader(path);
  const [begin, end] = tensors['model.norm.weight'].data_offsets;
  const file = await open(path, 'r+');
  const weights = Buffer.alloc(end - begin);
  await file.read(weights, 0, weights.length, dataAt + begin);
  change(weights);
  await file.write(weights, 0, weights.length, dataAt + begin);
  await file.close();
}

/** A copy that loads and cannot answer: the last norm is not a number. */
export const modelOfNaN = (directory) => modelWithNorm(directory, (weights) => weights.fill(Buffer.from([0xc0, 0x7f])));

/** A sound copy that says something else: the last norm has the other sign, so what was likely is unlikely. */
export const contraryModel = (directory) => modelWithNorm(directory, (weights) => {
  for (let high = 1; high < weights.length; high += 2) weights[high] ^= 0x80;
});

/** A model of zeros with so wide an MLP that it takes a moment to load; its file is sparse. */
export async function wideModel(directory, intermediateSize) {
  await cp(kDemoModel, directory, { recursive: true });
  const config = JSON.parse(await readFile(join(directory, 'config.json'), 'utf8'));
  const { tensors } = await readHeader(join(kDemoModel, 'model.safetensors'));
  const header = {};
  let at = 0;
  for (const [name, tensor] of Object.entries(tensors)) {
    if (name === '__metadata__') continue;
    const shape = tensor.shape.map((size) => (size === config.intermediate_size ? intermediateSize : size));
    const bytes = shape.reduce((product, size) => product * size, 2);
    header[name] = { dtype: tensor.dtype, shape, data_offsets: [at, at += bytes] };
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(kHeaderAt);
  length.writeBigUInt64LE(BigInt(text.length));
  await writeFile(join(directory, 'config.json'), JSON.stringify({ ...config, intermediate_size: intermediateSize }));
  const file = await open(join(directory, 'model.safetensors'), 'w');
  await file.write(Buffer.concat([length, text]));
  await file.truncate(kHeaderAt + text.length + at);
  await file.close();
}
