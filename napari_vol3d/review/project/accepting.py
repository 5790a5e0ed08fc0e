"""Accepting labels: each time an immutable version that says who, when, how long, from what, and what was changed.

`verify` plays the journal of a reading again and gives the labels of a version bit for bit, or says that it can't.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, insert, select, update

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.review import schema
from napari_vol3d.review.line import Line
from napari_vol3d.review.project.foreseen import labels_of_prediction
from napari_vol3d.review.project.records import Act, Status, Version
from napari_vol3d.review.project.store import Project, there
from napari_vol3d.review.project.tables import acts, plain_columns, readings, versions
from napari_vol3d.review.project.voxels import labels_sha256, packed, unpacked
from napari_vol3d.review.records import new_token, utc_now
from napari_vol3d.review.replay import base_of, done_up_to


def accept(project: Project, draft: Version, labels: NDArray[Any]) -> Version:
    """Keep labels as the accepted ones of a reading; status, version and the note of who did it in one transaction.

    Parameters
    ----------
    draft : Version
        Reading, cursor, prediction, who, model and settings are the caller's; number, parent, seconds, changed and
        what the voxels say are found here.
    labels : ndarray, shape (Z, Y, X) or (T, Z, Y, X)
        Must not change meanwhile.

    Raises
    ------
    JournalProblem
        If the file can't be written; then nothing of it is in it.
    """
    voxels = packed(labels)
    changed = changes(_start(project, draft, labels), labels)
    with schema.writing(project.journal.engine, project.path) as connection:
        mine = versions.c.reading_key == draft.reading
        number = 1 + int(connection.execute(select(func.max(versions.c.number)).where(mine)).scalar() or 0)
        row = there(connection.execute(select(readings).where(readings.c.key == draft.reading)).mappings().first())
        counted = float(connection.execute(select(func.sum(versions.c.seconds)).where(mine)).scalar() or 0.0)
        made = voxels.described(
            replace(
                draft, key=new_token(), time=utc_now(), number=number, parent=row["version"], changed=changed,
                seconds=max(row["seconds"] - counted, 0.0),
            )
        )  # fmt: skip
        connection.execute(insert(versions), [{**made.row(), "payload": voxels.payload}])
        values = {"status": "accepted", "annotator": made.who, "version": made.key}
        connection.execute(update(readings).where(readings.c.key == draft.reading).values(values))
        details = {"version": made.key, "from": row["status"]}
        act = Act(act="accept", who=made.who, reading=made.reading, details=details)
        connection.execute(insert(acts), [act.row()])
    return made


def undo_accept(project: Project, reading: str, *, who: str, only: str | None = None) -> Version | None:
    """Take the last accepting of a reading back: its status is what it was; the version stays and can be looked at.

    Parameters
    ----------
    only : str, optional
        Key of the version that is meant: if another is accepted by now, nothing is done.

    Returns
    -------
    Version or None
        The one that is not accepted any more; None where none was.
    """
    found = project.reading(reading)
    now = found.version
    if now is None or found.status != "accepted" or only not in (None, now):
        return None
    version = version_of(project, now)
    came = [act.details for _, act in project.acts(reading) if act.details.get("version") == now]
    before: Status = came[0]["from"] if came else "in review"
    with schema.writing(project.journal.engine, project.path) as connection:
        held = (readings.c.key == reading) & (readings.c.version == now)  # nobody accepted anew meanwhile
        values = {"status": before, "version": version.parent}
        if connection.execute(update(readings).where(held).values(values)).rowcount != 1:
            return None
        act = Act(act="undo accept", who=who, reading=reading, details={"version": now})
        connection.execute(insert(acts), [act.row()])
    return version


def versions_of(project: Project, reading: str) -> tuple[Version, ...]:
    """Give all versions of a reading, oldest first."""
    asked = select(*plain_columns(versions)).where(versions.c.reading_key == reading).order_by(versions.c.number)
    with schema.reading(project.journal.engine, project.path) as connection:
        rows = connection.execute(asked).mappings().all()
    return tuple(Version.from_row(dict(row)) for row in rows)


def accepted_versions(project: Project, reader: str = "") -> Mapping[str, Version]:
    """Give the versions that are accepted now, by the key of their reading, for one reader's worklist."""
    joined = versions.c.key == readings.c.version
    asked = select(*plain_columns(versions)).join(readings, joined).where(readings.c.reader == reader)
    with schema.reading(project.journal.engine, project.path) as connection:
        rows = connection.execute(asked.where(readings.c.status == "accepted")).mappings().all()
    return {row["reading_key"]: Version.from_row(dict(row)) for row in rows}


def version_of(project: Project, key: str) -> Version:
    """Give a version, without its voxels."""
    with schema.reading(project.journal.engine, project.path) as connection:
        row = connection.execute(select(*plain_columns(versions)).where(versions.c.key == key)).mappings().first()
    return Version.from_row(there(row))


def labels_of_version(project: Project, key: str) -> NDArray[Any]:
    """Give the labels of a version, an array of its own.

    Raises
    ------
    FileProblem
        If it is not there, or its voxels are damaged.
    """
    with schema.reading(project.journal.engine, project.path) as connection:
        row = connection.execute(select(versions).where(versions.c.key == key)).mappings().first()
    return unpacked(there(row), project.path.name)


def verify(project: Project, version: Version) -> NDArray[Any]:
    """Make the labels of a version anew, from what the reader started with and every step since.

    Returns
    -------
    ndarray
        The labels, equal to those that were accepted.

    Raises
    ------
    FileProblem
        If they are others.
    JournalDamaged, ScanMismatch
        If a step can't be played.
    """
    labels = _played(project, version)
    if labels_sha256(labels) != version.sha256:
        raise FileProblem(
            f"Version {version.number} is not what its history gives.", hint="Take the project from a backup."
        )
    return labels


def changes(before: NDArray[Any], after: NDArray[Any]) -> dict[str, tuple[int, int]]:
    """Count the voxels of each class that were added and taken away, shapes alike."""
    differs = before != after
    added, taken = after[differs], before[differs]
    ids = np.union1d(np.unique(added), np.unique(taken))
    return {str(i): (int((added == i).sum()), int((taken == i).sum())) for i in ids.tolist() if i != 0}


def _start(project: Project, draft: Version, labels: NDArray[Any]) -> NDArray[Any]:
    """Give the labels that the reader started from; nothing where nobody kept any."""
    if draft.cursor is not None or draft.prediction is None:
        found = [layer for layer in project.journal.layers() if layer.key == draft.reading]
        if found:
            return base_of(project.journal, found[0], project.journal.line(found[0]))
    if draft.prediction is not None:
        return labels_of_prediction(project, draft.prediction)
    return np.zeros_like(labels)


def _played(project: Project, version: Version) -> NDArray[Any]:
    found = [layer for layer in project.journal.layers() if layer.key == version.reading]
    if not found:  # nothing was changed
        if version.prediction is not None:
            return labels_of_prediction(project, version.prediction)
        return labels_of_version(project, version.key)
    history = project.journal.history(found[0])
    line = Line.of(history)
    base = base_of(project.journal, found[0], line)
    return done_up_to(project.journal, line, base, version.cursor)
