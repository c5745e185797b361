// A look-alike of Hugging Face's hub on loopback, for tests: revisions, the tree of files with pages, files
// with ranges, and the ways in which a hub and the way to it fail.

import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';

const kLfsBytes = 100_000;  // as the hub: large files are LFS and known by their SHA-256
const kCommit = '0123456789abcdef0123456789abcdef01234567';

export const sha256 = (data) => createHash('sha256').update(data).digest('hex');
const digests = new WeakMap();  // of a file, not anew for each request
const remembered = (data, digest) => {
  if (!digests.has(data)) digests.set(data, digest(data));
  return digests.get(data);
};
const gitOid = (data) => createHash('sha1').update(`blob ${data.length}\0`).update(data).digest('hex');

// {path: Buffer} of a directory.
export function filesOf(directory) {
  return Object.fromEntries(readdirSync(directory).sort().map((name) => [name, readFileSync(join(directory, name))]));
}

// The response takes more, or never will.
function writable(response) {
  return new Promise((done) => {
    const end = () => {
      response.off('drain', end).off('close', end);
      done();
    };
    response.on('drain', end).on('close', end);
  });
}

export class Hub {
  // options: {token}: what a client must show, if anything.
  static async start(options = {}) {
    const hub = new Hub();
    hub.token = options.token ?? '';
    hub.models = new Map();
    hub.requests = [];     // {method, url, authorization, range}
    hub.bytesSent = 0;     // of files
    hub.faults = {};       // see below
    hub.sockets = new Set();
    hub.server = createServer((request, response) => hub.answer(request, response));
    hub.server.on('connection', (socket) => {
      hub.sockets.add(socket);
      socket.on('close', () => hub.sockets.delete(socket));
    });
    hub.server.listen(0, '127.0.0.1');
    await once(hub.server, 'listening');
    hub.url = `http://127.0.0.1:${hub.server.address().port}`;
    return hub;
  }

  // files: {path: Buffer}. options: {commit, oids: {path: hex} instead of the true ones}.
  add(id, files, options = {}) {
    this.models.set(id, { commit: options.commit ?? kCommit, files, oids: options.oids ?? {} });
  }

  // What goes wrong, until clear(): {
  //   cut: {left, bytes}          so many answers of files end after so many bytes, without a word
  //   status: {left, code, retryAfter, errorCode, where}   answers with that code; where: part of the URL
  //   redirect: url               of every file
  //   bytesPerS                   the pace of files
  //   page                        files on a page of the tree
  // }
  fail(faults) {
    Object.assign(this.faults, faults);
  }

  clear() {
    this.faults = {};
    this.requests = [];
    this.bytesSent = 0;
  }

  async stop() {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  answer(request, response) {
    const url = new URL(request.url, this.url);
    this.requests.push({ method: request.method, url: request.url, authorization: request.headers.authorization, range: request.headers.range });
    const { status } = this.faults;
    if (status && status.left > 0 && request.url.includes(status.where ?? '')) {
      status.left -= 1;
      const headers = {};
      if (status.retryAfter !== undefined) headers['Retry-After'] = `${status.retryAfter}`;
      if (status.errorCode) headers['X-Error-Code'] = status.errorCode;
      response.writeHead(status.code, headers);
      return response.end('{"error":"as told"}');
    }
    if (this.token && request.headers.authorization !== `Bearer ${this.token}`) {
      response.writeHead(401, { 'X-Error-Code': 'RepoNotFound' });
      return response.end('{"error":"Repository not found"}');
    }
    const about = url.pathname.match(/^\/api\/models\/(.+?)\/(revision|tree)\/([^/]+)$/);
    if (about) return this.answerApi(about[1], about[2], decodeURIComponent(about[3]), url, response);
    const file = url.pathname.match(/^\/(.+?)\/resolve\/([^/]+)\/(.+)$/);
    if (file) return this.answerFile(file[1], file[2], file[3], request, response);
    response.writeHead(404);
    return response.end();
  }

  find(id, revision, response) {
    const model = this.models.get(id);
    if (model && (revision === 'main' || revision === model.commit)) return model;
    response.writeHead(404, { 'X-Error-Code': model ? 'RevisionNotFound' : 'RepoNotFound' });
    response.end('{"error":"not found"}');
    return undefined;
  }

  answerApi(id, what, revision, url, response) {
    const model = this.find(id, revision, response);
    if (!model) return undefined;
    const paths = Object.keys(model.files);
    if (what === 'revision') {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      return response.end(JSON.stringify({ id, sha: model.commit, siblings: paths.map((rfilename) => ({ rfilename })) }));
    }
    const page = this.faults.page ?? 1000;
    const from = Number(url.searchParams.get('cursor') ?? 0);
    const headers = { 'Content-Type': 'application/json' };
    if (from + page < paths.length) headers.Link = `<${this.url}${url.pathname}?recursive=true&cursor=${from + page}>; rel="next"`;
    response.writeHead(200, headers);
    return response.end(JSON.stringify(paths.slice(from, from + page).map((path) => this.entryOf(model, path))));
  }

  entryOf(model, path) {
    const data = model.files[path];
    if (data.length < kLfsBytes) return { type: 'file', path, size: data.length, oid: model.oids[path] ?? remembered(data, gitOid) };
    const oid = model.oids[path] ?? remembered(data, sha256);
    return { type: 'file', path, size: data.length, oid: gitOid(Buffer.from(oid)), lfs: { oid, size: data.length, pointerSize: 134 } };
  }

  answerFile(id, commit, path, request, response) {
    const model = this.find(id, commit, response);
    const data = model?.files[path];
    if (!model) return undefined;
    if (!data) {
      response.writeHead(404, { 'X-Error-Code': 'EntryNotFound' });
      return response.end();
    }
    const entry = this.entryOf(model, path);
    const headers = { 'X-Repo-Commit': model.commit, 'X-Linked-Etag': `"${entry.lfs?.oid ?? entry.oid}"`, 'Accept-Ranges': 'bytes' };
    if (this.faults.redirect) {
      response.writeHead(302, { ...headers, Location: this.faults.redirect });
      return response.end();
    }
    const range = request.headers.range?.match(/^bytes=(\d+)-(\d+)$/);
    const begin = range ? Number(range[1]) : 0;
    const end = range ? Math.min(Number(range[2]) + 1, data.length) : data.length;
    if (begin >= data.length && range) {
      response.writeHead(416, { 'Content-Range': `bytes */${data.length}` });
      return response.end();
    }
    if (range) headers['Content-Range'] = `bytes ${begin}-${end - 1}/${data.length}`;
    response.writeHead(range ? 206 : 200, { ...headers, ETag: headers['X-Linked-Etag'], 'Content-Length': end - begin });
    return this.send(data.subarray(begin, end), response);
  }

  // At the pace of the faults, and not to the end where they say so.
  async send(data, response) {
    const { cut, bytesPerS } = this.faults;
    const isCut = cut && cut.left > 0 && data.length > cut.bytes;
    if (isCut) cut.left -= 1;
    const wanted = isCut ? data.subarray(0, cut.bytes) : data;
    const step = bytesPerS ? Math.max(1024, Math.floor(bytesPerS / 50)) : wanted.length;
    for (let at = 0; at < wanted.length && !response.destroyed; at += step) {
      const piece = wanted.subarray(at, at + step);
      this.bytesSent += piece.length;
      if (!response.write(piece)) await writable(response);
      if (bytesPerS) await new Promise((done) => setTimeout(done, 20));
    }
    if (isCut) return setTimeout(() => response.destroy(), 20);  // what was written shall still leave
    return response.end();
  }
}
