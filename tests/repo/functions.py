"""Finds functions and their lengths in lines, by braces (C++, JavaScript) or by Python's own parser."""

import ast
import re

_CONTROL = re.compile(r"\b(if|for|while|switch|catch|do|else|try)\b\s*(constexpr)?\s*(\(|$)")
_NOT_FUNCTION = re.compile(r"\b(namespace|class|struct|enum|union|extern)\b[^()]*$")


def _blank(text, javascript):
    """Comments, strings and preprocessor lines as blanks; line breaks stay."""
    blanked = lambda match: re.sub(r"[^\n]", " ", match.group(0))
    pattern = r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    if javascript:
        # A slash begins a regular expression where no value stands before it.
        regexp = r"(?<![\w)\]\s/])[ \t]*/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])+/|(?<=return )/(?:\\.|[^/\\\n])+/"
        pattern = r"`(?:\\.|[^`\\])*`|" + pattern + "|" + regexp
    text = re.sub(pattern, blanked, text, flags=re.S)
    return text if javascript else re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", blanked, text, flags=re.M)


def _is_function(head, javascript):
    head = head.strip()
    if "(" not in head or _NOT_FUNCTION.search(head):
        return False
    if javascript:
        return not _CONTROL.match(head) and not re.search(r"\b(class)\b", head.split("(")[0])
    return not _CONTROL.match(head) and "=" not in re.sub(r"operator\W+\(|[=!<>]=|\([^()]*\)", "", head)


def _name(head):
    names = re.findall(r"([\w~:]+)\s*\(", head)
    return names[0] if names else "?"


def _by_braces(text, javascript):
    text = _blank(text, javascript)
    stack = []  # (name or None, first line)
    head_start = 0
    line = 1
    head_line = 1
    fresh = True
    for position, char in enumerate(text):
        if fresh and not char.isspace():
            head_line, head_start, fresh = line, position, False
        if char == "\n":
            line += 1
        elif char == "{":
            inside = any(name for name, _ in stack)
            head = text[head_start:position]
            stack.append((_name(head) if not inside and _is_function(head, javascript) else None,
                          head_line))
            fresh = True
        elif char == "}":
            if stack:
                name, first = stack.pop()
                if name:
                    yield name, line - first + 1
            fresh = True
        elif char == ";":
            fresh = True


def _python(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.end_lineno - node.lineno + 1


def lengths(path, text):
    """(name, lines) of every outermost function."""
    if path.endswith(".py"):
        return list(_python(text))
    if path.endswith((".h", ".cc", ".c", ".cu", ".cuh")):
        return list(_by_braces(text, javascript=False))
    if path.endswith((".js", ".mjs")):
        return list(_by_braces(text, javascript=True))
    return []
