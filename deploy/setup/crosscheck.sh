#!/bin/sh
# Makes .venv-crosscheck and compares our flows in secondary circuits with those of pandapipes.
# pandapipes pins older pandas and scipy than the rest needs, hence an environment of its own;
# nothing else depends on it. Package indexes are the machine's own business, as in venv.sh.
set -eu

python=$(sh "$(dirname "$0")/python.sh")
venv=.venv-crosscheck
if ! "$venv/bin/python" -c 'import sys; sys.exit(sys.prefix != sys.argv[1])' "$PWD/$venv" 2>/dev/null; then
    rm -rf "$venv"
    "$python" -m venv "$venv"
fi
"$venv/bin/python" -c 'import pandapipes, numba, msgspec, yaml' 2>/dev/null ||
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        'pandapipes>=0.11' 'pandas<3' 'scipy<1.17' numba msgspec pyyaml

PYTHONPATH="$PWD" "$venv/bin/python" tests/crosscheck/pandapipes_flows.py "$@"
