"""Progress of a verb, as a bar on the terminal."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Generator
from typing import TypeVar

from tqdm import tqdm

from napari_vol3d.core.progress import Progress

Result = TypeVar("Result")
# Set by `main`: the exception that a signal raises can be lost, in a __del__ for instance.
interrupted = threading.Event()


def run_with_bar(verb: Generator[Progress, None, Result], *, title: str, unit: str) -> Result:
    """Drive a verb to its end, show a bar, and give its result; Ctrl-C closes the verb first."""
    shown = Progress(phase="")
    with contextlib.closing(verb), tqdm(desc=title, unit=unit, file=sys.stderr, mininterval=0.5) as bar:
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
                _show(bar, progress, title, new_phase=progress.phase != shown.phase)
                shown = progress


def _show(bar: tqdm, progress: Progress, title: str, *, new_phase: bool) -> None:
    if progress.total and (new_phase or bar.total != progress.total):
        bar.reset(total=progress.total)
    figures = ", ".join(f"{name} {value:.3f}" for name, value in progress.figures.items())
    bar.set_description_str(f"{title}: {progress.phase}", refresh=False)
    bar.set_postfix_str(figures, refresh=False)
    if progress.total:
        bar.update(progress.done - bar.n)
    else:
        bar.refresh()
