#!/bin/sh
# Install what Qt and OpenGL need from the system, where it is missing. Quick when nothing is.
# Usage: sh scripts/system_libraries.sh [pyqt5] [pyqt6] [xvfb]
# Libraries are looked up by file name: package names differ between Debian and Ubuntu releases, file names do not.
# Only Linux needs this: the wheels for macOS and Windows bring everything.
set -eu

[ "$(uname -s)" = Linux ] || exit 0
here=$(dirname "$0")

# Each is needed by Qt's xcb plugin or by OpenGL; without one of them Qt aborts the program.
qt="libGL.so.1:libgl1 libglib-2.0.so.0:libglib2.0-0 libfontconfig.so.1:libfontconfig1 libdbus-1.so.3:libdbus-1-3
    libxkbcommon-x11.so.0:libxkbcommon-x11-0 libxcb-icccm.so.4:libxcb-icccm4 libxcb-image.so.0:libxcb-image0
    libxcb-keysyms.so.1:libxcb-keysyms1 libxcb-render-util.so.0:libxcb-render-util0 libxcb-shape.so.0:libxcb-shape0
    libxcb-xinerama.so.0:libxcb-xinerama0"
qt6="libEGL.so.1:libegl1 libxcb-cursor.so.0:libxcb-cursor0"
screen="xvfb-run:xvfb xauth:xauth"

libraries=""
programs=""
for want in "$@"; do
    case $want in
        pyqt5) libraries="$libraries $qt" ;;
        pyqt6) libraries="$libraries $qt $qt6" ;;
        xvfb) programs=$screen ;;
        *) echo "system_libraries.sh: unknown word '$want'" >&2; exit 2 ;;
    esac
done

# ldconfig lies in /sbin, which is not on everybody's path.
PATH=$PATH:/sbin:/usr/sbin
known=$(ldconfig -p 2>/dev/null || true)
missing=""
for entry in $libraries; do
    case $known in
        *"${entry%%:*} "*) ;;
        *) missing="$missing ${entry##*:}" ;;
    esac
done
for entry in $programs; do
    command -v "${entry%%:*}" >/dev/null 2>&1 || missing="$missing ${entry##*:}"
done

[ -n "$missing" ] || exit 0
# One argument a package.
# shellcheck disable=SC2086
exec sh "$here/apt.sh" $missing
