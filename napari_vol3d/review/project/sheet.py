"""A table of scans: CSV or TSV with a header, one row a case, paths as seen from the table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io import gate
from napari_vol3d.io.registry import stem
from napari_vol3d.review.project.drafts import Draft
from napari_vol3d.review.project.roles import role_of
from napari_vol3d.review.project.scans import is_there

TABLES = (".csv", ".tsv")
MOST_BYTES = 64_000_000
LONGEST = 60  # letters of a file's name in a note
HEADS = {
    "subject": ("subject", "subject_id", "participant", "participant_id", "patient", "patient_id", "id"),
    "session": ("session", "session_id", "visit", "timepoint"),
    "code": ("code", "case"),
    "name": ("name",),
    "image": ("image", "images", "scan", "file", "filename", "path"),
    "prior": ("prior", "labels", "label", "mask", "seg", "segmentation"),
}
HINT = "Name columns subject, session, image or T1, FLAIR ..., and labels."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """Which column says what: by kind its head, and the heads of images with their roles."""

    plain: Mapping[str, str]
    images: Mapping[str, str]


def is_table(path: Path) -> bool:
    """Whether a file is a table, by its name."""
    return path.name.lower().endswith(TABLES) and path.is_file()


def read_sheet(path: Path) -> tuple[list[Draft], list[str]]:
    """Read a table of scans.

    Returns
    -------
    list of Draft, list of str
        In order of the rows, and a sentence for each row or file that is left out.

    Raises
    ------
    FileProblem
        If it is no table, or has no column of images.
    """
    lines = list(_lines(path))
    columns = _columns(path, lines[0] if lines else [])
    drafts, notes = [], []
    for number, cells in enumerate(lines[1:], start=2):
        if any(cell.strip() for cell in cells):
            draft, more = _draft(lines[0], cells, columns, path, number)
            drafts += [draft] if draft is not None else []
            notes += more
    return drafts, notes


def _draft(
    heads: list[str], cells: list[str], columns: _Columns, table: Path, number: int
) -> tuple[Draft | None, list[str]]:
    where = f"Row {number} of {table.name}"
    if len(cells) > len(heads):
        return None, [f"{where} has {len(cells)} cells, the header {len(heads)}; it is left out."]
    row = {head: cell.strip() for head, cell in zip(heads, cells, strict=False)}
    asked = [(row.get(head, ""), role) for head, role in columns.images.items()]
    files = [(_place(table, cell), role) for cell, role in asked if cell]
    images = tuple((path, role) for path, role in files if is_there(path))
    notes = [f"{where}: there is no file {shorten(path.name)}." for path, _ in files if not is_there(path)]
    if not images:
        return None, notes or [f"{where} names no image."]
    said = {kind: row.get(head, "") for kind, head in columns.plain.items()}
    prior = _place(table, said["prior"]) if said.get("prior") else None
    if prior is not None and not is_there(prior):
        notes.append(f"{where}: there are no labels {shorten(prior.name)}.")
        prior = None
    return _named(said, images, prior), notes


def _named(said: Mapping[str, str], images: tuple[tuple[Path, str], ...], prior: Path | None) -> Draft:
    subject, session = said.get("subject", ""), said.get("session", "")
    name = said.get("name") or " ".join(part for part in (subject, session) if part) or stem(images[0][0])
    return Draft(name=name, images=images, subject=subject, session=session, prior=prior, code=said.get("code", ""))


def _columns(path: Path, heads: list[str]) -> _Columns:
    plain, images, seen = {}, {}, set()
    for head in heads:
        word = head.strip().lower().replace(" ", "_")
        kind = next((kind for kind, words in HEADS.items() if word in words), "")
        role = role_of(head.strip())
        if word in seen and (kind or role):
            raise FileProblem(f"Two columns {head.strip()} in {path.name}.", hint="Call each what it is: T1, FLAIR ...")
        seen.add(word)
        if kind == "image" or role:
            images[head] = role
        elif kind and kind not in plain:
            plain[kind] = head
    if not images:
        raise FileProblem(f"No column of images in {path.name}.", hint=HINT)
    return _Columns(plain=plain, images=images)


def _place(table: Path, cell: str) -> Path:
    """Give the file that a cell names; tables from Windows have backslashes."""
    place = table.parent / cell
    return place if "\\" not in cell or is_there(place) else table.parent / cell.replace("\\", "/")


def shorten(name: str) -> str:
    """Give a name as it can stand in a sentence."""
    return name if len(name) <= LONGEST else f"{name[:LONGEST]} ..."


def _lines(path: Path) -> Iterator[list[str]]:
    with gate.reading(path, csv.Error) as size:
        if size > MOST_BYTES:
            raise FileProblem(f"Too large for a table: {path.name} has {size:,} bytes.")
        text = _text(path.read_bytes())
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(path, text))


def _text(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):  # "Unicode text" of Excel
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _delimiter(path: Path, text: str) -> str:
    """Give what parts the cells of the header: a comma, a semicolon as of Excel in many countries, a tab."""
    head = text.partition("\n")[0]
    return "\t" if path.name.lower().endswith(".tsv") else max(",;\t", key=head.count)
