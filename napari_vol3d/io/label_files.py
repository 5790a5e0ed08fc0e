"""Names and colours of labels in files of their own: ITK-SNAP's label descriptions, and JSON beside a label map."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from napari_vol3d.core.errors import FileProblem, SaveProblem
from napari_vol3d.core.labels import LabelClass, default_color
from napari_vol3d.core.volume import Volume
from napari_vol3d.io import gate
from napari_vol3d.io.safe_write import write_safely

log = logging.getLogger(__name__)

MOST_BYTES = 16_000_000
MOST_ID = 2**32 - 1
HINT = 'One line a label, such as: 1 255 0 0 1 1 1 "liver". Save it again in ITK-SNAP.'
LINE = re.compile(
    r'\s*(?P<id>\d+)\s+(?P<red>\d+)\s+(?P<green>\d+)\s+(?P<blue>\d+)\s+[\d.eE+-]+\s+[01]\s+[01]\s+"(?P<name>.*)"\s*'
)
HEAD = """\
################################################
# ITK-SnAP Label Description File
# File format:
# IDX   -R-  -G-  -B-  -A--  VIS MSH  LABEL
# Fields:
#    IDX:   Zero-based index
#    -R-:   Red color component (0..255)
#    -G-:   Green color component (0..255)
#    -B-:   Blue color component (0..255)
#    -A-:   Label transparency (0.00 .. 1.00)
#    VIS:   Label visibility (0 or 1)
#    MSH:   Label mesh visibility (0 or 1)
#  LABEL:   Label description
################################################
"""
CLEAR = '    0     0    0    0        0  0  0    "Clear Label"\n'


def read_itksnap(path: Path) -> tuple[LabelClass, ...]:
    """Read a label description file of ITK-SNAP; its "Clear Label", the background, is left out.

    Raises
    ------
    FileProblem
        If a line is none, or two describe one label.
    """
    found: list[LabelClass] = []
    for number, line in enumerate(_text(path).splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = LINE.fullmatch(line)
        shares = [int(match[name]) for name in ("red", "green", "blue")] if match else [256]
        if match is None or max(shares) > 255:
            raise FileProblem(f"Not a label description: line {number} of {path.name}.", hint=HINT)
        color = "#" + "".join(f"{share:02x}" for share in shares)
        found.append(LabelClass(id=int(match["id"]), name=match["name"], color=color))
    if not found:
        raise FileProblem(f"Not a label description: {path.name} has no line of one.", hint=HINT)
    return _checked(path, found)


def write_itksnap(target: Path, classes: Sequence[LabelClass]) -> Path:
    """Write a label description file of ITK-SNAP; a double quote in a name becomes a single one, it knows no other.

    Raises
    ------
    SaveProblem
        If it can't be written, or does not read back the same; what was there before is untouched.
    """
    meant = [_plain(item, item.name.replace('"', "'")) for item in classes if item.id > 0]
    lines = []
    for item in meant:
        red, green, blue = (int(item.color[at : at + 2], 16) for at in (1, 3, 5))
        lines.append(f'{item.id:5d} {red:5d} {green:4d} {blue:4d}        1  1  1    "{item.name}"\n')
    text = HEAD + CLEAR + "".join(lines)

    def check(path: Path) -> None:
        if list(read_itksnap(path)) != meant:
            raise SaveProblem(f"{target.name} was not saved: it did not read back the same.", hint="Try another disk.")

    return write_safely(target, lambda path: _put(path, text), check)


def read_sidecar(path: Path) -> tuple[LabelClass, ...]:
    """Read names, and colours where there are any, from JSON.

    Understood are ``{"labels": [{"id": 1, "name": "liver", "color": "#ff0000"}]}``, as `write_sidecar` writes, and
    maps of ids to names or names to ids, at the top or under "labels", as nnU-Net has them. At the top, names to ids
    must have a background of 0: a scanner's settings are names and numbers too. Background is left out.

    Raises
    ------
    FileProblem
        If it is no JSON, or describes no labels, or one twice.
    """
    text = _text(path)
    try:
        found = _from_json(json.loads(text))
    except RecursionError as error:
        raise FileProblem(f"Not a table of labels: {path.name} is nested too deeply.") from error
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise FileProblem(
            f"Not a table of labels: {path.name} ({error}).", hint='Write it as {"1": "liver", "2": "spleen"}.'
        ) from error
    return _checked(path, found)


def write_sidecar(target: Path, classes: Sequence[LabelClass]) -> Path:
    """Write names and colours as JSON.

    Raises
    ------
    SaveProblem
        If it can't be written, or does not read back the same; what was there before is untouched.
    """
    meant = [_plain(item, item.name) for item in classes if item.id > 0]
    rows = [{"id": item.id, "name": item.name, "color": item.color} for item in meant]
    text = json.dumps({"labels": rows}, indent=2, ensure_ascii=False) + "\n"

    def check(path: Path) -> None:
        if list(read_sidecar(path)) != meant:
            raise SaveProblem(f"{target.name} was not saved: it did not read back the same.", hint="Try another disk.")

    return write_safely(target, lambda path: _put(path, text), check)


def write_table(target: Path, volume: Volume) -> Path:
    """Write the names and colours of a label map alone, as its target's extension says: .label, or JSON.

    Raises
    ------
    SaveProblem
        If there are none, or they can't be written; what was there before is untouched.
    """
    if not volume.classes:
        raise SaveProblem(f"{target.name} was not saved: the labels have no classes.", hint="Save the labels instead.")
    write = write_itksnap if target.name.lower().endswith(".label") else write_sidecar
    return write(target, volume.classes)


def find_beside(label_file: Path, name: str) -> tuple[LabelClass, ...]:
    """Give the classes that a file beside describes: `name` and .json, .label, or .txt; none where there is no such.

    A file that describes something else, as the .json of a scanner's settings does, is only mentioned in the log.
    """
    for extension, read in ((".json", read_sidecar), (".label", read_itksnap), (".txt", read_itksnap)):
        path = label_file.with_name(name + extension)
        if path == label_file or not path.is_file():
            continue
        try:
            return read(path)
        except FileProblem as problem:
            log.info("no names of labels from %s: %s", path.name, problem.message)
    return ()


def _text(path: Path) -> str:
    with gate.reading(path) as size:
        if size > MOST_BYTES:
            raise FileProblem(f"Too large for a table of labels: {path.name} has {size:,} bytes.")
        return path.read_bytes().decode("utf-8-sig", "replace")


def _put(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _from_json(content: Any) -> list[LabelClass]:
    table = content.get("labels", content)
    if isinstance(table, list):
        return [_class(row["id"], row["name"], row.get("color")) for row in table]
    if all(isinstance(value, int) for value in table.values()):
        if "labels" not in content and not any(n.lower() == "background" and v == 0 for n, v in table.items()):
            raise ValueError("names and numbers, without a background of 0")
        return [_class(number, name) for name, number in table.items()]
    return [_class(number, name) for number, name in table.items()]


def _class(number: Any, name: Any, color: Any = None) -> LabelClass:
    if isinstance(number, bool) or not isinstance(number, int | str) or re.fullmatch(r"\d{1,10}", str(number)) is None:
        raise ValueError(f"{str(number)[:40]!r} is no label")
    if not isinstance(name, str):
        raise TypeError(f"{str(name)[:40]!r} is no name")
    named = color is not None and re.fullmatch(r"#[0-9a-fA-F]{6}", str(color)) is not None
    if color is not None and not named:
        raise ValueError(f"{str(color)[:40]!r} is no colour")
    return LabelClass(id=int(number), name=name, color=str(color).lower() if named else default_color(int(number)))


def _checked(path: Path, found: Sequence[LabelClass]) -> tuple[LabelClass, ...]:
    if len({item.id for item in found}) < len(found) or any(item.id > MOST_ID for item in found):
        raise FileProblem(
            f"Labels that are not clear: {path.name} describes one twice, or one above {MOST_ID}.",
            hint="Give each label one line.",
        )
    return tuple(item for item in found if item.id > 0)


def _plain(item: LabelClass, name: str) -> LabelClass:
    """Give a class with its name on one line."""
    return LabelClass(id=item.id, name="".join(c for c in name if c.isprintable()), color=item.color.lower())
