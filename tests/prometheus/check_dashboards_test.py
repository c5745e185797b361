"""check_dashboards.py finds what it is for: check_dashboards_test.py <check_queries> <promtool>."""

import sys
import unittest

import check_dashboards

PROMTOOL = sys.argv.pop(2)
CHECK_QUERIES = sys.argv.pop(1)


def findings(expr, condition=None, variable="label_values(hearth_log_engine_metrics, model_name)"):
    inner = {"title": "Inner", "targets": [{"refId": "B", "expr": expr}]}
    row = {"title": "Row", "panels": [inner]}
    if condition:
        row["hearth"] = {"showWhenSeries": condition}
    dashboard = {"panels": [row], "templating": {"list": [{"name": "model_name", "query": variable}]}}
    return list(check_dashboards.findings(CHECK_QUERIES, PROMTOOL, {"a.json": dashboard}))


class CheckDashboards(unittest.TestCase):
    def test_accepts_a_query_with_variables(self):
        self.assertEqual(findings(
            'sum(rate(vllm:generation_tokens_total{model_name=~"$model_name"}[$__rate_interval]))',
            condition="hearth_gpu_info"), [])

    def test_finds_a_series_that_does_not_exist(self):
        self.assertEqual(findings("vllm:num_requests_wating"),
                         ["a.json: Inner B: there is no series 'vllm:num_requests_wating'"])

    def test_finds_a_label_that_the_family_lacks(self):
        self.assertEqual(len(findings('process_open_fds{model_name=~"$model_name"}')), 1)

    def test_finds_what_promtool_does_not_parse(self):
        found = findings('sum(rate(vllm:generation_tokens_total[5m])')
        self.assertTrue(any("Inner B" in line and "could not parse" in line for line in found), found)

    def test_finds_a_condition_and_a_variable_without_series(self):
        self.assertEqual(len(findings("hearth_alerts", condition="hearth_gpu_inof",
                                      variable="label_values(hearth_modle, a)")), 2)


if __name__ == "__main__":
    unittest.main()
