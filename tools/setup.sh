#!/bin/sh
# Make .venv with a fitting Python and install the course in it. Run again, it does nothing.
#
#   VERSIONS=stored    the versions that the stored outputs were made with (the default)
#   VERSIONS=newest    the newest of everything
#   VERSIONS=colab     what Colab ships
#   VERSIONS=nightly   the newest of everything, with Keras' nightly build
#   PYTHON=python3.12  this Python instead of the newest that is found
set -eu
cd "$(dirname "$0")/.."

versions=${VERSIONS:-stored}
wanted_python=${PYTHON:-}
stamp=.venv/course-stamp

fail() {
    echo "$1" >&2
    exit 1
}

minor_of() { # prints nothing for a name on the path that is a shim and does not run
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || :
}

choose_python() { # prints the Python that is asked for, or else the newest that fits and makes environments
    if [ -n "$wanted_python" ]; then set -- "$wanted_python"; else set -- python3.13 python3.12 python3.11 python3 python; fi
    lacking=
    for version in 3.13 3.12 3.11; do
        for name in "$@"; do
            [ "$(minor_of "$name")" = $version ] || continue
            if "$name" -c 'import ensurepip, venv' >/dev/null 2>&1; then
                echo "$name"
                return
            fi
            lacking=${lacking:-"$name cannot make environments: install its venv module (Debian, Ubuntu: apt install python$version-venv), then run make again."}
        done
    done
    [ -z "$lacking" ] || fail "$lacking"
    [ -z "$wanted_python" ] || fail "PYTHON must run Python 3.11, 3.12 or 3.13. Received: PYTHON=$wanted_python"
    fail "No Python 3.11, 3.12 or 3.13 was found: install one (python.org or your package manager), then run make again."
}

usable() { # whether .venv runs a Python that fits, and the one that is asked for
    case $(minor_of .venv/bin/python) in 3.11 | 3.12 | 3.13) ;; *) return 1 ;; esac
    .venv/bin/python -c 'import pip' >/dev/null 2>&1 || return 1
    [ -z "$wanted_python" ] || [ "$(minor_of "$wanted_python")" = "$(minor_of .venv/bin/python)" ]
}

state() { # what the installation depends on; the place too, because it is installed editable
    echo "$versions"
    pwd
    minor_of .venv/bin/python
    cat pyproject.toml constraints.txt constraints-colab.txt | cksum
}

pip() {
    if [ -t 1 ]; then quiet=; else quiet=--quiet; fi
    .venv/bin/python -m pip "$@" $quiet --disable-pip-version-check
}

case $versions in
    stored) options='--constraint constraints.txt' ;;
    colab) options='--constraint constraints-colab.txt' ;;
    newest | nightly) options='--upgrade --upgrade-strategy eager' ;;
    *) fail "VERSIONS must be stored, newest, colab or nightly. Received: VERSIONS=$versions" ;;
esac

python=
if [ -n "$wanted_python" ] || ! usable; then python=$(choose_python); fi
if usable && [ -f $stamp ] && [ "$(cat $stamp)" = "$(state)" ]; then
    exit 0
fi

if ! usable; then
    echo "Making .venv with Python $(minor_of "$python")."
    rm -rf .venv
    "$python" -m venv .venv || { rm -rf .venv; fail "$python could not make .venv."; }
fi

echo "Installing the course, its $versions versions, in .venv: a few minutes and 2.4 GB the first time."
rm -f $stamp
# Both builds of Keras fill the same folder, so the nightly one leaves before another comes, and the reverse.
if ls -d .venv/lib/python3.*/site-packages/keras_nightly-* >/dev/null 2>&1; then
    pip uninstall --yes keras-nightly keras
fi
pip install $options --editable '.[dev]' || fail "The course could not be installed: pip says above why. Run make again to go on."
if [ "$versions" = nightly ]; then
    pip uninstall --yes keras
    pip install --upgrade --pre --no-deps keras-nightly
fi
state >$stamp
