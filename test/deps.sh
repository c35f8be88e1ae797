#!/bin/sh
# Installs what the tests need beside Go, when it is missing and we may.
# So far: gcc for the race detector, and Ruby's Liquid to compare ours with.
# PostgreSQL and Chromium follow with the store and the console that need them.
set -eu
missing=""
command -v gcc >/dev/null 2>&1 || missing="gcc libc6-dev"
ruby -rliquid -e 0 >/dev/null 2>&1 || missing="$missing ruby ruby-liquid"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "not installed, and this is not root on Debian: $missing" >&2
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends $missing
