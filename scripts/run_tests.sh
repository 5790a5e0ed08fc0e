#!/bin/sh
# Run the tests in processes of their own. Tests of the engine load TensorFlow, tests of the window load OpenGL, and in one
# process on Linux the two abort each other (tensorflow issue 119254): the wall that the program itself keeps.
# Three parts run at the same time, two of windows on screens of their own and all that has no window. They are of about
# the same length, and where one waits for a window or for the disk, another computes.
# The last has neither Qt nor napari's test plugin, so everything below gui/ is seen to work without them.
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
beside_says=$(mktemp)
failed=$(mktemp)
behind=
beside=
trap 'rm -f "$last_words" "$behind_says" "$beside_says" "$failed"' EXIT
# What runs behind hears no Ctrl-C.
# shellcheck disable=SC2086 # the number of a process that was not started is no word
trap 'test -z "$behind" || kill $behind $beside; exit 130' INT TERM

in_window() {
    # Always a screen of the same size, and nothing flashes up on a person's own one.
    if [ "$(uname -s)" = Linux ]; then
        env -u WAYLAND_DISPLAY QT_QPA_PLATFORM=xcb xvfb-run -a -s "-screen 0 1600x1000x24" "$@"
    else
        "$@"
    fi
}

half="tests/gui/correct tests/gui/panels tests/gui/forms tests/gui/review"
one_half() {
    # shellcheck disable=SC2086 # several folders
    in_window "$python" scripts/run_pytest.py "$last_words" $half "$@"
}
other_half() {
    # shellcheck disable=SC2046
    in_window "$python" scripts/run_pytest.py "$last_words" tests/gui $(printf -- '--ignore=%s ' $half) "$@"
}

sync # what an installation has left to write would keep the journals waiting that tests write
one_half "$@" >"$behind_says" 2>&1 &
behind=$!
sleep 5 # two screens that look for a free number at once may take the same
if [ "$part" = all ]; then
    other_half "$@" >"$beside_says" 2>&1 &
    beside=$!
    "$python" scripts/run_pytest.py "$last_words" tests --ignore=tests/gui -p no:napari -p no:pytest-qt "$@" || status=$?
    wait "$beside" || status=$?
else
    other_half "$@" || status=$?
fi
wait "$behind" || status=$?
cat "$beside_says" "$behind_says"
# A window that answers late where three processes share two cores is not a broken one: a test or two of windows that
# failed is tried once more, alone, and named as unsteady where it passes. What has no window gets no second chance,
# nor does a crash.
sed -n 's/^failed at [a-z]*: //p' "$last_words" | sort -u >"$failed"
if [ "$status" = 1 ] && [ "$(wc -l <"$failed")" -le 2 ] && ! grep -qv '^failed at [a-z]*: tests/gui/' "$last_words"; then
    echo "tried once more, alone:"
    cat "$failed"
    if in_window "$python" scripts/run_pytest.py "$last_words" "@$failed" "$@"; then
        status=0
        sed 's/^/unsteady, passed alone: /' "$failed" >"$last_words"
    fi
fi
cat "$last_words" # the last lines are what CI keeps
exit "$status"
