"""The engine process: `python -m napari_vol3d.engine`, started by `pipeline.child` and by nobody else.

Requests come in on stdin and reports go out on stdout, one JSON record a line (see `messages`). What TensorFlow and
other libraries print goes to stderr. The process ends when its pipe closes or after ten idle minutes.
"""

from __future__ import annotations

import argparse
import errno
import os
import queue
import signal
import sys
import tempfile
from collections.abc import Iterator
from typing import TextIO

from napari_vol3d.core.errors import EngineProblem, ModelProblem, ScanMismatch, Vol3dError
from napari_vol3d.engine.inbox import Inbox
from napari_vol3d.engine.messages import OUT_OF_MEMORY, Cancel, Cancelled, Failed, Message, Ready

IDLE_SECONDS = 600.0
NO_MEMORY = Failed(problem="memory", message="The engine ran out of memory.", hint="Choose a smaller memory budget.")


def main() -> None:
    """Serve requests until the parent is gone."""
    parser = argparse.ArgumentParser(prog="napari_vol3d.engine")
    parser.add_argument("--device", choices=("auto", "cpu", "gpu"), default="auto")
    parser.add_argument("--backend", choices=("tensorflow", "jax", "torch"), default="tensorflow")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--train", action="store_true")
    parser.add_argument("--folder", help="private folder to remove when the parent is gone")
    arguments = parser.parse_args()
    if arguments.folder:
        tempfile.tempdir = arguments.folder  # TensorFlow leaves a file there for each function that it traces
    for name in ("SIGINT", "SIGHUP"):
        # Meant for the parent, and sent to both: this process ends when its pipe closes, and its folder with it.
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    replies = _claim_stdout()
    inbox = Inbox(sys.stdin, arguments.folder)
    if hasattr(os, "nice"):
        os.nice(5)  # the window's own thread comes first

    def say(message: Message) -> None:
        replies.write(message.model_dump_json() + "\n")
        replies.flush()

    from napari_vol3d.engine import runtime

    try:
        awake = runtime.start(
            arguments.device, backend=arguments.backend, precision=arguments.precision, train=arguments.train
        )
    except EngineProblem as problem:
        say(Failed(problem="engine", message=problem.message, hint=problem.hint))
        return
    say(Ready(device=awake.device, policy=awake.policy, versions=awake.versions))
    from napari_vol3d.engine.serve import Server

    server = Server(inbox)
    while True:
        try:
            request = inbox.waiting.get(timeout=IDLE_SECONDS)
        except queue.Empty:
            return
        if isinstance(request, Cancel):
            inbox.cancelled.clear()
            say(Cancelled(number=request.number))
        elif not inbox.cancelled.is_set():
            for report in _answer(server.answer(request)):
                say(report)


def _answer(reports: Iterator[Message]) -> Iterator[Message]:
    """Pass reports on and turn what goes wrong into a last one: the engine outlives a bad request."""
    try:
        yield from reports
    except ModelProblem as error:
        yield Failed(problem="model", message=error.message, hint=error.hint)
    except ScanMismatch as error:
        yield Failed(problem="mismatch", message=error.message, hint=error.hint)
    except MemoryError:
        yield NO_MEMORY
    except Vol3dError as error:
        yield Failed(problem="engine", message=error.message, hint=error.hint)
    except OSError as error:
        if error.errno == errno.ENOMEM:  # a file that could not be mapped
            yield NO_MEMORY
            return
        yield Failed(problem="engine", message=f"The engine could not use a file: {error}.", hint="Is the disk full?")


def _claim_stdout() -> TextIO:
    """Keep the pipe for reports; what libraries print, C code included, goes to stderr."""
    private = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return os.fdopen(private, "w", encoding="utf-8")


if __name__ == "__main__":
    try:
        main()
    except (MemoryError, SystemError):  # the second: Python itself had no memory to say what went wrong
        os._exit(OUT_OF_MEMORY)
