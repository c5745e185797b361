"""packaging/prometheus against the metrics table: check_rules.py <check_queries>.

promtool knows neither which families a box has nor whether an alert is tested. Exit status 1 and a line
per finding.
"""

import json
import subprocess
import sys

import yaml

RULES = "packaging/prometheus/hearth.rules.yml"
TESTS = "packaging/prometheus/hearth.rules_test.yml"

# What Prometheus makes itself: series of each scrape, and the labels of a target.
OUTSIDE = ["up", "job", "instance"]
SEVERITIES = ("critical", "warning")


def load(path):
    with open(path, encoding="utf-8") as file:
        return yaml.safe_load(file)


def all_rules(rules_file):
    return [rule for group in rules_file["groups"] for rule in group["rules"]]


def query_findings(check_queries, rules):
    """What check_queries says of the rules' expressions."""
    request = {
        "queries": [{"where": rule.get("alert") or rule["record"], "query": rule["expr"]}
                    for rule in rules],
        "recorded": [rule["record"] for rule in rules if "record" in rule],
        "outside": OUTSIDE,
    }
    answer = subprocess.run([check_queries], input=json.dumps(request), text=True,
                            stdout=subprocess.PIPE, check=False)
    if answer.returncode not in (0, 1):
        yield f"{check_queries} ended with {answer.returncode}"
    yield from answer.stdout.splitlines()


def annotation_findings(rules):
    """Who is woken must learn what is wrong, how badly, and what to do."""
    for rule in rules:
        if "alert" not in rule:
            continue
        name, notes = rule["alert"], rule.get("annotations", {})
        if rule.get("labels", {}).get("severity") not in SEVERITIES:
            yield f"{name}: severity is none of {', '.join(SEVERITIES)}"
        for part in ("summary", "description", "runbook"):
            if not notes.get(part):
                yield f"{name}: has no {part}"
        if "$value" not in notes.get("description", ""):
            yield f"{name}: the description does not say the value"


def test_findings(rules, tests):
    """An alert that never fired in a test may never fire; one that was never silent may never be."""
    alerts = {rule["alert"] for rule in rules if "alert" in rule}
    fired, silent = set(), set()
    for test in tests["tests"]:
        for case in test.get("alert_rule_test", []):
            (fired if case.get("exp_alerts") else silent).add(case["alertname"])
    for name in sorted(alerts - fired):
        yield f"{name}: no test sees it fire"
    for name in sorted(alerts - silent):
        yield f"{name}: no test sees it silent"
    for name in sorted((fired | silent) - alerts):
        yield f"{name}: tested, but there is no such alert"


def record_findings(rules, tests):
    """Recording rules that nothing reads and no test evaluates."""
    seen = [rule["expr"] for rule in rules]
    seen += [case["expr"] for test in tests["tests"] for case in test.get("promql_expr_test", [])]
    for rule in rules:
        name = rule.get("record")
        if name and not any(name in expression for expression in seen):
            yield f"{name}: neither used by a rule nor tested"


def findings(check_queries, rules_file, tests):
    rules = all_rules(rules_file)
    yield from query_findings(check_queries, rules)
    yield from annotation_findings(rules)
    yield from test_findings(rules, tests)
    yield from record_findings(rules, tests)


def main():
    [check_queries] = sys.argv[1:]
    found = list(findings(check_queries, load(RULES), load(TESTS)))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
