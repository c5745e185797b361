"""Renders chat templates with Python's jinja2 in the settings of transformers, as the judge of our own.

Reads [{"template": text, "context": {...}}, ...] on stdin; prints [{"text": ...} | {"error": ...}, ...].
"""

import json
import sys

import jinja2
import jinja2.ext
import jinja2.sandbox


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators,
                      sort_keys=sort_keys)


def main() -> None:
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[jinja2.ext.loopcontrols])
    environment.filters["tojson"] = tojson
    environment.globals["raise_exception"] = raise_exception
    environment.globals["strftime_now"] = lambda format: "01 Jan 2026"
    results = []
    for case in json.load(sys.stdin):
        try:
            results.append({"text": environment.from_string(case["template"]).render(**case["context"])})
        except Exception as error:  # whatever it refuses, we have to refuse too
            results.append({"error": f"{type(error).__name__}: {error}"})
    json.dump(results, sys.stdout)


main()
