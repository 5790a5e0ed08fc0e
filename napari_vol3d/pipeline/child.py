"""The engine process, seen from its parent: started, spoken to, cancelled, and never able to take anything with it."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Generator, Iterator
from typing import IO

from pydantic import ValidationError

from napari_vol3d.core.errors import EngineProblem, MemoryProblem, ModelProblem, ScanMismatch, Vol3dError
from napari_vol3d.engine.messages import OUT_OF_MEMORY, REPORT, Cancel, Cancelled, Failed, Loaded, Message, Ready
from napari_vol3d.io.private_folder import make_private_folder
from napari_vol3d.models.card import ModelCard

log = logging.getLogger(__name__)
POLL_SECONDS = 0.05
GRACE_SECONDS = 0.2  # how long a cancelled tile may go on before its process is killed
POLICIES = {"auto": "auto", "float32": "float32", "bfloat16": "mixed_bfloat16"}  # Keras' own words
STARTS_WITHIN_SECONDS = 120.0
# How a Conv3D without memory ends: killed by the system, a wild pointer in oneDNN, an abort, no disk behind a page.
DEATHS_OF_MEMORY = (signal.SIGSEGV, signal.SIGABRT, 7, 9)
TOO_LONG = getattr(signal, "SIGXCPU", None)
_PROBLEMS: dict[str, type[Vol3dError]] = {"model": ModelProblem, "mismatch": ScanMismatch, "memory": MemoryProblem}


class Engine:
    """A child process that alone loads TensorFlow.

    Starting returns at once; the process wakes up in the background. `folder` is private to the two: arrays pass
    through files in it, and it goes when the engine is closed.

    Parameters
    ----------
    device : str
        "auto", "cpu" or "gpu".
    train : bool
        Whether it will train: precision is chosen for that.
    precision : str
        "auto", "float32" or "bfloat16".
    adopting : bool
        Whether it will look at a stranger's network: it may use less memory, and 15 minutes of computing.
    """

    def __init__(
        self, *, device: str = "auto", train: bool = False, backend: str = "tensorflow", precision: str = "auto",
        adopting: bool = False,
    ) -> None:  # fmt: skip
        self.folder = make_private_folder()
        self.device, self._backend, self._precision = device, backend, precision
        self._purpose = [*["--train"] * train, *["--adopting"] * adopting]
        self.turn = threading.Lock()  # held by the verb that talks to it
        self._writing = threading.Lock()
        self._cancels = 0
        self._closed = False
        self._start()
        _alive.add(self)

    def _start(self) -> None:
        self.folder.mkdir(mode=0o700, exist_ok=True)  # one that is cleared away, with all temporary files, comes back
        self._killed = False  # by this program
        self._log: IO[bytes] = (self.folder / "engine.log").open("wb")
        # -P: a person's folder may hold a keras.py or a queue.py, and is no place to import from.
        command = [sys.executable, "-P", "-m", "napari_vol3d.engine", "--device", self.device]
        command += ["--folder", str(self.folder), "--backend", self._backend]
        command += ["--precision", POLICIES[self._precision], *self._purpose]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True, encoding="utf-8",
            errors="replace", env=_environment(),
        )  # fmt: skip
        self._reports: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._reader = threading.Thread(
            target=self._read, args=(self.process, self._reports), daemon=True, name="vol3d-engine-reader"
        )
        self._reader.start()
        self.ready: Ready | None = None
        self.refusal: EngineProblem | None = None  # why it will never be ready
        self.cards: tuple[ModelCard, ...] = ()  # of the networks that it holds
        self.loaded: Loaded | None = None  # what it said of them

    def restart(self, *, device: str | None = None) -> None:
        """Put a new process in the place of one that died, or that should run on another device.

        Raises
        ------
        EngineProblem
            If the engine was closed.
        """
        if self._closed:
            raise EngineProblem("The engine was closed.", hint="Start again.")
        self._end()
        self.device = device or self.device
        self._start()

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.poll() is None

    @property
    def cage(self) -> str | None:
        """What it says of its cage: nothing where there is one without gaps; None while it is not awake."""
        return None if self.ready is None else self.ready.cage

    def wake(self) -> Iterator[None]:
        """Wait for TensorFlow; yields while waiting, so that the wait can be abandoned."""
        began = time.monotonic()
        while self.ready is None:
            if self.refusal is not None:
                raise self.refusal
            self._hear(self._next())
            if time.monotonic() - began > STARTS_WITHIN_SECONDS:
                raise EngineProblem("The engine does not start.", hint=f"Its last words: {self.last_words()}")
            yield None

    def check_ready(self) -> Ready | None:
        """Give what the engine runs on if it is awake; never waits. Not while `wake` or `ask` is running."""
        if self.ready is None:
            with contextlib.suppress(queue.Empty):
                report = self._reports.get_nowait()
                self._hear(report)
                if report is None:
                    self._reports.put(None)
        return self.ready

    def _hear(self, report: Message | None) -> None:
        """Take what the engine says of itself before its first request."""
        if isinstance(report, Ready):
            self.ready = report
        elif isinstance(report, Failed):
            self.refusal = EngineProblem(report.message, hint=report.hint)

    def ask(self, request: Message, last: type[Message]) -> Generator[Message | None, None, None]:
        """Send a request and give its reports, up to one of the type `last`.

        Yields
        ------
        Message or None
            Reports as they come, None about every 50 ms while there is none: every one is a point to stop at.

        Notes
        -----
        Closing the generator early cancels the request: within `GRACE_SECONDS` the engine has stopped, or is killed.
        """
        self.tell(request)
        ended = False
        try:
            while not ended:
                try:
                    report = self.hear()
                except Vol3dError:
                    ended = True
                    raise
                ended = isinstance(report, last)
                yield report
        finally:
            if not ended:
                self.cancel()

    def hear(self) -> Message | None:
        """Give the next report, None after a short wait.

        Raises
        ------
        Vol3dError
            What the engine says has failed, `MemoryProblem` where memory ran out; or that its process has ended.
        """
        report = self._next()
        if isinstance(report, Failed):
            raise _PROBLEMS.get(report.problem, EngineProblem)(report.message, hint=report.hint)
        return report

    def tell(self, message: Message) -> None:
        """Send one message; a dead process is noticed by the reader."""
        if self.process.stdin is not None:
            # Requests come from a job's thread, `Focus` from the window's: a line is written whole.
            with self._writing, contextlib.suppress(BrokenPipeError, ValueError):
                self.process.stdin.write(message.model_dump_json() + "\n")
                self.process.stdin.flush()

    def cancel(self) -> None:
        """Stop what runs and drop what waits: gently if the running work ends in time, else with the process."""
        self._cancels += 1
        self.tell(Cancel(number=self._cancels))
        deadline = time.monotonic() + GRACE_SECONDS
        while self.alive and time.monotonic() < deadline:
            with contextlib.suppress(queue.Empty):
                report = self._reports.get(timeout=POLL_SECONDS)
                if report is None:
                    self._reports.put(None)  # whoever asks next must hear of the death too
                    return
                if isinstance(report, Cancelled) and report.number == self._cancels:
                    return
        self.kill()

    def kill(self) -> None:
        """End the process at once."""
        self._killed = True
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """End the process and remove the private folder."""
        _alive.discard(self)
        self._closed = True
        self._end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self) -> None:
        if self.alive:
            self.kill()
        self._reader.join(timeout=5)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        self._log.close()

    def last_words(self) -> str:
        """Give the last line that the process wrote to its log."""
        log_file = self.folder / "engine.log"
        lines = log_file.read_text(errors="replace").strip().splitlines() if log_file.exists() else []
        return lines[-1][:300] if lines else "none"

    def _next(self) -> Message | None:
        """Give the next report, None after a short wait.

        Raises
        ------
        EngineProblem
            If the process has ended.
        """
        try:
            report = self._reports.get(timeout=POLL_SECONDS)
        except queue.Empty:
            return None
        if report is None:
            self._reports.put(None)  # a dead process stays dead, however often it is asked
            raise self._obituary()
        return report

    def _obituary(self) -> EngineProblem:
        code = self.process.wait()
        if self._killed:
            return EngineProblem("The engine was stopped.", hint="Your layers are untouched. Press Segment again.")
        log.error("engine process ended with %s; last words: %s", code, self.last_words())
        reason = f"signal {-code}" if code < 0 else f"exit code {code}"
        hint = "Your layers are untouched. Press Segment again; a smaller memory budget helps if it repeats."
        if -code == TOO_LONG:
            return EngineProblem("The model computes too long: 15 minutes were not enough to look at it.")
        if -code in DEATHS_OF_MEMORY or code == OUT_OF_MEMORY:
            return MemoryProblem(f"The engine stopped: {reason} (often: out of memory).", hint=hint)
        return EngineProblem(f"The engine stopped: {reason}.", hint=hint)

    def _read(self, process: subprocess.Popen[str], reports: queue.SimpleQueue[Message | None]) -> None:
        stream = process.stdout
        if stream is not None:
            for line in stream:
                try:
                    reports.put(REPORT.validate_json(line))
                except ValidationError:  # a start-up hook of this Python that prints; the engine itself never does
                    log.warning("the engine wrote something that is no report: %.200s", line.rstrip())
        reports.put(None)


def _environment() -> dict[str, str]:
    """Let glibc take large pages for a network's arrays: 4 % less time on a CPU; elsewhere it means nothing."""
    given = os.environ.get("GLIBC_TUNABLES", "")
    if "glibc.malloc.hugetlb" in given:
        return dict(os.environ)
    return {**os.environ, "GLIBC_TUNABLES": ":".join(filter(None, (given, "glibc.malloc.hugetlb=1")))}


def cage_words(ready: Ready | None = None) -> str:
    """Say for people what holds the engine: what it has said itself, or before it is awake what is usual here."""
    if ready is None and not sys.platform.startswith("linux"):
        return "This system has no cage for it: what a model does, it does with your rights."
    caged = "Runs in a cage: can read Python and its own folder, write there only, no network."
    return (ready.cage if ready is not None else "") or caged


_alive: weakref.WeakSet[Engine] = weakref.WeakSet()


@atexit.register
def close_all() -> None:
    """Leave no process and no folder behind."""
    for engine in list(_alive):
        engine.close()
