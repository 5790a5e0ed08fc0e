#!/bin/sh
# Run the tests in two processes. Tests of the engine load TensorFlow, tests of the window load OpenGL, and in one
# process on Linux the two abort each other (tensorflow issue 119254): the wall that the program itself keeps.
# The first process has neither Qt nor napari's test plugin, so everything below gui/ is seen to work without them.
# Usage: sh scripts/run_tests.sh VENV [all|gui] [ARGUMENTS OF pytest]
set -eu

venv=$1
part=$2
shift 2
cd "$(dirname "$0")/.."
python=$venv/bin/python
status=0

in_window() {
    # Always a screen of the same size, and nothing flashes up on a person's own one.
    if [ "$(uname -s)" = Linux ]; then
        env -u WAYLAND_DISPLAY QT_QPA_PLATFORM=xcb xvfb-run -a -s "-screen 0 1600x1000x24" "$@"
    else
        "$@"
    fi
}

if [ "$part" = all ]; then
    "$python" -m pytest tests --ignore=tests/gui -p no:napari -p no:pytest-qt "$@" || status=$?
fi
in_window "$python" -m pytest tests/gui "$@" || status=$?
exit "$status"
