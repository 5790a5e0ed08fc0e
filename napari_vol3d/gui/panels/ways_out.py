"""The ways out of a project: what each asks for, the verb that writes, and what is said of it then."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QFileDialog, QWidget

from napari_vol3d.core.progress import Progress

if TYPE_CHECKING:
    from napari_vol3d.review.project.store import Project  # loads the database: not at the start of a window

SEED, VALIDATION_SHARE, TEST_SHARE = 0, 0.15, 0.15
REPORTS = "Report (*.html)"
Writing = Generator[Progress, None, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way out.

    Attributes
    ----------
    ask : callable
        Ask a person where; gives a path that nothing of theirs is at, or None.
    write : callable
        The verb.
    say : callable
        Say what was written, from the verb's result: "120 files".
    inner : str
        Where in the folder that was asked for it is written; "" right in it.
    """

    name: str
    tip: str
    ask: Callable[[QWidget, Project], Path | None]
    write: Callable[[Project, Path], Writing]
    say: Callable[[Any], str]
    inner: str = ""


def fresh_folder(chosen: Path, name: str) -> Path:
    """Give the folder to write to: the chosen one if it is empty, else one in it that is not there yet.

    Codes of cases are often the names of their scans: labels in the folder of the scans would replace them.
    """
    names = chain((name,), (f"{name}_{number}" for number in count(2)))
    try:
        if not chosen.exists() or not any(chosen.iterdir()):
            return chosen
        return next(chosen / one for one in names if not (chosen / one).exists())
    except OSError:  # nobody may look into it: the verb says so
        return chosen / name


def _ask_folder(parent: QWidget, title: str, project: Project) -> Path | None:
    chosen = QFileDialog.getExistingDirectory(parent, title, str(project.path.parent))
    return Path(chosen) if chosen else None


def _ask_for(name: str, title: str) -> Callable[[QWidget, Project], Path | None]:
    def ask(parent: QWidget, project: Project) -> Path | None:
        chosen = _ask_folder(parent, title, project)
        return None if chosen is None else fresh_folder(chosen, name)

    return ask


def _ask_bids(parent: QWidget, project: Project) -> Path | None:
    return _ask_folder(parent, "The BIDS data set, or a folder for one", project)


def _ask_report(parent: QWidget, project: Project, proposed: Path | None = None) -> Path | None:
    start = proposed or project.path.with_name(f"{project.path.stem} report.html")
    chosen, _ = QFileDialog.getSaveFileName(parent, "Write the report", str(start), REPORTS)
    if not chosen or chosen.lower().endswith((".html", ".htm")):
        return Path(chosen) if chosen else None
    completed = Path(f"{chosen}.html")
    # The dialog knows only the name as it was typed: it has not asked whether this file may be replaced.
    return _ask_report(parent, project, completed) if completed.exists() else completed


def _labels(project: Project, folder: Path) -> Writing:
    from napari_vol3d.review.project.export import export_files

    return (yield from export_files(project, folder))


def _bids(project: Project, folder: Path) -> Writing:
    from napari_vol3d.review.project.bids_export import export_bids

    return (yield from export_bids(project, folder))


def _training(project: Project, folder: Path) -> Writing:
    from napari_vol3d.review.project.training_export import export_training

    return (
        yield from export_training(
            project, folder, seed=SEED, validation_share=VALIDATION_SHARE, test_share=TEST_SHARE
        )
    )  # fmt: skip


def _figures(project: Project, folder: Path) -> Writing:
    from napari_vol3d.review.project.figures import export_figures

    return (yield from export_figures(project, folder))


def _report(project: Project, path: Path) -> Writing:
    from napari_vol3d.review.project.report import write_report

    return (yield from write_report(project, path))


def _say_files(files: Any) -> str:
    return f"{len(files):,} file{'' if len(files) == 1 else 's'}"


def _say_maps(files: Any) -> str:
    return f"{len(files):,} label map{'' if len(files) == 1 else 's'}"


def _say_split(written: Any) -> str:
    parts = {part: len(names) for part, names in written.splits.items()}
    words = ", ".join(f"{number:,} {part}" for part, number in parts.items() if number)
    return f"{sum(parts.values()):,} scan{'' if sum(parts.values()) == 1 else 's'} ({words})"


def _say_report(path: Any) -> str:
    return str(path.name)


LABELS, BIDS, TRAINING, FIGURES, REPORT = WAYS = (
    Way(
        name="Labels ...", write=_labels, say=_say_files,
        tip="Accepted labels, each in the format and on the grid of its scan, called by the code of its case",
        ask=_ask_for("labels", "Where the labels go: into an empty folder, else into a new one in it"),
    ),
    Way(
        name="BIDS derivatives ...", write=_bids, say=_say_maps, ask=_ask_bids,
        inner="derivatives/napari-vol3d",
        tip="Accepted labels in derivatives/napari-vol3d, with dseg.tsv and dataset_description.json",
    ),
    Way(
        name="Training folder ...", write=_training, say=_say_split,
        tip=f"Images and labels that “napari-vol3d train” takes as they are; {VALIDATION_SHARE:.0%} of the subjects "
            f"validate, {TEST_SHARE:.0%} are kept for a test",
        ask=_ask_for("training", "Where images and labels go: into an empty folder, else into a new one in it"),
    ),
    Way(
        name="Figures ...", write=_figures, say=_say_files,
        tip="All figures as CSV, and what was done with each case as JSON; codes only, no names",
        ask=_ask_for("figures", "Where the tables go: into an empty folder, else into a new one in it"),
    ),
    Way(
        name="Report ...", write=_report, say=_say_report, ask=_ask_report,
        tip="One HTML file with plots and pictures, which opens in any browser without network; codes only, no names",
    ),
)  # fmt: skip
