"""Predictions that were made ahead: kept with their voxels, so that the next scan is there at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import insert, select, update

from napari_vol3d.review import schema
from napari_vol3d.review.project.records import Foreseen
from napari_vol3d.review.project.store import Project, there
from napari_vol3d.review.project.tables import plain_columns, predictions, readings
from napari_vol3d.review.project.voxels import packed, unpacked


def remember(project: Project, case: str, seen: Any) -> Foreseen:
    """Keep what was seen ahead of a case, its oddities before its other places.

    Parameters
    ----------
    seen : pipeline.foresee.Foresight
        Which this room does not import.
    """
    odd = [_oddity(seen.labels, one.words, one.class_id) for one in seen.outliers]
    made = Foreseen(
        case=case, model=seen.model, model_sha256=seen.model_sha256, settings=seen.settings, score=seen.score,
        places=(*odd, *(place.plain() for place in seen.places)), seconds=seen.seconds,
    )  # fmt: skip
    return keep_prediction(project, made, seen.labels)


def _oddity(labels: NDArray[Any], words: str, class_id: int) -> dict[str, Any]:
    """Give what is odd of a whole class as a place, at the voxel of it that is nearest to its middle."""
    found = np.argwhere(labels == class_id)[:, -3:]
    centre = np.array(labels.shape[-3:]) // 2  # where it is not there at all
    if len(found):
        centre = found[((found - found.mean(axis=0)) ** 2).sum(axis=1).argmin()]
    return {"words": words, "score": 1.0, "centre": centre.tolist(), "class_id": class_id, "voxels": len(found)}


def keep_prediction(project: Project, made: Foreseen, labels: NDArray[Any]) -> Foreseen:
    """Keep a prediction; readings of its case that were to do become predicted.

    Parameters
    ----------
    labels : ndarray of an unsigned integer type, shape (Z, Y, X) or (T, Z, Y, X)

    Returns
    -------
    Foreseen
        With what the voxels say: shape, type, checksum.
    """
    voxels = packed(labels)
    kept = voxels.described(made)
    with schema.writing(project.journal.engine, project.path) as connection:
        connection.execute(insert(predictions), [{**kept.row(), "payload": voxels.payload}])
        waiting = (readings.c.case_key == made.case) & (readings.c.status == "todo") & (readings.c.blind == 0)
        connection.execute(update(readings).where(waiting).values(status="predicted"))
    return kept


def newest_prediction(project: Project, case: str) -> Foreseen | None:
    """Give the last prediction of a case, without its voxels."""
    asked = select(*plain_columns(predictions)).where(predictions.c.case_key == case)
    with schema.reading(project.journal.engine, project.path) as connection:
        row = connection.execute(asked.order_by(predictions.c.time.desc()).limit(1)).mappings().first()
    return None if row is None else Foreseen.from_row(dict(row))


def prediction_of(project: Project, key: str) -> Foreseen | None:
    """Give a prediction by its key, without its voxels; None where it was lost with a damaged file."""
    asked = select(*plain_columns(predictions)).where(predictions.c.key == key)
    with schema.reading(project.journal.engine, project.path) as connection:
        row = connection.execute(asked).mappings().first()
    return None if row is None else Foreseen.from_row(dict(row))


def predicted_cases(project: Project) -> frozenset[str]:
    """Give the keys of the cases that have a prediction."""
    with schema.reading(project.journal.engine, project.path) as connection:
        return frozenset(connection.execute(select(predictions.c.case_key).distinct()).scalars())


def labels_of_prediction(project: Project, key: str) -> NDArray[Any]:
    """Give the labels of a prediction, an array of its own.

    Raises
    ------
    FileProblem
        If it is not there, or its voxels are damaged.
    """
    with schema.reading(project.journal.engine, project.path) as connection:
        row = connection.execute(select(predictions).where(predictions.c.key == key)).mappings().first()
    return unpacked(there(row), project.path.name)
