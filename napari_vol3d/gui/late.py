"""What a room needs, loaded beside the window: libraries that take seconds on a busy machine."""

from __future__ import annotations

import sys
from collections.abc import Generator
from importlib import import_module

from qtpy.QtCore import QObject, Qt, Signal
from qtpy.QtWidgets import QLabel

from napari_vol3d.core.progress import Progress
from napari_vol3d.gui.jobs import Job

MARGIN = 9


class Late(QObject):
    """Modules that are imported in a thread when they are first asked for.

    Parameters
    ----------
    names : str
        Whole names of modules, in the order in which they are loaded. Importing one must make no widget.

    Notes
    -----
    Who imports one of them in the window's thread meanwhile waits until the thread has it, and both have the same.
    """

    loaded = Signal()

    def __init__(self, *names: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._names = names
        self.job: Job | None = None

    @property
    def there(self) -> bool:
        """Whether all are loaded: importing them again takes no time."""
        return all(map(_whole, self._names))

    def begin(self) -> bool:
        """Give whether all are there; where not, load them, unless that goes on already, and tell `loaded` once."""
        there = self.there
        if not there and (self.job is None or not self.job.running):
            self.job = Job(_load(self._names), name="Loading libraries", parent=self)
            self.job.succeeded.connect(self._on_loaded)
            self.job.start()
        return there

    def let_go(self) -> None:
        """Tell nobody any more; what is being imported is imported to its end."""
        if self.job is not None:
            self.job.stop()

    def _on_loaded(self) -> None:
        self.loaded.emit()


class Coming(QLabel):
    """Stands in a room's place until there is one."""

    def __init__(self) -> None:
        super().__init__()
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.setMargin(MARGIN)
        self.say("")

    def say(self, name: str) -> None:
        """Say what is being opened: a project's name, or "" for the tab itself."""
        self.setText(f"Opening {name or 'this tab'} ...")


def _whole(name: str) -> bool:
    module = sys.modules.get(name)
    # A module is listed before it has run; this is the import system's own mark of one that still runs.
    return module is not None and not getattr(module.__spec__, "_initializing", False)


def _load(names: tuple[str, ...]) -> Generator[Progress, None, None]:
    """Give nothing: a job that was stopped before the end is told as cancelled then, however far it came."""
    for done, name in enumerate(names):
        yield Progress(phase="Loading libraries", done=done, total=len(names))
        import_module(name)
