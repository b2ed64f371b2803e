#!/usr/bin/env bash
# Install the locked packages and the project into .venv: with uv where it works, with venv and pip where it does not.
# Both compile what they install: where Python may not keep bytecode, every start of `desk` would compile it again.
set -euo pipefail
cd "$(dirname "$0")/.."
lock="${1:?the lock file}"
python="${PYTHON:-python3}"

if ! "$python" -c 'import sys; sys.exit(not ((3, 11) <= sys.version_info[:2] < (3, 14)))'; then
    echo "Python 3.11, 3.12 or 3.13 is needed; $("$python" --version 2>&1) was found. Set PYTHON=/path/to/python." >&2
    exit 2
fi

with_uv() {
    command -v uv >/dev/null 2>&1 || return 1
    [ -x .venv/bin/python ] || uv venv -q --python "$python" .venv || return 1
    uv pip install -q --compile-bytecode --python .venv/bin/python --require-hashes -r "$lock" || return 1
    uv pip install -q --python .venv/bin/python --no-deps --no-build-isolation -e .
}

with_pip() {
    [ -x .venv/bin/python ] || "$python" -m venv .venv
    .venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip -q
    .venv/bin/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r "$lock"
    .venv/bin/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
}

with_uv || with_pip
