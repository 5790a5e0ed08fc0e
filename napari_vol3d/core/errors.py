"""The errors a person can meet: one sentence, and a way on.

Everything that goes wrong for a foreseeable reason is raised as a `Vol3dError` where it is noticed and shown once,
by ``gui/jobs.py`` (a notification) or ``cli/main.py`` (one line and an exit code).
"""

from __future__ import annotations

from typing import ClassVar


class Vol3dError(Exception):
    """Something a person can act on.

    Parameters
    ----------
    message : str
        One sentence; the point comes in its first 40 characters, because toasts are cut there.
    hint : str
        The way on.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class ModelProblem(Vol3dError):
    """A model can't be used: missing, damaged, or not a segmentation network."""

    exit_code = 3


class FileProblem(Vol3dError):
    """A file can't be read, or is not what it claims to be."""

    exit_code = 4


class SaveProblem(Vol3dError):
    """A file could not be written; what stood there before is untouched."""

    exit_code = 4


class ScanMismatch(Vol3dError):
    """Scan and model, or two volumes, do not fit each other."""

    exit_code = 5


class EngineProblem(Vol3dError):
    """The engine process stopped or refused to work."""

    exit_code = 6


class MemoryProblem(EngineProblem):
    """The engine ran out of memory, or died in a way that mostly means so."""
