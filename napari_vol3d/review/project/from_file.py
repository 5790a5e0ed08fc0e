"""Reading what a project's file holds: with flipped bits it can be anything, and then one sentence says so."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Table

from napari_vol3d.core.labels import LabelClass
from napari_vol3d.review.project.tables import misfits
from napari_vol3d.review.schema import JournalDamaged


@contextmanager
def told_damaged(what: str) -> Iterator[None]:
    """Turn what Python says of values that make no sense into a `JournalDamaged`."""
    try:
        yield
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError) as error:
        raise JournalDamaged(
            f"The project is damaged: {what} can't be read.", hint="Open it again to recover it."
        ) from error


@contextmanager
def sound_row(what: str, table: Table, row: Mapping[str, Any]) -> Iterator[None]:
    """Read a row of this table within: its values are of the types of their columns.

    Raises
    ------
    JournalDamaged
        If they are not, or what is done within says that they make no sense.
    """
    with told_damaged(what):
        wrong = misfits(table, row)
        if wrong:
            raise ValueError(wrong[0])
        yield


def said_of(text: str, name: str) -> Any:
    """Read something that a project remembers: the label table, the model, the protocol, its name.

    Raises
    ------
    JournalDamaged
        If it makes no sense.
    """
    with told_damaged(f"its {name}"):
        said = json.loads(text)
        if name == "classes":
            classes_of(said)
        elif name in ("model", "protocol"):
            dict(said)
        return said


def classes_of(said: Any) -> tuple[LabelClass, ...]:
    """Read a label table."""
    with told_damaged("its label table"):
        return tuple(LabelClass(id=int(c["id"]), name=str(c["name"]), color=str(c["color"])) for c in said)


def mapping_of(text: str) -> dict[str, Any]:
    """Read a JSON object."""
    found = json.loads(text)
    if not isinstance(found, dict):
        raise TypeError(type(found).__name__)
    return found


def shape_of(text: str) -> tuple[int, ...]:
    """Read the shape of an array."""
    return tuple(map(int, json.loads(text)))
