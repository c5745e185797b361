"""check_rules.py finds what it is for: check_rules_test.py <check_queries>."""

import copy
import sys
import unittest

import check_rules

CHECK_QUERIES = sys.argv.pop(1)

NOTES = {"summary": "s", "description": "{{ $value }}", "runbook": "r"}
RULES = {"groups": [{"rules": [
    {"record": "model:waiting:sum", "expr": "sum without (engine) (vllm:num_requests_waiting)"},
    {"alert": "Waiting", "expr": "model:waiting:sum > 5 and up == 1",
     "labels": {"severity": "warning"}, "annotations": NOTES},
]}]}
TESTS = {"tests": [{"alert_rule_test": [
    {"alertname": "Waiting", "exp_alerts": [{}]},
    {"alertname": "Waiting", "exp_alerts": []},
]}]}


class CheckRules(unittest.TestCase):
    def setUp(self):
        self.rules, self.tests = copy.deepcopy(RULES), copy.deepcopy(TESTS)
        self.record, self.alert = self.rules["groups"][0]["rules"]

    def findings(self):
        return list(check_rules.findings(CHECK_QUERIES, self.rules, self.tests))

    def test_accepts_good_rules(self):
        self.assertEqual(self.findings(), [])

    def test_finds_a_family_that_does_not_exist(self):
        self.record["expr"] = "vllm:num_requests_wating"
        self.assertEqual(self.findings(),
                         ["model:waiting:sum: there is no series 'vllm:num_requests_wating'"])

    def test_finds_a_label_value_that_never_occurs(self):
        self.alert["expr"] = 'model:waiting:sum > 5 or hearth_model_state{state="dead"} == 1'
        self.assertEqual(self.findings(),
                         ["Waiting: label 'state' of 'hearth_model_state' is never 'dead'"])

    def test_finds_an_alert_that_does_not_say_what_to_do(self):
        self.alert["annotations"] = {"summary": "s", "description": "too many"}
        self.alert["labels"] = {}
        self.assertEqual(len(self.findings()), 3)

    def test_finds_an_untested_alert(self):
        self.tests["tests"][0]["alert_rule_test"].pop()
        self.assertEqual(self.findings(), ["Waiting: no test sees it silent"])

    def test_finds_a_recording_rule_without_reader(self):
        self.alert["expr"] = "up == 0"
        self.assertEqual(self.findings(), ["model:waiting:sum: neither used by a rule nor tested"])


if __name__ == "__main__":
    unittest.main()
