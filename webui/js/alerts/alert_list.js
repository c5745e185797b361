// The rules of /api/v1/rules as the alerts page shows them: what fires first, filtered by state.

export const kStates = ['firing', 'pending', 'error', 'inactive', 'recording'];

/** One state a rule: an evaluation that fails says nothing about the alert. */
export function stateOf(rule) {
  if (rule.health === 'err') return 'error';
  return rule.type === 'alerting' ? rule.state : 'recording';
}

const severityRank = (rule) => ['critical', 'warning'].indexOf(rule.labels?.severity) >>> 0;  // others last

/**
 * @param groups of /api/v1/rules
 * @returns [{...rule, group, file, state}], by state, severity and name
 */
export function listRules(groups) {
  const rules = groups.flatMap((group) => group.rules.map((rule) => ({
    ...rule, group: group.name, file: group.file, interval: group.interval, state: stateOf(rule),
  })));
  return rules.sort((a, b) => kStates.indexOf(a.state) - kStates.indexOf(b.state)
    || severityRank(a) - severityRank(b) || a.name.localeCompare(b.name));
}

const isActive = ({ state }) => ['firing', 'pending', 'error'].includes(state);

/**
 * What the page lists under each other: the active rules of all groups first, then every group in the
 * order of the files with those that rest.
 * @returns [{group, file, rules}]; group is '' for the active ones
 */
export function sectionsOf(rules) {
  const sections = [{ group: '', file: '', rules: rules.filter(isActive) }];
  for (const rule of rules) {
    if (isActive(rule)) continue;
    let section = sections.find(({ group, file }) => group === rule.group && file === rule.file);
    if (!section) sections.push(section = { group: rule.group, file: rule.file, rules: [] });
    section.rules.push(rule);
  }
  return sections.filter((section) => section.rules.length > 0);
}

/** @returns {{firing: 0, …}} how many rules are in each state */
export function countStates(rules) {
  const counts = Object.fromEntries(kStates.map((state) => [state, 0]));
  for (const { state } of rules) counts[state]++;
  return counts;
}

/** @param filter a state, 'active' for what fires, waits to or fails, or 'all' */
export function filterRules(rules, filter, text = '') {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return rules.filter((rule) => {
    const fits = filter === 'all' || rule.state === filter
      || (filter === 'active' && isActive(rule));
    const all = JSON.stringify([rule.name, rule.query, rule.labels, rule.annotations, rule.group]).toLowerCase();
    return fits && words.every((word) => all.includes(word));
  });
}

/** "name is firing: summary" of an event of kind alert, taken apart; state '' for another text. */
export function readAlertEvent(text) {
  const match = /^(\S+) is (pending|firing|resolved|inactive)(?:: ([\s\S]*))?$/.exec(text);
  return match ? { name: match[1], state: match[2], summary: match[3] ?? '' } : { name: '', state: '', summary: text };
}
