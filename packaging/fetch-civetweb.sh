#!/bin/bash
# Puts CivetWeb's sources, as Debian 12 ships them, into a directory:
#
#   packaging/fetch-civetweb.sh <directory>      -> <directory>/src/civetweb.c, include/civetweb.h
#
# The archive comes from this machine's own package sources: their deb lines are read as deb-src in
# a private apt configuration, and nothing under /etc or /var is changed. It is kept in the user's
# cache, so a second build directory needs no network, and used only when its checksum is the pinned
# one.
set -euo pipefail

readonly package=civetweb
readonly archive=civetweb_1.15+dfsg.orig.tar.xz
readonly sha256=ec372e9737bc820118bbb735f46a07d41f795814ca0f38bc6e67048e7a460f33

readonly destination=${1:?usage: fetch-civetweb.sh <directory>}
readonly cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/hearth

if [ -e "$destination/src/civetweb.c" ]; then
  exit 0
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

is_pinned() { [ -e "$1" ] && echo "$sha256  $1" | sha256sum --check --status; }

# The machine's enabled binary sources, as source ones. One-line form, then deb822 paragraphs.
write_source_lists() {
  mkdir -p "$scratch/sources"
  local file
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ -e "$file" ] || continue
    sed -nE 's/^[[:space:]]*deb[[:space:]]+/deb-src /p' "$file" >> "$scratch/sources/machine.list"
  done
  for file in /etc/apt/sources.list.d/*.sources; do
    [ -e "$file" ] || continue
    awk 'BEGIN { RS = ""; FS = "\n" }
         /(^|\n)Enabled:[ \t]*no/ { next }
         /(^|\n)Types:[^\n]*deb([ \t\n]|$)/ {
           for (i = 1; i <= NF; i++) print ($i ~ /^Types:/ ? "Types: deb-src" : $i)
           print ""
         }' "$file" >> "$scratch/sources/machine.sources"
  done
}

private_apt_get() {
  apt-get -q -y \
    -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$scratch/sources" \
    -o Dir::State::Lists="$scratch/lists" -o Dir::Cache="$scratch/cache" \
    -o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
}

download() {
  write_source_lists
  mkdir -p "$scratch/lists/partial" "$scratch/cache/archives/partial"
  # A third-party source without a source index makes update fail; the download below is the judge.
  private_apt_get update >"$scratch/update.log" 2>&1 || true
  if ! (cd "$scratch" && private_apt_get source --download-only --tar-only "$package") \
      >"$scratch/source.log" 2>&1; then
    cat "$scratch/update.log" "$scratch/source.log" >&2
    echo "fetch-civetweb: apt-get source $package failed; Debian 12 main is needed" >&2
    exit 1
  fi
  if ! is_pinned "$scratch/$archive"; then
    echo "fetch-civetweb: the archive of $package is not the pinned $archive (sha256 $sha256):" >&2
    (cd "$scratch" && sha256sum -- *.orig.tar.* >&2) || true
    exit 1
  fi
  mkdir -p "$cache"
  cp "$scratch/$archive" "$cache/.$archive.$$"
  mv "$cache/.$archive.$$" "$cache/$archive"
}

if ! is_pinned "$cache/$archive"; then
  download
fi

mkdir "$scratch/tree"
tar -xJf "$cache/$archive" -C "$scratch/tree" --strip-components=1
mkdir -p "$(dirname "$destination")"
# A rename is all or nothing, so a build that is interrupted here finds no half-written tree later.
rm -rf "$destination.new.$$"
mv "$scratch/tree" "$destination.new.$$"
rm -rf "$destination"
mv "$destination.new.$$" "$destination"
echo "civetweb: sources of Debian's $archive in $destination"
