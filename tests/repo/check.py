"""Checks of the repository itself: check.py includes|lengths|words|targets. Exit status 1 and a line per finding."""

import fnmatch
import os
import re
import subprocess
import sys

import functions
import house

CODE = (".h", ".cc", ".c", ".cu", ".cuh", ".js", ".mjs", ".css", ".py", ".sh")


def tracked_files():
    """Files git knows or would add; without git, every file outside build directories."""
    try:
        git = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], capture_output=True,
                             text=True, check=True)
        names = git.stdout.splitlines()
    except (FileNotFoundError, subprocess.CalledProcessError):
        names = []
        for folder, folders, files in os.walk("."):
            folders[:] = [name for name in folders
                          if name not in ("build", "node_modules", ".git", "__pycache__")]
            names += [os.path.relpath(os.path.join(folder, name)) for name in files]
    return sorted(name for name in names if os.path.isfile(name))


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def module_of(path):
    fitting = [module for module in house.MAY_INCLUDE if path.startswith(module + "/")]
    return max(fitting, key=len) if fitting else None


def check_includes(files):
    for path in files:
        if not path.endswith((".h", ".cc", ".c", ".cu", ".cuh")):
            continue
        text = read(path)
        yield from library_findings(path, text)
        module = module_of(path)
        if module is None:
            continue
        for target in re.findall(r'^\s*#include "([^"]+)"', text, re.M):
            other = module_of(target)
            if other not in (None, module) and other not in house.MAY_INCLUDE[module]:
                yield f"{path}: {module} may not include {target}"


def library_findings(path, text):
    for header in re.findall(r'^\s*#include [<"]([^>"]+)[>"]', text, re.M):
        for pattern, homes in house.LIBRARY_HOMES.items():
            if re.fullmatch(pattern, header) and not path.startswith(tuple(homes)):
                yield f"{path}: only {', '.join(homes)} may include {header}"
    for call in house.FORBIDDEN_CALLS:
        if path.startswith("firmware/") and re.search(rf"\b{call}\b", text):
            yield f"{path}: {call} must not be called"


def check_lengths(files):
    for path in files:
        if not path.endswith(CODE):
            continue
        text = read(path)
        lines = text.count("\n")
        allowed, _ = house.LENGTH_EXCEPTIONS.get(path, (house.FILE_LINES_MAX, ""))
        if lines > allowed:
            yield f"{path}: {lines} lines, at most {allowed}"
        kernel = path.startswith(house.KERNEL_PLACES)
        usual = house.KERNEL_LINES_MAX if kernel else house.FUNCTION_LINES_MAX
        for name, length in functions.lengths(path, text):
            allowed, _ = house.LENGTH_EXCEPTIONS.get(f"{path}:{name}", (usual, ""))
            if length > allowed:
                yield f"{path}: {name} has {length} lines, at most {allowed}"


def registry_hosts():
    """Host names of the package sources this machine is set up with."""
    text = ""
    for folder in ("/etc/apt", "/etc/apt/sources.list.d"):
        if os.path.isdir(folder):
            for name in os.listdir(folder):
                if name.endswith((".list", ".sources")):
                    text += read(os.path.join(folder, name))
    hosts = set(re.findall(r"https?://([^/\s:]+)", text))
    return {host for host in hosts if host not in ("localhost", "127.0.0.1")}


def check_words(files):
    unfinished = re.compile(house.UNFINISHED, re.I)
    hosts = registry_hosts()
    home = os.path.dirname(os.path.abspath(".")) + "/"
    for path in files:
        if path.endswith((".safetensors", ".png", ".db", ".gz")):
            continue
        text = read(path)
        for number, line in enumerate(text.splitlines(), 1):
            where = f"{path}:{number}"
            if not any(part in path for part in house.UNFINISHED_EXCEPT) and unfinished.search(line):
                yield f"{where}: unfinished work: {line.strip()[:90]}"
            for host in hosts:
                if host in line:
                    yield f"{where}: names the package host {host}"
            if len(home) > 2 and home in line:
                yield f"{where}: a path of this machine: {line.strip()[:90]}"


def names_source(cmake_list, path):
    text = read(cmake_list)
    place = os.path.relpath(path, os.path.dirname(cmake_list))
    globs = [word for glob in re.findall(r"file\(GLOB([^)]*)\)", text) for word in glob.split() if "*" in word]
    return re.search(rf"\b{re.escape(os.path.basename(path))}", text) or any(
        fnmatch.fnmatch(place, glob) for glob in globs)


def check_targets(files):
    """Every test source is named, or globbed, by the CMakeLists.txt beside it or one folder up."""
    for path in files:
        if not re.search(r"_test\.(cc|cu|mjs|js|py|sh)$", path):
            continue
        folder, name = os.path.split(path)
        lists = [os.path.join(place, "CMakeLists.txt") for place in (folder, os.path.dirname(folder))]
        if not any(os.path.isfile(file) and names_source(file, path) for file in lists):
            yield f"{path}: in no target, so it never runs"


CHECKS = {"includes": check_includes, "lengths": check_lengths, "words": check_words,
          "targets": check_targets}


def main():
    findings = list(CHECKS[sys.argv[1]](tracked_files()))
    print("\n".join(findings) or f"{sys.argv[1]}: nothing to complain about")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
