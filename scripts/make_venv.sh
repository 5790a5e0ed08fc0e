#!/bin/sh
# Make a virtual environment and install the project into it, at the versions of constraints.txt.
# Usage: sh scripts/make_venv.sh FOLDER EXTRAS        e.g. .venv all,test,dev
# Python: $PYTHON, or the first of python3, python3.13, python3.12, python3.11 that fits.
# Does nothing where the folder is up to date: a stamp in it is named after the sum of all that decides what is in it.
set -eu

folder=$1
extras=$2
cd "$(dirname "$0")/.."

stamp=$folder/.installed-$({ cat pyproject.toml constraints.txt scripts/make_venv.sh; pwd; echo "$extras"; } | cksum | tr ' ' -)
[ ! -f "$stamp" ] || exit 0

# TensorFlow has wheels for 3.11 to 3.13 (and for older ones, which this project does not support).
fits='import sys; raise SystemExit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
python=""
for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    # A name on the path may be a pyenv shim without a Python behind it, so it is run.
    if "$candidate" -c "$fits" 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "Python 3.11, 3.12 or 3.13 is needed; python3 is: $(python3 --version 2>&1 || true)." >&2
    echo "Install one, or name one: make PYTHON=/path/to/python3.12 ..." >&2
    exit 1
fi

# Debian keeps the venv module in a package of its own.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    sh scripts/apt.sh "python$version-venv"
fi

# A folder whose Python went away or has another version is made anew.
if ! "$folder/bin/python" -c "$fits" 2>/dev/null; then
    echo "Making $folder with $("$python" --version)"
    "$python" -m venv --clear "$folder"
fi
echo "Installing napari-vol3d[$extras] into $folder (TensorFlow alone is about 600 MB; this takes a few minutes)"
rm -f "$folder"/.installed-*
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[$extras]"
touch "$stamp"
