#!/bin/sh
# Resolves requirements/*.in into requirements/*.txt: every release with the hashes of all
# its files, for every platform and Python from 3.11 on, and no address of an index.
set -eu
cd "$(dirname "$0")/../requirements"
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
python3 -m venv "$tools"
"$tools/bin/pip" install -q uv==0.13.9
resolve() {
    "$tools/bin/uv" pip compile -q --no-config --universal --python-version 3.11 \
        --generate-hashes --no-annotate --no-strip-extras \
        --custom-compile-command "make lock" "$@"
}
resolve -o build.txt build.in
resolve -o run.txt run.in
resolve -c run.txt -o dev.txt dev.in
