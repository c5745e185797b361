// What the round charts (gauge, pie) have in common.

export function doughnutOptions(extra) {
  return {
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    events: [],
    plugins: { legend: { display: false }, tooltip: { enabled: false } },
    ...extra,
  };
}
