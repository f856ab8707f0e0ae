#!/bin/sh
# Programs of the system that tests and `make screenshots` need, on Debian and Ubuntu: MariaDB,
# a browser with a Chinese font, nginx and Redis. Does nothing where they are there. Without them
# those tests say that they were skipped.
set -eu

missing=
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
fc-list 2>/dev/null | grep -qi 'wqy\|cjk' || missing="$missing fonts-wqy-microhei"
PATH="$PATH:/usr/sbin"
command -v mariadbd >/dev/null 2>&1 || missing="$missing mariadb-server"
command -v nginx >/dev/null 2>&1 || missing="$missing nginx-light"
command -v redis-server >/dev/null 2>&1 || missing="$missing redis-server"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "not installed (apt-get and root are needed):$missing" >&2
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q >/dev/null
# shellcheck disable=SC2086
apt-get install -q -y --no-install-recommends $missing fontconfig >/dev/null
