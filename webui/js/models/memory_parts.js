// Who holds how much of the box's memory: the parts of the bar on top of the page.

import { msg } from '../shell/i18n.js';

/** [field of a replica's memory, its word] */
export const kKinds = [['weights', msg('weights')], ['kv_cache', msg('KV cache')], ['workspace', msg('workspace')]];

const sum = (list) => list.reduce((total, value) => total + value, 0);

/** Of all replicas of a model. @returns {weights, kv_cache, workspace, total} bytes; unknown counts as none */
export function modelMemory({ replicas }) {
  const of = (kind) => sum(replicas.map(({ memory }) => memory[kind] ?? 0));
  const parts = Object.fromEntries(kKinds.map(([kind]) => [kind, of(kind)]));
  return { ...parts, total: sum(Object.values(parts)) };
}

/**
 * The parts in the order of the bar: each model's, what others of the box hold, what is free. The bar is as
 * long as the memory.
 * @returns {parts: [{model, tint, kind, bytes, share}], limit: {bytes, share} | null, totalBytes, modelsBytes, freeBytes}
 *   kind: as in kKinds, 'other' or 'free'; share of 1
 */
export function memoryParts(models, { total_bytes: total, free_bytes: free, limit_bytes: limit, models_bytes: held }) {
  const ofModels = models.flatMap((model, index) => {
    const memory = modelMemory(model);
    return kKinds.map(([kind]) => ({ model: model.model_name, tint: index % 3, kind, bytes: memory[kind] }));
  }).filter(({ bytes }) => bytes > 0);
  const shown = sum(ofModels.map(({ bytes }) => bytes));
  const length = Math.max(total ?? 0, shown, limit);
  const freeBytes = Math.min(free ?? 0, Math.max(0, length - shown));
  const rest = [{ kind: 'other', bytes: Math.max(0, length - shown - freeBytes) }, { kind: 'free', bytes: freeBytes }];
  const all = [...ofModels, ...(total === null ? [] : rest.map((part) => ({ model: '', tint: 'none', ...part })))];
  return {
    parts: all.filter(({ bytes }) => bytes > 0).map((part) => ({ ...part, share: part.bytes / length })),
    limit: limit > 0 && limit < length ? { bytes: limit, share: limit / length } : null,
    totalBytes: length, modelsBytes: Math.max(shown, held ?? 0), freeBytes,
  };
}
