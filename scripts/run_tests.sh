#!/bin/sh
# Run the tests in processes of their own. Tests of the engine load TensorFlow, tests of the window load OpenGL, and in one
# process on Linux the two abort each other (tensorflow issue 119254): the wall that the program itself keeps.
# The first process has neither Qt nor napari's test plugin, so everything below gui/ is seen to work without them.
# A window waits more than it computes: the window's tests run in two halves, on two screens, the first of them at the
# same time as all the rest.
# Usage: sh scripts/run_tests.sh VENV [all|gui] [ARGUMENTS OF pytest]
set -eu

venv=$1
part=$2
shift 2
cd "$(dirname "$0")/.."
python=$venv/bin/python
status=0
last_words=$(mktemp)
behind_says=$(mktemp)
behind=
trap 'rm -f "$last_words" "$behind_says"' EXIT
trap 'test -z "$behind" || kill "$behind"; exit 130' INT TERM # what runs behind hears no Ctrl-C

in_window() {
    # Always a screen of the same size, and nothing flashes up on a person's own one.
    if [ "$(uname -s)" = Linux ]; then
        env -u WAYLAND_DISPLAY QT_QPA_PLATFORM=xcb xvfb-run -a -s "-screen 0 1600x1000x24" "$@"
    else
        "$@"
    fi
}

half="tests/gui/correct tests/gui/panels tests/gui/forms tests/gui/review"
# shellcheck disable=SC2086 # several folders
in_window "$python" scripts/run_pytest.py "$last_words" $half "$@" >"$behind_says" 2>&1 &
behind=$!
sleep 5 # two screens that look for a free number at once may take the same
if [ "$part" = all ]; then
    "$python" scripts/run_pytest.py "$last_words" tests --ignore=tests/gui -p no:napari -p no:pytest-qt "$@" || status=$?
fi
# shellcheck disable=SC2046
in_window "$python" scripts/run_pytest.py "$last_words" tests/gui $(printf -- '--ignore=%s ' $half) "$@" || status=$?
wait "$behind" || status=$?
cat "$behind_says"
cat "$last_words" # the last lines are what CI keeps
exit "$status"
