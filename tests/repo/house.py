"""The rules of the house as data: who may include whom, how long things may be, which words may not stay."""

# Module -> modules whose headers it may include, beside its own. The longest matching prefix of a path
# is its module.
MAY_INCLUDE = {
    "base": [],
    "engine/protocol": ["base"],
    "engine/text": ["base"],
    "engine/backend": ["base"],
    "engine/model": ["engine/backend", "base"],
    "engine/core": ["engine/model", "engine/backend", "engine/text", "engine/protocol", "base"],
    "engine/worker": ["engine/core", "engine/model", "engine/text", "engine/protocol", "base"],
    "storage/promql": ["base"],
    "storage": ["storage/promql", "base"],
    "webui": [],
    "firmware/http": ["webui", "base"],
    "firmware/metrics": ["storage/promql", "engine/protocol", "base"],
    "firmware/config": ["base"],
    "firmware/device": ["firmware/metrics", "base"],
    "firmware/models": ["firmware/metrics", "engine/protocol", "base"],
    "firmware/apply": ["firmware/config", "firmware/models", "firmware/metrics", "storage",
                       "engine/protocol", "base"],
    "firmware/http_client": ["base"],
    "firmware/usage": ["firmware/config", "base"],
    "firmware/library": ["firmware/metrics", "base"],
    "firmware/remote_write": ["firmware/http_client", "firmware/metrics", "storage",
                              "storage/promql", "base"],
    "firmware/cli": ["firmware/config", "firmware/device", "firmware/http_client", "firmware/api", "firmware/http",
                     "firmware/library", "firmware/metrics", "storage", "storage/promql", "base"],
    "firmware/api": ["firmware/apply", "firmware/config", "firmware/http", "firmware/metrics", "firmware/models",
                     "firmware/library", "firmware/usage", "storage/promql", "storage", "engine/protocol", "base"],
    "firmware": ["firmware/api", "firmware/apply", "firmware/config", "firmware/http", "firmware/metrics", "firmware/models",
                 "firmware/device", "firmware/http_client", "firmware/library", "firmware/remote_write", "firmware/usage", "storage",
                 "storage/promql", "engine/protocol", "base"],
}

# Library header (regular expression) -> the only places that may include it.
LIBRARY_HOMES = {
    r"civetweb\.h": ["firmware/http/"],
    r"sqlite3\.h": ["storage/", "tests/unit/storage/", "tests/fault/"],
    r"nlohmann/.*": ["base/json.h"],
    r"re2/.*": ["storage/promql/", "storage/rules/", "tests/conformance/"],
    r"yaml-cpp/.*": ["storage/rules/", "firmware/config/", "tests/conformance/"],
    r"curl/.*": ["firmware/alerting/", "firmware/http_client/", "firmware/library/"],
    r"openssl/.*": ["firmware/http/", "firmware/library/", "tests/unit/firmware/http/"],
    r"snappy\.h": ["firmware/remote_write/", "tests/unit/firmware/remote_write/"],
    r".*\.pb\.h": ["firmware/remote_write/", "tests/unit/firmware/remote_write/"],
    r"utf8proc\.h": ["engine/text/"],
    r"CLI/.*": ["firmware/command_line.cc", "firmware/cli/"],
}

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
KERNEL_LINES_MAX = 120
KERNEL_PLACES = ("engine/backend/", "engine/model/decoder")

# path or path:function -> (allowed lines, reason)
LENGTH_EXCEPTIONS = {
    "storage/promql/functions.cc:MakeTable": (80, "the table of functions, one line each"),
}

# Calls that cost other servers a vulnerability (one POST loops for ever, bodies on the stack).
FORBIDDEN_CALLS = ("mg_handle_form_request", "mg_store_body", "mg_get_var", "mg_send_digest")

# Words that mark unfinished work. A limit is stated as an error the user sees instead.
UNFINISHED = (r"\b(TODO|FIXME|XXX|HACK|not implemented|unimplemented|placeholder|for now|stub)\b")
UNFINISHED_EXCEPT = ("tests/repo/", ".md", "package-lock.json", "webui/",)
