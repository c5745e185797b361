"""Queries of webui/dashboards against the metrics table and promtool: check_dashboards.py <check_queries> <promtool>.

A panel that asks for a series the box does not have is empty for ever and nobody is told why; a query
that only the box's own parser takes breaks the import into Grafana. Exit status 1 and a line per finding.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

DASHBOARDS = pathlib.Path("webui/dashboards")

# What Prometheus makes itself: series of each scrape, and the labels of a target.
OUTSIDE = ["up", "job", "instance"]

# Durations stand where Grafana puts them; every other variable is "All".
DURATIONS = {"__rate_interval": "1m", "__interval": "30s", "__range": "1h", "interval": "1m"}
VARIABLE = re.compile(r"\$\{?([a-zA-Z_]\w*)\}?")


def filled(query):
    return VARIABLE.sub(lambda match: DURATIONS.get(match[1], ".*"), query)


def panels_of(dashboard):
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def queries_of(name, dashboard):
    """{where, query} of every target, variable and condition of a row, variables filled."""
    for panel in panels_of(dashboard):
        where = f"{name}: {panel['title']}"
        for target in panel.get("targets", []):
            yield {"where": f"{where} {target['refId']}", "query": filled(target["expr"])}
        condition = panel.get("hearth", {}).get("showWhenSeries")
        if condition:
            yield {"where": f"{where}, shown when", "query": condition}
    for variable in dashboard["templating"]["list"]:
        match = re.fullmatch(r"label_values\((.+),\s*\w+\)", variable.get("query", ""))
        if match:
            yield {"where": f"{name}: variable {variable['name']}", "query": match[1]}


def query_findings(check_queries, queries):
    """What check_queries says: unknown series, labels and label values."""
    request = {"queries": queries, "recorded": [], "outside": OUTSIDE}
    answer = subprocess.run([check_queries], input=json.dumps(request), text=True,
                            stdout=subprocess.PIPE, check=False)
    if answer.returncode not in (0, 1):
        yield f"{check_queries} ended with {answer.returncode}"
    yield from answer.stdout.splitlines()


def promtool_findings(promtool, queries):
    """What Prometheus's own parser says: promtool reads expressions as those of recording rules."""
    rules = [{"record": f"query_{index}", "expr": entry["query"]}
             for index, entry in enumerate(queries)]
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        json.dump({"groups": [{"name": "dashboards", "rules": rules}]}, file)  # YAML's subset
        file.flush()
        answer = subprocess.run([promtool, "check", "rules", file.name], text=True, check=False,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if answer.returncode == 0 and f"{len(rules)} rules found" in answer.stdout:
        return
    for line in answer.stdout.splitlines():
        match = re.search(r'query_(\d+)"', line)
        yield f"{queries[int(match[1])]['where']}: {line.strip()}" if match else line


def findings(check_queries, promtool, dashboards):
    """dashboards: {file name: parsed file}."""
    queries = [entry for name, one in dashboards.items() for entry in queries_of(name, one)]
    yield from query_findings(check_queries, queries)
    yield from promtool_findings(promtool, queries)


def main():
    check_queries, promtool = sys.argv[1:]
    dashboards = {path.name: json.loads(path.read_text(encoding="utf-8"))
                  for path in sorted(DASHBOARDS.glob("*.json"))}
    found = list(findings(check_queries, promtool, dashboards))
    for line in found:
        print(line)
    return 1 if found or not dashboards else 0


if __name__ == "__main__":
    sys.exit(main())
