#!/bin/sh
# Install Debian packages, or say which command would.
# Usage: sh scripts/apt.sh PACKAGE...
# It may where apt-get exists and this is root or somebody whose sudo asks for no password.
set -eu

if ! command -v apt-get >/dev/null 2>&1; then
    echo "Missing on this system, and there is no apt-get to install it with; Debian's names: $*" >&2
    exit 1
fi
if [ "$(id -u)" -eq 0 ]; then
    as_root=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root="sudo -n"
else
    echo "Missing system packages. Please run, then try again:" >&2
    echo "    sudo apt-get install --no-install-recommends $*" >&2
    exit 1
fi
echo "Installing with apt-get: $*"
# $as_root is empty or two words.
# shellcheck disable=SC2086
{
    $as_root apt-get update -qq
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}
