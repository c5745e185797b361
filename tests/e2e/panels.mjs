// The queries of the dashboards that vLLM and Ray ship, with their variables filled as a user would.

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { kSourceRoot } from './appliance.mjs';

const kPanels = join(kSourceRoot, '../shared/reference/panels');
const kOwnDashboards = join(kSourceRoot, 'webui/dashboards');

export const kPanelsAreHere = existsSync(join(kPanels, 'ray_panels.json'));

// What one box cannot have. A query that asks for nothing else may be empty.
export const kCannotHave = [
  [/ray_vllm_nixl_/, 'NIXL moves KV blocks between machines'],
  [/ray_vllm_kv_offload_|ray_vllm_external_prefix_cache_/, 'KV offload: no KV connector'],
  [/grpc/, 'gRPC is not served'],
  [/autoscaler_(active|pending|recently_failed)_nodes/, 'node counts: the box is one node'],
  [/ray_object_store_memory/, 'the object store of a Ray cluster: the box has none'],
];

export const whyEmpty = (query) => kCannotHave.find(([pattern]) => pattern.test(query))?.[1];

function variables(modelName) {
  return {
    model_name: modelName, Deployment_id: modelName, MODEL: modelName, NS: 'ns', SVC: 'svc',
    interval: '1m', __rate_interval: '1m', __interval: '30s', __range: '5m',
  };
}

// What a Kubernetes service monitor would add; the box's own series know nothing of it.
export const withoutKubernetes = (query) =>
  query.replaceAll(/,?(endpoint|namespace|service)="[^"]*",?/g, '');

// Every other variable is "All".
export const fill = (query, modelName) => query.replace(/\$\{?(\w+)\}?/g, (whole, name) =>
  /^\d+$/.test(name) ? whole : (variables(modelName)[name] ?? '.*'));

function* targetsOf(panels, source) {
  for (const panel of panels) {
    for (const { expr } of panel.targets ?? []) yield { source, title: panel.title, expr };
    yield* targetsOf(panel.panels ?? [], source);
  }
}

// {source, title, expr} of every target.
export function allTargets() {
  const read = (name) => JSON.parse(readFileSync(join(kPanels, name)));
  const ray = read('ray_panels.json');
  const lists = ['panels', 'panels_ray_2_51_flat', 'serve_dashboard_panels',
    'serve_deployment_dashboard_panels'];
  return [
    ...lists.flatMap((list) => [...targetsOf(ray[list], `ray ${list}`)]),
    ...read('vllm_panels.json').dashboards.flatMap((dashboard) =>
      [...targetsOf(dashboard.panels, `vllm ${dashboard.title}`)]),
  ];
}

// The same of the dashboards that the box ships.
export function ownTargets() {
  return readdirSync(kOwnDashboards).filter((name) => name.endsWith('.json')).flatMap((name) =>
    [...targetsOf(JSON.parse(readFileSync(join(kOwnDashboards, name))).panels, name)]);
}
