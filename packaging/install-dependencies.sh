#!/bin/bash
# Installs what a fresh Debian 12 lacks:
#
#   packaging/install-dependencies.sh [build|test|fuzz]     default build; the others are build and more
#
# Packages of dependencies.txt (and dependencies-test.txt, or -fuzz) by apt, only the missing ones, and the
# npm packages of the lockfiles. With nothing missing it takes a moment and needs no rights.
set -euo pipefail

readonly purpose=${1:-build}
cd "$(dirname "$0")/.."

case $purpose in
  build) lists=(packaging/dependencies.txt); npm_directories=(webui) ;;
  test) lists=(packaging/dependencies.txt packaging/dependencies-test.txt)
        npm_directories=(webui tests/e2e tests/web) ;;
  fuzz) lists=(packaging/dependencies.txt packaging/dependencies-fuzz.txt); npm_directories=(webui) ;;
  *) echo "usage: install-dependencies.sh [build|test|fuzz]" >&2; exit 2 ;;
esac

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "install-dependencies: needs root (or sudo) for: $*" >&2
    exit 1
  fi
}

# A command of the package's name counts too: npm may have come with a node that is not Debian's.
is_present() {
  [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ] ||
    command -v "$1" >/dev/null
}

# SYSTEMD_OFFLINE: tools that the tests run by themselves (prometheus) are not started as services.
apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 SYSTEMD_OFFLINE=1 \
    apt-get -q -y -o DPkg::Lock::Timeout=600 "$@"
}

missing=()
for package in $(sed 's/#.*//' "${lists[@]}"); do
  is_present "$package" || missing+=("$package")
done

if [ ${#missing[@]} -gt 0 ]; then
  echo "installing: ${missing[*]}"
  apt_get update
  apt_get install --no-install-recommends "${missing[@]}" </dev/null
fi

for directory in "${npm_directories[@]}"; do
  lockfile=$directory/package-lock.json
  # npm writes its own copy of the lockfile last.
  installed=$directory/node_modules/.package-lock.json
  if [ -e "$lockfile" ] && ! [ "$installed" -nt "$lockfile" ]; then
    (cd "$directory" && npm ci --no-audit --no-fund --loglevel=error </dev/null)
    touch "$installed"
  fi
done
