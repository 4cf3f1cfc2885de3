#!/bin/sh
# Makes .venv: everything in requirements.lock, every file checked against its hash, and this
# checkout itself. Package indexes are the machine's own business: pip's configuration is used.
set -eu

python=$(sh "$(dirname "$0")/python.sh")
# An environment whose interpreter is gone, or that was moved here from elsewhere, is made anew.
if ! .venv/bin/python -c 'import sys; sys.exit(sys.prefix != sys.argv[1])' "$PWD/.venv" 2>/dev/null; then
    rm -rf .venv
    "$python" -m venv .venv
fi
[ -x .venv/bin/uv ] || .venv/bin/python -m pip install --quiet uv

# uv takes its index from UV_* or uv.toml; hand it what pip was told, where it was told anything.
if [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ]; then
    index=$(.venv/bin/python -m pip config get global.index-url 2>/dev/null || true)
    index=${PIP_INDEX_URL:-$index}
    [ -z "$index" ] || export UV_DEFAULT_INDEX="$index"
fi
[ -z "${PIP_CERT:-}" ] || export SSL_CERT_FILE="${SSL_CERT_FILE:-$PIP_CERT}"

export VIRTUAL_ENV="$PWD/.venv"
.venv/bin/uv pip install --quiet --compile-bytecode --require-hashes -r requirements.lock
.venv/bin/uv pip install --quiet --no-deps --editable .

# The simulator's compiled loops, kept in the user's cache: so the first demonstration need not wait.
.venv/bin/python -c 'from simulators.testing import small_city; small_city(["1x2"]).messages(hours=1)'
