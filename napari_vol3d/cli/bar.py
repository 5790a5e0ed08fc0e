"""Progress of a verb, as a bar on the terminal."""

from __future__ import annotations

import contextlib
import functools
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from typing import TypeVar

from tqdm import tqdm

from napari_vol3d.core.progress import Progress

Result = TypeVar("Result")
QUIET_SECONDS = 60.0
Show = Callable[[Progress, Progress], None]
# Set by `main`: the exception that a signal raises can be lost, in a __del__ for instance.
interrupted = threading.Event()


def run_with_bar(verb: Generator[Progress, None, Result], *, title: str, unit: str) -> Result:
    """Drive a verb to its end, show a bar, and give its result; Ctrl-C closes the verb first.

    In a file, or a pipe, there is no bar that could move: lines say how far it is.
    """
    shown = Progress(phase="")
    with contextlib.closing(verb), _bar(title, unit) as show:
        while True:
            if interrupted.is_set():
                raise KeyboardInterrupt
            try:
                progress = next(verb)
            except StopIteration as end:
                result: Result = end.value
                return result
            # Verbs give signs of life many times a second; a terminal, or a log file, wants news only.
            if (progress.phase, progress.done, progress.figures) != (shown.phase, shown.done, shown.figures):
                show(progress, shown)
                shown = progress


@contextlib.contextmanager
def _bar(title: str, unit: str) -> Iterator[Show]:
    """Give what shows a report of a verb, which is also told the last one."""
    if not sys.stderr.isatty():
        yield _Lines(title)
        return
    with tqdm(desc=title, unit=unit, file=sys.stderr, mininterval=0.5) as bar:
        yield functools.partial(_move, bar, title)


def _move(bar: tqdm, title: str, progress: Progress, before: Progress) -> None:
    if progress.total and (progress.phase != before.phase or bar.total != progress.total):
        bar.reset(total=progress.total)
    bar.set_description_str(f"{title}: {progress.phase}", refresh=False)
    bar.set_postfix_str(_figures(progress), refresh=False)
    if progress.total:
        bar.update(progress.done - bar.n)
    else:
        bar.refresh()


class _Lines:
    """News in lines, for a file: a phase that begins, a tenth of its work, and a sign of life each minute."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._written = 0.0

    def __call__(self, progress: Progress, before: Progress) -> None:
        new = progress.phase != before.phase or int(progress.fraction * 10) > int(before.fraction * 10)
        if new or time.monotonic() - self._written > QUIET_SECONDS:
            count = f" {progress.done} of {progress.total}" if progress.total else ""
            figures = f" ({_figures(progress)})" if progress.figures else ""
            sys.stderr.write(f"{self._title}: {progress.phase}{count}{figures}\n")
            sys.stderr.flush()
            self._written = time.monotonic()


def _figures(progress: Progress) -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in progress.figures.items())
