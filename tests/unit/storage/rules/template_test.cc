#include "storage/rules/template.h"

#include <gtest/gtest.h>

#include <limits>

#include "storage/rules/template_functions.h"

namespace hearth::rules {
namespace {

std::string Expand(const std::string& text, double value = 0) {
  const promql::Labels labels({{"instance", "attic"}, {"model_name", "Qwen-2"}});
  const promql::Labels external({promql::Labels::Pair{"site", "berlin"}});
  const Result<Template> parsed = Template::Parse(text);
  if (!parsed.ok()) return "parse: " + parsed.status().message();
  const Result<std::string> expanded = parsed->Expand({labels, external, value});
  return expanded.ok() ? *expanded : "expand: " + expanded.status().message();
}

TEST(Template, ReadsLabelsAndValue) {
  EXPECT_EQ(Expand("{{ $labels.instance }}: {{$value}} at {{ $externalLabels.site }}", 0.25),
            "attic: 0.25 at berlin");
  EXPECT_EQ(Expand("{{ .Labels.model_name }} {{ .Value }} {{ .ExternalLabels.site }}", 3),
            "Qwen-2 3 berlin");
  EXPECT_EQ(Expand("<{{ $labels.absent }}>"), "<>");
}

TEST(Template, PrintsNumbersAsGoDoes) {
  EXPECT_EQ(Expand("{{ $value }}", 1e-5), "1e-05");
  EXPECT_EQ(Expand("{{ $value }}", 1e21), "1e+21");
  EXPECT_EQ(Expand("{{ $value }}", std::numeric_limits<double>::infinity()), "+Inf");
}

TEST(Template, HumanizesAsPrometheusDoes) {
  EXPECT_EQ(Expand("{{ humanize $value }}", 1234567), "1.235M");
  EXPECT_EQ(Expand("{{ $value | humanize }}", 0.0012), "1.2m");
  EXPECT_EQ(Expand("{{ humanize1024 $value }}", 1048576), "1Mi");
  EXPECT_EQ(Expand("{{ $value | humanizePercentage }}", 0.07564), "7.564%");
  EXPECT_EQ(Expand("{{ humanizeDuration $value }}", 0), "0s");
  EXPECT_EQ(Expand("{{ humanizeDuration $value }}", 899.99), "14m 59s");
  EXPECT_EQ(Expand("{{ humanizeDuration $value }}", -90061), "-1d 1h 1m 1s");
  EXPECT_EQ(Expand("{{ humanizeDuration $value }}", 0.0123), "12.3ms");
  EXPECT_EQ(Expand("{{ humanizeDuration $value }}", 12.3456), "12.35s");
  EXPECT_EQ(Expand("{{ humanizeTimestamp $value }}", 1435065584.128),
            "2015-06-23 13:19:44.128 +0000 UTC");
}

TEST(Template, CallsFunctionsInPipelinesAndParentheses) {
  EXPECT_EQ(Expand("{{ printf \"%.2f %s\" $value \"tokens\" }}", 1.005), "1.00 tokens");
  EXPECT_EQ(Expand("{{ $value | printf \"%5.1f%%\" }}", 12.34), " 12.3%");
  EXPECT_EQ(Expand("{{ (toUpper $labels.instance) | printf \"%q\" }}"), "\"ATTIC\"");
  EXPECT_EQ(Expand("{{ title \"a bad day\" }} {{ toLower $labels.model_name }}"),
            "A Bad Day qwen-2");
  EXPECT_EQ(Expand("{{ reReplaceAll \"(\\\\w+)-(.*)\" \"$2 of ${1}\" $labels.model_name }}"),
            "2 of Qwen");
}

TEST(Template, ChoosesWithIf) {
  const std::string text =
      "{{ if gt $value 90.0 }}hot{{ else if ge $value 50 }}warm{{ else }}cool{{ end }}.";
  EXPECT_EQ(Expand(text, 91), "hot.");
  EXPECT_EQ(Expand(text, 50), "warm.");
  EXPECT_EQ(Expand(text, 1), "cool.");
  EXPECT_EQ(Expand("{{ if $labels.absent }}a{{ end }}{{ if $labels.instance }}b{{ end }}"), "b");
  EXPECT_EQ(Expand("{{ if eq $labels.instance \"cellar\" \"attic\" -}}  up  {{- end }}"), "up");
  EXPECT_EQ(Expand("{{ if and (lt $value 2) (not (eq $labels.instance \"x\")) }}{{ if or \"\" 1 }}a"
                   "{{ else }}b{{ end }}{{ end }}", 1), "a");
  EXPECT_EQ(Expand("{{ ne $value 1 }}", 1), "false");
}

TEST(Template, SaysWhichIfIsWrong) {
  EXPECT_EQ(Expand("{{ if $value }}a"), "parse: {{if}} without {{end}}");
  EXPECT_EQ(Expand("a{{ end }}"), "parse: at byte 1: {{end}} without {{if}}");
  EXPECT_EQ(Expand("{{ if 1 }}{{ else }}{{ else }}{{ end }}"),
            "parse: at byte 20: {{else}} without {{if}}");
  EXPECT_EQ(Expand("{{ gt $value \"a\" }}", 1),
            "expand: gt: incompatible types for comparison: 1 and a");
  EXPECT_EQ(Expand("{{ if }}{{ end }}"), "parse: at byte 0: the action {{...}} ends too early");
}

TEST(Template, TakesWhiteSpaceAndCommentsAway) {
  EXPECT_EQ(Expand("a  {{- \"b\" -}}  c"), "abc");
  EXPECT_EQ(Expand("a{{/* nothing */}}c {{ `}}` }}"), "ac }}");
}

TEST(Template, NamesWhatItDoesNotSupport) {
  EXPECT_EQ(Expand("{{ with $value }}x{{ end }}"),
            "parse: at byte 0: \"with\" is not supported in templates");
  EXPECT_EQ(Expand("ab {{ query \"up\" | first | value }}"),
            "parse: at byte 3: \"query\" is not supported in templates");
  EXPECT_EQ(Expand("{{ $foo }}"),
            "parse: at byte 0: unknown variable \"$foo\": there are $labels, $externalLabels and "
            "$value");
  EXPECT_EQ(Expand("{{ $value"), "parse: at byte 0: {{ without }}");
  EXPECT_EQ(Expand("{{ }}"), "parse: at byte 0: the action {{...}} ends too early");
  EXPECT_EQ(Expand("{{ humanize }}"),
            "parse: at byte 0: humanize takes 1 arguments at least and 1 at most, not 0");
  EXPECT_EQ(Expand("{{ $value $value }}"), "parse: at byte 0: unexpected \"$value \"");
}

TEST(Template, SaysWhatAFunctionCannotTake) {
  EXPECT_EQ(Expand("{{ humanize $labels.instance }}"), "expand: humanize: \"attic\" is no number");
  EXPECT_EQ(Expand("{{ printf \"%d\" $value }}"),
            "expand: printf: %d is not among %s %v %q %f %e %g %%");
  EXPECT_EQ(Expand("{{ printf \"%s %s\" $value }}"), "expand: printf: more verbs than values");
}

}  // namespace
}  // namespace hearth::rules
