#!/bin/sh
# Makes .venv, or VENV=..., as requirements/*.txt say: `scripts/env.sh run` or `... dev`.
# Does nothing when it is already that. PYTHON=... chooses the interpreter.
set -eu
cd "$(dirname "$0")/.."
kind=$1
venv=${VENV:-.venv}
log="$venv/install.log"
lock=$(cat requirements/*.txt setup.cfg | cksum)
key="$PWD $lock"

if [ -f "$venv/stamp" ]; then
    case "$(cat "$venv/stamp")" in
    "dev $key" | "$kind $key") exit 0 ;;
    esac
fi

fail() {
    printf '\nerror: %s\n' "$*" >&2
    exit 1
}

suitable() {
    command -v "$1" >/dev/null 2>&1 &&
        "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

python=
bare=
for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14 python}; do
    suitable "$candidate" || continue
    if "$candidate" -c 'import venv, ensurepip' 2>/dev/null; then
        python=$candidate
        break
    fi
    bare=$candidate
done
if [ -z "$python" ] && [ -n "$bare" ]; then
    fail "$bare ($("$bare" -V)) cannot make virtual environments: its venv or ensurepip" \
        "module is missing. On Debian and Ubuntu: apt install python3-venv"
fi
[ -n "$python" ] ||
    fail "Python 3.11 or newer is needed; found ${PYTHON:-$(python3 -V 2>&1 || true)}." \
        "Install it, or name one: make run PYTHON=/path/to/python3.12"

install() { # what is told, pip's arguments
    title=$1 expected=$2
    shift 2
    started=$(date +%s)
    "$venv/bin/python" -m pip install --disable-pip-version-check --no-input "$@" \
        >"$log" 2>&1 &
    pip=$!
    trap 'kill $pip 2>/dev/null || true; exit 130' INT TERM
    shown=0
    while kill -0 $pip 2>/dev/null; do
        sleep 1
        spent=$(($(date +%s) - started))
        if [ -t 1 ]; then
            printf '\r  %s: %d of %d found, %d s ' "$title" \
                "$(grep -c '^Collecting' "$log")" "$expected" $spent
        elif [ $((spent / 15)) -gt $shown ]; then
            shown=$((spent / 15))
            printf '  %s: %d s\n' "$title" $spent
        fi
    done
    trap - INT TERM
    if ! wait $pip; then
        tail -n 15 "$log" >&2
        fail "pip could not install what requirements/ lists (whole output: $log)." \
            "It needs a package index: a network, or pip configured for a mirror."
    fi
    if [ -t 1 ]; then printf '\r'; fi
    printf '  %s: done in %d s                    \n' "$title" $(($(date +%s) - started))
}

as_pinned() { # made here once, with every pinned release and nothing else
    [ -f "$venv/stamp" ] || return 1
    case "$(cat "$venv/stamp")" in "$kind $PWD "*) ;; *) return 1 ;; esac
    "$venv/bin/python" - "requirements/$kind.txt" 2>/dev/null <<'END'
import re
import sys
from importlib.metadata import distributions
from pathlib import Path

from pip._vendor.packaging.requirements import Requirement


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


lines = re.findall(r"^\w[^\\\n]*", Path(sys.argv[1]).read_text(encoding="utf-8"), re.MULTILINE)
asked = [Requirement(line) for line in lines]
pinned = {(normal(r.name), str(r.specifier)) for r in asked if not r.marker or r.marker.evaluate()}
there = {(normal(d.metadata["Name"]), f"=={d.version}") for d in distributions()}
sys.exit({entry for entry in there if entry[0] not in ("pip", "fund-assets")} != pinned)
END
}

# An environment for other pins is made anew; the run environment only grows to dev. Where only
# setup.cfg has changed, the project alone is installed anew.
if ! as_pinned; then
    if [ ! -f "$venv/stamp" ] || [ "$(cat "$venv/stamp")" != "run $key" ]; then
        echo "Making $venv with $("$python" -V) (once; about a minute and 1.3 GB)"
        "$python" -m venv --clear "$venv"
        install "build tools" 3 --require-hashes -r requirements/build.txt
        # Source-only packages are built with those, so nothing unpinned is fetched.
    fi
    install "packages" "$(grep -c '^[a-z]' requirements/"$kind".txt)" \
        --no-build-isolation --require-hashes -r requirements/"$kind".txt
fi
install "fund-assets" 1 --no-build-isolation --no-deps -e .
echo "$kind $key" >"$venv/stamp"
