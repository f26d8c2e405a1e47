#!/bin/sh
# Puts the plugin aws-masker into an existing Kong, or takes it out again. Run it in the unpacked tarball.
#
# usage: install.sh [--prefix DIR] [--root DIR] [--uninstall]
#
#   --prefix DIR   where Lua finds its modules: DIR/share/lua/5.1 and DIR/lib/lua/5.1 (default /usr/local)
#   --root DIR     a file system to install into, e.g. of an image (default /)
#   --uninstall    remove exactly the files that were installed
#
# Installing over an older release replaces it. Kong's own configuration is not touched.
set -eu

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

# Removes what the manifest names and, with "keep" as the first argument, only what the new release does not have.
remove_installed() {
  while IFS= read -r file; do
    if [ "${1:-}" != keep ] || ! grep -qxF "$file" "$2"; then
      rm -f "$root$file"
    fi
  done < "$manifest"
}

remove_empty_folders() {
  rmdir "$root$prefix/share/lua/5.1/kong/plugins/aws-masker" "$root$prefix/share/lua/5.1/kong/plugins" \
    "$root$prefix/share/lua/5.1/kong" "$root$prefix/share/kong-aws-masker" 2>/dev/null || true
}

if [ -n "$uninstall" ]; then
  [ -f "$manifest" ] || fail "nothing is installed under $root$prefix"
  remove_installed
  rm -f "$manifest"
  remove_empty_folders
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
trap 'rm -f "$new"' EXIT
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

# A running Kong has the library mapped: install replaces the file instead of writing into it.
put() {
  mkdir -p "$root$(dirname "$3")"
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
mkdir -p "$(dirname "$manifest")"
cp "$new" "$manifest"
chmod 0644 "$manifest"

cat <<TEXT
Installed aws-masker $(cat VERSION) under $root$prefix.

In kong.conf:

  plugins = bundled,aws-masker
  lua_package_path = $prefix/share/lua/5.1/?.lua;;
  lua_package_cpath = $prefix/lib/lua/5.1/?.so;;
  nginx_http_client_body_buffer_size = 4m
  nginx_proxy_postpone_output = 0

Check it with $prefix/share/kong-aws-masker/smoke-test.sh, then restart Kong.
TEXT
