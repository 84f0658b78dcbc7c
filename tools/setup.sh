#!/bin/sh
# Make an environment with a fitting Python and install the course in it. Run again, it does nothing.
#
#   VERSIONS=stored    the versions that the stored outputs were made with (the default)
#   VERSIONS=newest    the newest of everything
#   VERSIONS=colab     what Colab ships
#   VERSIONS=nightly   the newest of everything, with Keras' nightly build
#   PYTHON=python3.12  this Python instead of the newest that is found
#   VENV=build/newest  the environment's folder, from the root: .venv (the default) or one in build
set -eu
cd "$(dirname "$0")/.."

versions=${VERSIONS:-stored}
wanted_python=${PYTHON:-}
venv=${VENV:-.venv}
stamp=$venv/course-stamp
IN_RANGE='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'

fail() {
    echo "$1" >&2
    exit 1
}

minor_of() {
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}

fits() { # a name on the path may be a shim that does not run, so it is tried
    "$1" -c "$IN_RANGE" >/dev/null 2>&1
}

makes_venvs() {
    "$1" -c 'import ensurepip, venv' >/dev/null 2>&1
}

newest_python() { # prints the newest Python that fits and makes environments
    for version in 3.13 3.12 3.11; do
        for name in "python$version" python3 python; do
            if fits "$name" && [ "$(minor_of "$name")" = "$version" ] && makes_venvs "$name"; then
                echo "$name"
                return
            fi
        done
    done
    for name in python3.13 python3.12 python3.11 python3 python; do
        if fits "$name"; then
            version=$(minor_of "$name")
            fail "$name cannot make environments: install its venv module (Debian, Ubuntu: apt install python$version-venv), then run make again."
        fi
    done
    fail "No Python 3.11, 3.12 or 3.13 was found: install one (python.org or your package manager), then run make again."
}

chosen_python() { # prints the Python that is asked for, if it fits, or else the newest
    if [ -z "$wanted_python" ]; then
        newest_python
        return
    fi
    fits "$wanted_python" || fail "PYTHON must run Python 3.11, 3.12 or 3.13. Received: PYTHON=$wanted_python"
    makes_venvs "$wanted_python" || fail "$wanted_python cannot make environments: install its venv module, then run make again."
    echo "$wanted_python"
}

usable() { # whether the environment runs a Python that fits, and the one that is asked for
    fits "$venv/bin/python" && "$venv/bin/python" -c 'import pip' >/dev/null 2>&1 || return 1
    [ -z "$wanted_python" ] || [ "$(minor_of "$wanted_python")" = "$(minor_of "$venv/bin/python")" ]
}

state() { # what the installation depends on; the place too, because it is installed editable
    echo "$versions"
    pwd
    minor_of "$venv/bin/python"
    cat pyproject.toml constraints.txt constraints-colab.txt | cksum
}

pip() {
    if [ -t 1 ]; then quiet=; else quiet=--quiet; fi
    "$venv/bin/python" -m pip "$@" $quiet --disable-pip-version-check
}

install() {
    case $versions in
        stored) pip install --constraint constraints.txt --editable '.[dev]' ;;
        colab) pip install --constraint constraints-colab.txt --editable '.[dev]' ;;
        *) pip install --upgrade --upgrade-strategy eager --editable '.[dev]' ;;
    esac
}

has_nightly() {
    ls -d "$venv"/lib/python3.*/site-packages/keras_nightly-* >/dev/null 2>&1
}

case $versions in
    stored | newest | colab | nightly) ;;
    *) fail "VERSIONS must be stored, newest, colab or nightly. Received: VERSIONS=$versions" ;;
esac

must="VENV must be .venv or a folder in build. Received: VENV=$venv"
case $venv in # what stands there is removed if it is no environment that fits
    *..*) fail "$must" ;;
    .venv | build/?*) ;;
    *) fail "$must" ;;
esac

[ -z "$wanted_python" ] || chosen_python >/dev/null
if usable && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(state)" ]; then
    exit 0
fi

if ! usable; then
    python=$(chosen_python)
    echo "Making $venv with Python $(minor_of "$python")."
    rm -rf "$venv"
    "$python" -m venv "$venv" || { rm -rf "$venv"; fail "$python could not make $venv."; }
fi

echo "Installing the course, its $versions versions, in $venv: a few minutes and 2.4 GB the first time."
rm -f "$stamp"
# Both builds of Keras fill the same folder, so the nightly one leaves before another comes, and the reverse.
if has_nightly; then pip uninstall --yes keras-nightly keras; fi
install || fail "The course could not be installed: pip says above why. Run make again to go on."
if [ "$versions" = nightly ]; then
    pip uninstall --yes keras
    pip install --upgrade --pre --no-deps keras-nightly
fi
state >"$stamp"
