// Client of /api/models and /api/library.

import { t } from '../shell/i18n.js';

/** A box that hangs is said to hang; the page asks again. Changes may take as long as a disk does. */
const kAnswerMs = 15000;

/** @returns the answer; throws the box's own sentence */
async function call(method, path, body) {
  const response = await fetch(path, {
    method, cache: 'no-store', signal: method === 'GET' ? AbortSignal.timeout(kAnswerMs) : undefined,
    headers: { Accept: 'application/json', ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error?.message ?? `HTTP ${response.status}`);
  return answer;
}

const part = encodeURIComponent;
const ofModel = (name, what = '') => `/api/models/${part(name)}${what}`;
const ofLibrary = (id, what = '') => `/api/library/models/${part(id)}${what}`;
const ofJob = (id, what = '') => `/api/library/jobs/${part(id)}${what}`;

/** @returns {models: [...], memory: {total_bytes, free_bytes, limit_bytes, models_bytes}} */
export const listModels = () => call('GET', '/api/models');

export const loadModel = (name) => call('POST', ofModel(name, '/load'));
export const unloadModel = (name) => call('POST', ofModel(name, '/unload'));

/** What the engines of a model wrote to stderr, oldest first. @returns [{time_ms, replica, text}] */
export const engineLog = async (name, lines) => (await call('GET', ofModel(name, `/log?lines=${lines}`))).lines;

/** @returns the id of the apply that puts it into service */
export const serveModel = async (path, name) => (await call('POST', '/api/models', { model: path, model_name: name })).apply;

/** @returns {id, state, ended_ms: 0 while it runs, message} */
export const getApply = (id) => call('GET', `/api/config/applies/${part(id)}`);

/** @returns {models_directory, disk, offline, endpoint, models, jobs, garbage_bytes, problem} */
export const getLibrary = () => call('GET', '/api/library');

export const pullModel = async (model, revision) => (await call('POST', '/api/library/pulls', { model, revision })).job;
export const importModel = async (path, model) => (await call('POST', '/api/library/imports', { path, model })).job;
export const verifyModel = async (id) => (await call('POST', ofLibrary(id, '/verify'))).job;
/** Of what the library has under this id, what lies at `path`. */
export const removeModel = ({ id, path }) => call('DELETE', ofLibrary(id, `?path=${encodeURIComponent(path)}`));
export const pauseJob = (id) => call('POST', ofJob(id, '/pause'));
export const resumeJob = (id) => call('POST', ofJob(id, '/resume'));
export const cancelJob = (id) => call('DELETE', ofJob(id));

/** @returns bytes removed */
export const collectGarbage = async () => (await call('POST', '/api/library/gc')).removed_bytes;

export const finishUpload = async (model) => (await call('POST', `/api/library/uploads/${part(model)}/finish`)).job;

function answerOf(request) {
  try {
    return JSON.parse(request.responseText);
  } catch {
    return {};
  }
}

/**
 * Sends one file. fetch() tells nothing of what has been sent, so this is an XMLHttpRequest.
 * @param onProgress(bytes sent)
 * @param signal ends it; the promise rejects
 */
export function uploadFile(model, file, onProgress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('PUT', `/api/library/uploads/${part(model)}/${part(file.name)}`);
    request.upload.addEventListener('progress', ({ loaded }) => onProgress(loaded));
    request.addEventListener('load', () => {
      if (request.status < 300) resolve();
      else reject(new Error(answerOf(request).error?.message ?? `HTTP ${request.status}`));
    });
    request.addEventListener('error', () => reject(new Error(t('{file}: the connection broke off', { file: file.name }))));
    request.addEventListener('abort', () => reject(signal.reason));
    signal.addEventListener('abort', () => request.abort());
    request.send(file);
  });
}
