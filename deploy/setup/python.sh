#!/bin/sh
# Prints the Python to make the environment with: $PYTHON, else the first of 3.11 or newer found.
# Installs Debian's venv module where the interpreter lacks it and that can be done.
set -eu

fits() {
    command -v "$1" >/dev/null 2>&1 &&
        "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

can_make_venv() {
    "$1" -c 'import venv, ensurepip' 2>/dev/null
}

python=""
for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    if fits "$candidate"; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    found=$("${PYTHON:-python3}" --version 2>&1 || true)
    echo "Hearthline needs Python 3.11 or newer, and '${PYTHON:-python3}' is: ${found:-not there}." \
        "Install one, or name it: make PYTHON=/path/to/python3.11 setup" >&2
    exit 1
fi

if ! can_make_venv "$python"; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "Installing python$version-venv …" >&2
        sh "$(dirname "$0")/packages.sh" "python$version-venv" >&2
    fi
    if ! can_make_venv "$python"; then
        echo "'$python' cannot make virtual environments: its venv or ensurepip module is missing." \
            "Install it (on Debian and Ubuntu: apt-get install python$version-venv) and run make again." >&2
        exit 1
    fi
fi
command -v "$python"
