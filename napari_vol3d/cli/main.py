"""Entry point: parse, run, and report what went wrong in one line and an exit code."""

from __future__ import annotations

import argparse
import logging
import os
import select
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from napari_vol3d import __version__
from napari_vol3d.cli import demo, evaluate, info, models, review, segment, train
from napari_vol3d.cli.bar import interrupted
from napari_vol3d.core.errors import Vol3dError

EPILOG = """\
exit codes: 0 done, 1 failed, 2 wrong usage, 3 model can't be used, 4 file can't be read or written,
5 scan and model don't fit, 6 the engine stopped, 130 interrupted

For research use only; not a medical device.
"""
ENDINGS = ("SIGINT", "SIGTERM", "SIGHUP")


def parser() -> argparse.ArgumentParser:
    """Build the command line's parser."""
    top = argparse.ArgumentParser(
        prog="napari-vol3d",
        description="Segment 3D scans with Conv3D networks, from the command line or in a napari window.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"napari-vol3d {__version__}")
    top.add_argument("-v", "--verbose", action="store_true", help="log what is going on to stderr")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (segment, info, models, evaluate, train, review, demo):
        command.add(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and exit."""
    # A scheduler's SIGTERM, or a terminal that is closed, ends a run as Ctrl-C does: generators close, the engine
    # process goes, no half file stays.
    interrupted.clear()
    for name in ENDINGS:
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # `nohup` has asked for that
            signal.signal(number, _interrupt)
    try:
        try:
            code = _run(arguments)
        finally:
            sys.stdout.flush()  # here, where a closed pipe is understood, and not at the interpreter's end
        sys.exit(code)
    except Vol3dError as error:
        sys.stderr.write(f"napari-vol3d: {error}\n")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("napari-vol3d: interrupted; nothing half-written was left.\n")
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output is gone (`| head`): not an error, but Python would complain again at exit.
        all_told = _is_unread(1)  # else nobody reads what went wrong, and there may be no labels
        for number in (1, 2):
            os.dup2(os.open(os.devnull, os.O_WRONLY), number)
        sys.exit(0 if all_told else 1)
    except MemoryError as error:
        sys.stderr.write(f"napari-vol3d: not enough memory: {str(error) or 'all of it is taken'}\n")
        sys.exit(1)
    except OSError as error:
        sys.stderr.write(f"napari-vol3d: {error.strerror or error}: {error.filename or 'a file'}\n")
        sys.exit(4)
    except Exception:
        if not interrupted.is_set():
            raise
        sys.stderr.write("napari-vol3d: interrupted.\n")  # a library has put its own exception in the place of ours
        sys.exit(130)


def _is_unread(number: int) -> bool:
    """Whether the reader of a pipe is gone."""
    if not hasattr(select, "poll"):
        return True
    looks = select.poll()
    looks.register(number, select.POLLOUT)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in looks.poll(0))


def _run(arguments: Sequence[str] | None) -> int:
    chosen = parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO if chosen.verbose else logging.WARNING, format="%(levelname)s %(message)s")
    return int(chosen.run(chosen) or 0)


def _interrupt(*_: object) -> NoReturn:
    interrupted.set()
    for name in ENDINGS:  # a second one would cut the cleaning up short
        number = getattr(signal, name, None)
        if number is not None:
            signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
