"""Where the accepted readings of a case differ, ready for somebody to decide on it, region by region.

`opinions_on` says whose readings these are; `differences` finds the regions; `Differences.settle` decides on one.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.disagreement import (
    Region,
    adjudicate,
    adjudicate_by_majority,
    disagreement_labels,
    find_regions,
)
from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import FileProblem, ScanMismatch
from napari_vol3d.core.labels import to_label_dtype
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.volume import Spacing
from napari_vol3d.review.project.accepting import labels_of_version
from napari_vol3d.review.project.agreement import pseudonyms
from napari_vol3d.review.project.agreement_pairs import EVERYBODY
from napari_vol3d.review.project.foreseen import labels_of_prediction, newest_prediction
from napari_vol3d.review.project.store import Project

Choice: TypeAlias = Literal["first", "second", "third"]
MANY = 3  # readings that can outvote one
AGREED = "Take what both readers say"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """Labels of a case that somebody accepted.

    Attributes
    ----------
    who : str
        Whose, for the screen: "ann", "everybody's list".
    called : str
        Whose, for the history and for reports: "reader 1", "worklist".
    version : str
        Key of the version.
    """

    who: str
    called: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Differences:
    """Readings of a case, and the regions where the first two differ.

    Attributes
    ----------
    opinions : tuple of Opinion
        Two or more; those that are decided between are the first two.
    labels : tuple of ndarray of an unsigned integer type, shape (Z, Y, X)
        Of each opinion.
    model : ndarray of an unsigned integer type, shape (Z, Y, X), or None
        The newest prediction.
    kinds : ndarray of uint8, shape (Z, Y, X)
        As `core.disagreement.disagreement_labels` has it.
    numbers : ndarray of an unsigned integer type, shape (Z, Y, X)
        Of the regions.
    regions : tuple of Region
        The largest first.
    agreed : Edit or None
        What both say where they agree, as a change of the labels that are decided on; None where these say the same.
    """

    opinions: tuple[Opinion, ...]
    labels: tuple[NDArray[Any], ...]
    model: NDArray[Any] | None
    kinds: NDArray[np.uint8]
    numbers: NDArray[Any]
    regions: tuple[Region, ...]
    agreed: Edit | None

    @property
    def third(self) -> str:
        """Who may decide beside the two: "majority" of three readings or more, else "model"; "" for nobody."""
        return "majority" if len(self.labels) >= MANY else "" if self.model is None else "model"

    def called(self, choice: Choice) -> str:
        """Say who decides, without a name: "reader 1", "the model"."""
        if choice == "third":
            return f"the {self.third}"
        return self.opinions[0 if choice == "first" else 1].called

    def settle(self, region: Region, choice: Choice, final: Any) -> Edit | None:
        """Take in a region what one of the readings, the majority of them, or the model says.

        Parameters
        ----------
        final : array of an unsigned integer type, shape (Z, Y, X)
            The labels that are decided on, as they are now; they are only read.

        Returns
        -------
        Edit or None
            "Take reader 1, region 3"; None where the labels say the same already.

        Raises
        ------
        ScanMismatch
            If nobody but the two can decide, or the shapes differ.
        Vol3dError
            If an id does not fit into the type of the labels.
        """
        name = f"Take {self.called(choice)}, region {region.id}"
        if choice == "third" and len(self.labels) >= MANY:
            return adjudicate_by_majority(final, self.labels, region=region, numbers=self.numbers, name=name)
        source = self.model if choice == "third" else self.labels[0 if choice == "first" else 1]
        if source is None:
            raise ScanMismatch("There is no prediction of this case.", hint="Take one of the readings.")
        return adjudicate(final, source, region=region, numbers=self.numbers, name=name)


def opinions_on(project: Project, case: str) -> tuple[Opinion, ...]:
    """Give the first readings of a case that are accepted now, by the names of the readers.

    The worklist that everybody works on, where the decisions go, counts as a reader only beside a single other one.
    """
    called = pseudonyms(project.readers())
    accepted = [one for one in project.readings_of(case) if one.version is not None and not one.repeat]
    named = [
        Opinion(who=one.reader, called=called[one.reader], version=one.version)
        for one in accepted if one.reader and one.version is not None
    ]  # fmt: skip
    common = [
        Opinion(who="everybody's list", called=EVERYBODY, version=one.version)
        for one in accepted if not one.reader and one.version is not None
    ]  # fmt: skip
    return (*named, *common) if len(named) == 1 else tuple(named)


def differences(
    project: Project, case: str, *, final: Any, spacing: Spacing | None, frame: int | None = None
) -> Generator[Progress, None, Differences]:
    """Read what was accepted for a case, and find where the first two readings differ.

    Parameters
    ----------
    final : array of an unsigned integer type, shape (Z, Y, X)
        The labels that are decided on, as they are now.
    spacing : tuple of float or None
        Along (z, y, x), in mm; None where the scan has no unit of length.
    frame : int, optional
        The time point, of a series.

    Raises
    ------
    FileProblem
        If there are no two readings, or one is damaged.
    ScanMismatch
        If they are of another grid.
    Vol3dError
        If they differ in so fine a grain that no list of it would be of use, or have ids that do not fit.
    """
    opinions = opinions_on(project, case)
    if len(opinions) < 2:
        raise FileProblem("No two readings of this case are accepted.", hint="Ask for a second reading first.")
    labels = []
    for place, opinion in enumerate(opinions):
        yield Progress(phase="Reading what was accepted", done=place, total=len(opinions) + 1)
        labels.append(_checked(labels_of_version(project, opinion.version), final, frame))
    made = newest_prediction(project, case)
    model = None if made is None else _checked(labels_of_prediction(project, made.key), final, frame)
    first, second = labels[:2]
    numbers, regions = yield from find_regions(first, second, spacing=spacing)
    yield Progress(phase="Comparing readings")
    return Differences(
        opinions=opinions, labels=tuple(labels), model=model, kinds=disagreement_labels(first, second),
        numbers=numbers, regions=regions, agreed=_agreed(final, first, second),
    )  # fmt: skip


def _checked(labels: NDArray[Any], final: Any, frame: int | None) -> NDArray[Any]:
    found = labels if frame is None or labels.ndim == 3 else labels[frame]
    if found.shape != tuple(final.shape):
        raise ScanMismatch(
            f"A reading has another grid: {found.shape}, the labels {tuple(final.shape)}.",
            hint="It can't be compared with these labels.",
        )
    return found


def _agreed(final: Any, first: NDArray[Any], second: NDArray[Any]) -> Edit | None:
    before = np.asarray(final)
    after = np.where(first == second, to_label_dtype(first, before.dtype), before)
    return Edit.between(AGREED, before, after)
