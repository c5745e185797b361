// What tests of the library share: its API, and a wait for the end of a job.

import { eventually } from './appliance.mjs';

export const kEnds = ['done', 'failed', 'cancelled'];

export class LibraryClient {
  constructor(appliance) {
    this.url = appliance.url;
  }

  async ask(method, path, body) {
    const response = await fetch(`${this.url}/api/library${path}`, { method, body: body === undefined ? undefined : JSON.stringify(body) });
    return { status: response.status, ...(await response.json()) };
  }

  view() {
    return this.ask('GET', '');
  }

  async model(id) {
    return (await this.view()).models.find((model) => model.id === id);
  }

  pull(model, revision = 'main') {
    return this.ask('POST', '/pulls', { model, revision });
  }

  job(id) {
    return this.ask('GET', `/jobs/${id}`);
  }

  // The job once it is in one of `states`.
  until(id, states, timeoutMs = 30000) {
    return eventually(`the job ${states}`, async () => {
      const job = await this.job(id);
      if (!states.includes(job.state)) throw new Error(`it is ${job.state}: ${job.error}`);
      return job;
    }, timeoutMs);
  }

  async pulled(model, revision) {
    const begun = await this.pull(model, revision);
    if (!begun.job) throw new Error(`${begun.status}: ${JSON.stringify(begun.error)}`);
    return this.until(begun.job.id, kEnds);
  }

  remove(id) {
    return this.ask('DELETE', `/models/${encodeURIComponent(id)}`);
  }
}
