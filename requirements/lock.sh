#!/bin/sh
# Pins every dependency by hash, for every platform and for every Python from 3.11 on. The argument is the uv to use.
set -eu
cd "$(dirname "$0")/.."
compile="$1 pip compile pyproject.toml --quiet --no-config --upgrade --universal --python-version 3.11 --generate-hashes
    --no-header --no-annotate --no-emit-index-url --no-emit-find-links"
$compile --group build --output-file requirements/runtime.lock
$compile --group build --group dev --extra tracing --constraint requirements/runtime.lock --output-file requirements/dev.lock
$compile --group clients --constraint requirements/dev.lock --output-file requirements/clients.lock
$compile --group build --group bench --constraint requirements/runtime.lock --output-file requirements/bench.lock
