"""A project's file: the worklist, who works on what, what was predicted; one transaction for each change.

    project = Project.create(folder / "study.vol3d", name="study", cases=cases)
    for row in project.rows():
        project.set_status(row.reading.key, "flagged", who="ann")

Two programs may have one project open: each change names the columns that it changes, so none is lost. Predictions are
in `foreseen`, accepted versions in `accepting`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path, PurePosixPath
from typing import Any, Self

from sqlalchemy import Connection, func, insert, select, update

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.review import schema
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.project.from_file import classes_of, said_of
from napari_vol3d.review.project.opening import prepare, prove
from napari_vol3d.review.project.reading_plan import protocol_of
from napari_vol3d.review.project.records import Act, Case, Reading, Row, Status
from napari_vol3d.review.project.tables import acts, cases, predictions, project, readings
from napari_vol3d.review.records import utc_now


class Project:
    """A project in a file; `create` makes one, `open` finds one.

    Attributes
    ----------
    path : Path
    journal : Journal
        The same file, for the corrections: the layer of a reading has the reading's key.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.journal = Journal(path)

    @classmethod
    def create(
        cls, path: Path, *, name: str, cases: Sequence[Case], classes: Sequence[LabelClass] = (),
        model: Mapping[str, str] | None = None,
    ) -> Self:  # fmt: skip
        """Make a project of these cases, in the order given.

        Parameters
        ----------
        classes : sequence of LabelClass
            The label table.
        model : mapping, optional
            "name", "version" and "sha256" of the model that predicts.

        Raises
        ------
        FileProblem
            If the file is there already, or there is no case.
        JournalProblem
            If it can't be written.
        """
        if path.exists():
            raise FileProblem(f"{path.name} is there already.", hint="Open it, or choose another name.")
        if not cases:
            raise FileProblem("There is no scan to review.", hint="Choose a folder with scans.")
        made = cls(path)
        with schema.told(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        prepare(path)
        with made._writing() as connection:
            for key, value in (("name", name), ("created", utc_now()), ("model", dict(model or {}))):
                _put(connection, key, value)
            _put(connection, "classes", [{"id": c.id, "name": c.name, "color": c.color} for c in classes])
        made.add_cases(cases)
        return made

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a project, or bring an older one up to date; one that is damaged is recovered, see `journal.recovery`.

        Raises
        ------
        FileProblem
            If there is no such file, it is none of ours, or so damaged that nothing of it can be read.
        JournalProblem
            If it can't be read just now, or is damaged and somebody works in it.
        """
        recovery = prove(path)
        found = cls(path)
        found.journal.recovery = recovery
        return found

    # ---- what it is about -------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.said("name", self.path.stem))

    @property
    def classes(self) -> tuple[LabelClass, ...]:
        """The label table."""
        return classes_of(self.said("classes", []))

    @property
    def model(self) -> Mapping[str, str]:
        """Give "name", "version" and "sha256" of the model that predicts; nothing where there is none."""
        return dict(self.said("model", {}))

    def said(self, name: str, default: Any) -> Any:
        """Give something that the project remembers."""
        with self._reading() as connection:
            text = connection.execute(select(project.c.value).where(project.c.name == name)).scalar()
        return default if text is None else said_of(text, name)

    def say(self, name: str, value: Any) -> None:
        """Have the project remember something; only what JSON knows."""
        with self._writing() as connection:
            _put(connection, name, value)

    def add_classes(self, new: Sequence[LabelClass]) -> None:
        """Add classes whose ids the label table does not have: who names a class in one case has it in the next."""
        known = self.said("classes", [])
        ids = {one["id"] for one in known}
        fresh = [{"id": c.id, "name": c.name, "color": c.color} for c in new if c.id not in ids]
        if fresh:
            self.say("classes", [*known, *fresh])

    def place_of(self, path: str) -> Path:
        """Give where a file of a case lies now."""
        return Path(os.path.normpath(self.path.parent.resolve() / PurePosixPath(path)))  # it may be reached by a link

    # ---- the worklist -----------------------------------------------------------------------------------------------

    def add_cases(self, new: Sequence[Case]) -> None:
        """Add cases behind those that are there, each with a reading for everybody; whose code is known is left out."""
        with self._writing() as connection:
            known = set(connection.execute(select(cases.c.code)).scalars())
            first = int(connection.execute(select(func.count()).select_from(cases)).scalar() or 0)
            fresh = [case for case in new if case.code not in known]
            rows = [{**case.row(), "position": first + place} for place, case in enumerate(fresh)]
            if rows:
                connection.execute(insert(cases), rows)
                common = [Reading(case=row["key"], position=row["position"]).row() for row in rows]
                connection.execute(insert(readings), common)

    def cases(self) -> tuple[Case, ...]:
        """Give all cases in order."""
        with self._reading() as connection:
            rows = connection.execute(select(cases).order_by(cases.c.position)).mappings().all()
        return tuple(Case.from_row(dict(row)) for row in rows)

    def case(self, key: str) -> Case:
        """Give a case."""
        with self._reading() as connection:
            row = connection.execute(select(cases).where(cases.c.key == key)).mappings().first()
        return Case.from_row(there(row))

    def readers(self) -> tuple[str, ...]:
        """Give all who were asked for readings of their own."""
        with self._reading() as connection:
            found = connection.execute(select(readings.c.reader).distinct()).scalars().all()
        return tuple(sorted(name for name in found if name))

    def rows(self, reader: str = "") -> tuple[Row, ...]:
        """Give the worklist of one reader ("": everybody's), in its order."""
        # SQLite gives the other columns of the row that has the largest: https://sqlite.org/lang_select.html#bareagg
        newest = select(predictions.c.case_key, predictions.c.score, func.max(predictions.c.time))
        asked = select(readings).where(readings.c.reader == reader).order_by(readings.c.position, readings.c.repeat)
        with self._reading() as connection:
            of_case = {row["key"]: Case.from_row(dict(row)) for row in connection.execute(select(cases)).mappings()}
            found = [Reading.from_row(dict(row)) for row in connection.execute(asked).mappings()]
            scores = {row.case_key: row.score for row in connection.execute(newest.group_by(predictions.c.case_key))}
        told = protocol_of(self).score_for
        return tuple(
            Row(case=of_case[one.case], reading=one, score=scores.get(one.case) if told(one) else None)
            for one in found if one.case in of_case  # else it was lost just now; opening the project mends that
        )  # fmt: skip

    def reading(self, key: str) -> Reading:
        """Give a reading as it is now."""
        with self._reading() as connection:
            row = connection.execute(select(readings).where(readings.c.key == key)).mappings().first()
        return Reading.from_row(there(row))

    def row(self, reading: str) -> Row:
        """Give one row of a worklist as it is now."""
        found = self.reading(reading)
        newest = select(predictions.c.score).where(predictions.c.case_key == found.case)
        with self._reading() as connection:
            score = connection.execute(newest.order_by(predictions.c.time.desc()).limit(1)).scalar()
        told = protocol_of(self).score_for(found)
        return Row(case=self.case(found.case), reading=found, score=score if told else None)

    def readings_of(self, case: str) -> tuple[Reading, ...]:
        """Give all readings of a case, everybody's first."""
        asked = select(readings).where(readings.c.case_key == case).order_by(readings.c.reader, readings.c.repeat)
        with self._reading() as connection:
            rows = connection.execute(asked).mappings().all()
        return tuple(Reading.from_row(dict(row)) for row in rows)

    # ---- changing a reading -----------------------------------------------------------------------------------------

    def set_status(self, reading: str, status: Status, *, who: str) -> None:
        """Give a reading another status, and keep who did that."""
        with self._writing() as connection:
            before = connection.execute(select(readings.c.status).where(readings.c.key == reading)).scalar()
            if before != status:
                self._change(connection, reading, status=status, annotator=who)
                act = Act(act="status", who=who, reading=reading, details={"from": before, "to": status})
                connection.execute(insert(acts), [act.row()])

    def set_note(self, reading: str, note: str, *, who: str) -> None:
        """Keep a note."""
        with self._writing() as connection:
            self._change(connection, reading, note=note)
            connection.execute(insert(acts), [Act(act="note", who=who, reading=reading, details={"note": note}).row()])

    def keep_place(self, reading: str, place: Mapping[str, Any]) -> None:
        """Keep where the reader is."""
        with self._writing() as connection:
            self._change(connection, reading, place=json.dumps(dict(place)))

    def add_seconds(self, reading: str, seconds: float) -> None:
        """Count active seconds."""
        with self._writing() as connection:
            self._change(connection, reading, seconds=readings.c.seconds + seconds)

    def assign(self, new: Sequence[Reading], *, who: str) -> None:
        """Ask for readings; those that were asked for already are left out."""
        with self._writing() as connection:
            asked = select(readings.c.case_key, readings.c.reader, readings.c.repeat)
            known = {tuple(row) for row in connection.execute(asked)}
            fresh = [one for one in new if (one.case, one.reader, one.repeat) not in known]
            if fresh:
                connection.execute(insert(readings), [one.row() for one in fresh])
                names = sorted({one.reader for one in fresh})
                act = Act(act="assign", who=who, details={"readers": names, "readings": len(fresh)})
                connection.execute(insert(acts), [act.row()])

    # ---- what was done ----------------------------------------------------------------------------------------------

    def note(self, act: Act) -> None:
        """Keep that somebody did something."""
        with self._writing() as connection:
            connection.execute(insert(acts), [act.row()])

    def acts(self, reading: str | None = None) -> tuple[tuple[int, Act], ...]:
        """Give what people did, oldest first, with the number of each."""
        asked = select(acts).order_by(acts.c.id)
        with self._reading() as connection:
            asked = asked if reading is None else asked.where(acts.c.reading_key == reading)
            rows = connection.execute(asked).mappings().all()
        return tuple((row["id"], Act.from_row(dict(row))) for row in rows)

    # ---- within -----------------------------------------------------------------------------------------------------

    def _reading(self) -> AbstractContextManager[Connection]:
        return schema.reading(self.journal.engine, self.path)

    def _writing(self) -> AbstractContextManager[Connection]:
        return schema.writing(self.journal.engine, self.path)

    def _change(self, connection: Connection, reading: str, **values: Any) -> None:
        changed = connection.execute(update(readings).where(readings.c.key == reading).values(**values))
        if changed.rowcount != 1:
            raise FileProblem("That reading is not in the project.", hint="Open the project again.")


def _put(connection: Connection, name: str, value: Any) -> None:
    there = connection.execute(update(project).where(project.c.name == name).values(value=json.dumps(value)))
    if not there.rowcount:
        connection.execute(insert(project), [{"name": name, "value": json.dumps(value)}])


def there(row: Mapping[Any, Any] | None) -> dict[str, Any]:
    """Give a row that must be there.

    Raises
    ------
    FileProblem
        If it is not.
    """
    if row is None:
        raise FileProblem("That is not in the project.", hint="Open the project again.")
    return dict(row)
