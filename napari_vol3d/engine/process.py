"""Serving requests until the parent is gone: what the engine process does once its cage is closed."""

from __future__ import annotations

import errno
import os
import queue
import sys
from collections.abc import Iterator
from typing import TextIO

from napari_vol3d.core.errors import EngineProblem, ModelProblem, ScanMismatch, Vol3dError
from napari_vol3d.engine.broom import Broom
from napari_vol3d.engine.inbox import Inbox
from napari_vol3d.engine.messages import OUT_OF_MEMORY, Cancel, Cancelled, Failed, Message, Ready

__all__ = ["OUT_OF_MEMORY", "answer_safely", "serve"]
IDLE_SECONDS = 600.0
NO_MEMORY = Failed(problem="memory", message="The engine ran out of memory.", hint="Choose a smaller memory budget.")


def serve(*, device: str, backend: str, precision: str, train: bool, broom: Broom | None, cage: str) -> None:
    """Wake the backend, say so, and serve requests until the pipe closes or ten idle minutes are over.

    Parameters
    ----------
    device, backend, precision, train
        As `runtime.start` takes them.
    broom : Broom or None
        Removes the private folder when the parent is gone.
    cage : str
        Why there is no cage, if so.
    """
    replies = _claim_stdout()
    inbox = Inbox(sys.stdin, broom)
    if hasattr(os, "nice"):
        os.nice(5)  # the window's own thread comes first

    def say(message: Message) -> None:
        replies.write(message.model_dump_json() + "\n")
        replies.flush()

    from napari_vol3d.engine import runtime

    try:
        awake = runtime.start(device, backend=backend, precision=precision, train=train)
    except EngineProblem as problem:
        say(Failed(problem="engine", message=problem.message, hint=problem.hint))
        return
    say(Ready(device=awake.device, policy=awake.policy, versions=awake.versions, cage=cage))
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
            for report in answer_safely(server.answer(request)):
                say(report)


def answer_safely(reports: Iterator[Message]) -> Iterator[Message]:
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
