#!/bin/sh
# Puts the plugin aws-masker into an existing Kong, or takes it out again. Run it in the unpacked tarball.
#
# usage: install.sh [--prefix DIR] [--root DIR] [--uninstall]
#
#   --prefix DIR   where Lua finds its modules: DIR/share/lua/5.1 and DIR/lib/lua/5.1 (default /usr/local)
#   --root DIR     a file system to install into, e.g. of an image (default /)
#   --uninstall    remove exactly the files and folders that were installed
#
# Installing over an older release replaces it. Kong's own configuration is not touched.
set -eu
# Kong's workers may run as another user
umask 022

here=$(cd "$(dirname "$0")" && pwd)
prefix=/usr/local
root=
uninstall=

fail() {
  echo "install.sh: $*" >&2
  exit 1
}

while [ $# -gt 0 ]; do
  case $1 in
    --prefix) [ $# -ge 2 ] || fail "--prefix needs a folder"; prefix=$2; shift 2 ;;
    --root) [ $# -ge 2 ] || fail "--root needs a folder"; root=${2%/}; shift 2 ;;
    --uninstall) uninstall=yes; shift ;;
    -h | --help) sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) fail "unknown argument: $1 (--help explains)" ;;
  esac
done
case $prefix in
  /*) ;;
  *) fail "--prefix needs an absolute folder, not $prefix" ;;
esac

manifest=$root$prefix/share/kong-aws-masker/manifest
folders=$root$prefix/share/kong-aws-masker/folders

# Removes what the manifest names and, with "keep" as the first argument, only what the new release does not have.
remove_installed() {
  while IFS= read -r file; do
    if [ "${1:-}" != keep ] || ! grep -qxF "$file" "$2"; then
      rm -f "$root$file"
    fi
  done < "$manifest"
}

# make_folder DIR: with its parents; what was not there is written down, the outermost first.
make_folder() {
  if [ ! -d "$root$1" ]; then
    make_folder "$(dirname "$1")"
    mkdir "$root$1"
    echo "$1" >> "$made"
  fi
}

# Removes the folders that installing made, unless somebody else has put something into them.
remove_folders() {
  LC_ALL=C sort -r "$1" | while IFS= read -r folder; do
    rmdir "$root$folder" 2>/dev/null || true
  done
}

if [ -n "$uninstall" ]; then
  [ -f "$manifest" ] || fail "nothing is installed under $root$prefix"
  remove_installed
  made=$(mktemp)
  trap 'rm -f "$made"' EXIT
  cat "$folders" > "$made" 2>/dev/null || true
  rm -f "$manifest" "$folders"
  remove_folders "$made"
  echo "Removed. Take aws-masker out of \`plugins\` in kong.conf before the next start of Kong."
  exit 0
fi

cd "$here"
command -v sha256sum >/dev/null || fail "sha256sum is missing (package coreutils)"
sha256sum --quiet -c SHA256SUMS >&2 || fail "the files are not those of the release; unpack the tarball again"

built_for=$(od -An -tx1 -j18 -N2 lib/libaws_masker.so | tr -d ' ')
case $(uname -m):$built_for in
  x86_64:3e00 | aarch64:b700) ;;
  *) [ -n "$root" ] || fail "this release is for another processor than $(uname -m)" ;;
esac

if [ -z "$root" ]; then
  bin/aws-masker --version >/dev/null || fail "the programs do not run here; glibc 2.28 or newer is needed (not musl)"
  if command -v kong >/dev/null; then
    kong=$(kong version 2>/dev/null || true)
    case $kong in
      *3.[4-9]* | *3.1[0-9]*) echo "Found Kong $kong." ;;
      *) echo "Found Kong $kong: this release is tested with Kong 3.9." >&2 ;;
    esac
  else
    echo "No kong on the PATH: installing the files all the same." >&2
  fi
fi

new=$(mktemp)
made=$(mktemp)
trap 'rm -f "$new" "$made"' EXIT
{
  echo "$prefix/lib/lua/5.1/libaws_masker.so"
  for file in lua/kong/plugins/aws-masker/*.lua; do
    echo "$prefix/share/lua/5.1/${file#lua/}"
  done
  for file in bin/*; do
    echo "$prefix/$file"
  done
  echo "$prefix/include/aws_masker.h"
  echo "$prefix/share/kong-aws-masker/smoke-test.sh"
} > "$new"

if [ -f "$manifest" ]; then
  remove_installed keep "$new"
fi

[ -z "$root" ] || mkdir -p "$root"

# A running Kong has the library mapped: install replaces the file instead of writing into it.
put() {
  make_folder "$(dirname "$3")"
  rm -f "$root$3"
  cp "$2" "$root$3"
  chmod "$1" "$root$3"
}

while IFS= read -r file; do
  case $file in
    */lib/lua/5.1/*) put 0644 lib/libaws_masker.so "$file" ;;
    */share/lua/5.1/*) put 0644 "lua/${file#"$prefix/share/lua/5.1/"}" "$file" ;;
    */bin/*) put 0755 "bin/$(basename "$file")" "$file" ;;
    */include/*) put 0644 include/aws_masker.h "$file" ;;
    */smoke-test.sh) put 0755 smoke-test.sh "$file" ;;
  esac
done < "$new"
cp "$new" "$manifest"
# an upgrade finds the folders there
cat "$made" >> "$folders"
chmod 0644 "$manifest" "$folders"

smoke_test=$prefix/share/kong-aws-masker/smoke-test.sh
if [ "$prefix" != /usr/local ]; then
  smoke_test="$smoke_test --prefix $prefix"
fi

cat <<TEXT
Installed aws-masker $(cat VERSION) under $root$prefix.

In kong.conf:

  plugins = bundled,aws-masker
  lua_package_path = $prefix/share/lua/5.1/?.lua;;
  lua_package_cpath = $prefix/lib/lua/5.1/?.so;;
  nginx_http_client_body_buffer_size = 4m
  nginx_proxy_postpone_output = 0

Check it with $smoke_test, then restart Kong.
TEXT
