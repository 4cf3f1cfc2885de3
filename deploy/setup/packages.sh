#!/bin/sh
# Installs Debian packages by name; quiet unless that fails, then the whole log is shown.
set -eu

log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get -q update && apt-get -qy -o DPkg::Lock::Timeout=120 --no-install-recommends install "$@"; } >"$log" 2>&1; then
    cat "$log" >&2
    echo "Could not install $*. Check that Debian's packages can be reached, then run make again." >&2
    exit 1
fi
