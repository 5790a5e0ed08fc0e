#!/bin/sh
# Open the demo: in a window where there is a screen, else in a virtual one, which saves its picture and its labels.
# Usage: sh scripts/run_demo.sh [ARGUMENTS OF napari-vol3d demo]
set -eu

cd "$(dirname "$0")/.."
if [ "$(uname -s)" = Linux ] && [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    sh scripts/system_libraries.sh pyqt5 xvfb
    echo "No display: the demo runs in a virtual one."
    exec xvfb-run -a -s "-screen 0 1600x1000x24" .venv/bin/napari-vol3d demo --headless "$@"
fi
sh scripts/system_libraries.sh pyqt5
exec .venv/bin/napari-vol3d demo "$@"
