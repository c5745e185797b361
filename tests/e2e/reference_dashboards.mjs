// Full Grafana dashboards made of the panel lists in ../shared/reference/panels, as somebody would have
// them who exported Ray's and vLLM's from a Grafana.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { kSourceRoot } from './appliance.mjs';

const kPanels = join(kSourceRoot, '../shared/reference/panels');
const kColumns = 24;
const kPanelSize = { w: 8, h: 8 };
// Perses's charts and what Grafana calls them.
const kTypes = { TimeSeriesChart: 'timeseries', StatChart: 'stat' };

const read = (name) => JSON.parse(readFileSync(join(kPanels, name), 'utf8'));

// A variable of the list's own shape in Grafana's.
function variableOf({ name, label, type, query = '', options, includeAll, multi, allValue, hide, default: chosen }) {
  const base = { name, type, ...(label && { label }), ...(hide && { hide }) };
  if (type === 'datasource') return { ...base, query: 'prometheus', current: { text: 'Prometheus', value: 'prometheus' } };
  if (type === 'custom') {
    const values = options ?? query.split(/[,\n]/).map((text) => text.split(' : ').pop().trim());
    const value = chosen ?? values[0];
    return { ...base, query: options?.join(',') ?? query.replaceAll('\n', ','), current: { text: value, value } };
  }
  const all = includeAll ? { text: 'All', value: '$__all' } : {};
  return { ...base, query: query.replace('{<global_filters>}', ''), refresh: 2, includeAll: Boolean(includeAll),
    multi: Boolean(multi), ...(allValue && { allValue }), datasource: { type: 'prometheus', uid: '${datasource}' },
    current: includeAll && multi ? { text: ['All'], value: ['$__all'] } : all };
}

const query = (name, text, options = {}) => variableOf({ name, type: 'query', query: text, ...options });

function panelOf(panel, id, gridPos) {
  return {
    id, gridPos,
    type: kTypes[panel.type] ?? panel.type,
    title: panel.title,
    description: panel.description ?? '',
    datasource: { type: 'prometheus', uid: '${datasource}' },
    fieldConfig: { defaults: panel.unit ? { unit: panel.unit } : {}, overrides: [] },
    options: {},
    targets: panel.targets.map(({ expr, legend, format }, index) => ({
      refId: String.fromCharCode(65 + index), expr, legendFormat: legend ?? '', ...(format && { format }),
    })),
  };
}

// Rows where the list names them, panels where it says, the others side by side.
function laidOut(list) {
  const panels = [];
  let [x, y, row] = [0, 0, null];
  for (const panel of list) {
    const id = panels.length + 1;
    if (panel.row && panel.row !== row && !panel.row.startsWith('(')) {
      if (x > 0) y += kPanelSize.h;
      panels.push({ id, type: 'row', title: panel.row, collapsed: false, gridPos: { x: 0, y, w: kColumns, h: 1 }, panels: [] });
      [x, y] = [0, y + 1];
    }
    row = panel.row;
    const { w, h } = panel.grid ? { w: panel.grid[2], h: panel.grid[3] } : { ...kPanelSize, ...panel.gridPos };
    if (x + w > kColumns) [x, y] = [0, y + kPanelSize.h];
    panels.push(panelOf(panel, panels.length + 1, { x, y, w, h }));
    x += w;
  }
  return panels;
}

const dashboard = (uid, title, variables, list, extra = {}) => ({
  uid, title, tags: ['reference'], schemaVersion: 36, version: 1, editable: true, graphTooltip: 1,
  time: { from: 'now-30m', to: 'now' }, refresh: '', annotations: { list: [] },
  templating: { list: [variableOf({ name: 'datasource', type: 'datasource', hide: 2 }), ...variables] },
  panels: laidOut(list), ...extra,
});

const kAll = { includeAll: true, allValue: '.*' };
const kServeRequests = 'ray_serve_deployment_request_counter_total';

const serveVariables = () => [
  query('Application', 'label_values(ray_serve_num_http_requests_total, application)', kAll),
  query('HTTP_Route', 'label_values(ray_serve_num_http_requests_total, route)', kAll),
  query('gRPC_Method', 'label_values(ray_serve_num_grpc_requests_total, method)', kAll),
  query('Deployment', `label_values(${kServeRequests}, deployment)`, kAll),
  query('Replica', `label_values(${kServeRequests}, replica)`, kAll),
  query('Route', 'label_values(ray_serve_deployment_request_counter, route)', kAll),
  query('Cluster', 'label_values(ray_node_network_receive_speed, ray_io_cluster)', kAll),
];

// Perses's files list no variables; its queries name these.
const persesVariables = () => [
  query('Deployment_id', 'label_values(vllm:generation_tokens_total, model_name)', { ...kAll, multi: true }),
  query('NS', 'label_values(vllm:num_requests_running, namespace)'),
  query('SVC', 'label_values(vllm:num_requests_running, service)'),
  query('MODEL', 'label_values(vllm:num_requests_running, model_name)', kAll),
];

/** The eleven dashboards. */
export function referenceDashboards() {
  const ray = read('ray_panels.json');
  const rayVariables = ray.variables.filter(({ type }) => type !== 'datasource').map(variableOf);
  const { uid, title, schemaVersion } = ray.dashboard;
  return [
    dashboard(uid, title, rayVariables, ray.panels, { schemaVersion }),
    dashboard('ray-2-51', 'Serve LLM Dashboard (Ray 2.51)', rayVariables, ray.panels_ray_2_51_flat, { schemaVersion }),
    dashboard('ray-serve', 'Serve Dashboard', serveVariables(), ray.serve_dashboard_panels, { schemaVersion }),
    dashboard('ray-serve-deployment', 'Serve Deployment Dashboard', serveVariables(),
      ray.serve_deployment_dashboard_panels, { schemaVersion }),
    ...read('vllm_panels.json').dashboards.map(({ title, variables, panels, source }, index) =>
      dashboard(`vllm-${index + 1}`, `${title} (${source.split('/').pop()})`,
        variables?.map(variableOf) ?? persesVariables(), panels)),
  ];
}
