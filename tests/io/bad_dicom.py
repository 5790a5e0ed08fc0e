"""DICOM series that are damaged, lie, or are no volume; and whole ones."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from tests.io.bad_files import Case, Make, asked, cut, more, put, refused, same, short
from tests.io.dicom_phantom import ORIGIN, SPACING, image, phantom, save, series

DATA = phantom()  # (slices, rows, columns)
STORED = DATA.transpose(2, 1, 0)
RAS = np.diag([-1.0, -1.0, 1.0, 1.0]) @ np.array(
    [[SPACING[2], 0, 0, ORIGIN[0]], [0, SPACING[1], 0, ORIGIN[1]], [0, 0, SPACING[0], ORIGIN[2]], [0, 0, 0, 1]]
)
TRUNCATED, DAMAGED = r"^Truncated", r"^Damaged"
Damage = Callable[[Path], Any]


def scan(*damage: Damage, **options: Any) -> Make:
    """A series in a folder, damaged."""

    def make(folder: Path) -> Path:
        path = series(folder / "scan", **options)
        for change in damage:
            change(path)
        return path

    return make


def file(number: int, *changes: Callable[[bytes], bytes]) -> Damage:
    def change(folder: Path) -> None:
        path = folder / f"{number}.dcm"
        content = path.read_bytes()
        for one in changes:
            content = one(content)
        path.write_bytes(content)

    return change


def fields(number: int, **values: Any) -> Damage:
    """Change the fields of one slice; None takes one away."""

    def change(folder: Path) -> None:
        path = folder / f"{number}.dcm"
        ds = pydicom.dcmread(path)
        for name, value in values.items():
            if value is None:
                del ds[name]
            else:
                setattr(ds, name, value)
        ds.save_as(path)

    return change


def raw(number: int, name: str, value: bytes) -> Damage:
    """Write over the value of a field, of which there is one place in the file."""

    def change(folder: Path) -> None:
        path = folder / f"{number}.dcm"
        tag = pydicom.datadict.tag_for_keyword(name) or 0
        mark = (tag >> 16).to_bytes(2, "little") + (tag & 0xFFFF).to_bytes(2, "little")
        whole = path.read_bytes()
        at = whole.index(mark)
        path.write_bytes(put(at + 8, value)(whole))

    return change


def compressed(folder: Path) -> None:
    for path in folder.iterdir():
        ds = pydicom.dcmread(path)
        ds.compress(RLELossless)
        ds.save_as(path)


def cases() -> Iterator[Case]:
    yield from whole()
    yield from damaged()
    yield from lying()
    yield from no_volumes()


def whole() -> Iterator[Case]:
    yield same("dicom: a series", scan(), STORED, RAS, anatomical=True, unit="mm")
    yield same("dicom: implicit", scan(syntax=ImplicitVRLittleEndian), STORED, RAS)
    yield same("dicom: RLE", scan(compressed), STORED, RAS)
    yield same("dicom: names without extension", scan(name="IM{}"), STORED, RAS)
    yield same("dicom: one file of the series", lambda f: scan()(f) / "3.dcm", STORED, RAS)
    yield same("dicom: a slice twice", scan(lambda f: shutil.copy(f / "3.dcm", f / "copy.dcm")), STORED, RAS)
    yield same("dicom: a pipe beside", scan(lambda f: os.mkfifo(f / "pipe.dcm")), STORED, RAS)
    yield same("dicom: notes beside", scan(lambda f: (f / "notes.txt").write_text("seen")), STORED, RAS)
    scaled = scan(RescaleSlope="2", RescaleIntercept="-1024")
    yield same("dicom: Hounsfield units", scaled, (STORED * 2 - 1024).astype(np.int32), RAS)
    part = "1.2.3.4+repair"
    filled = STORED.copy()
    filled[:, :, 2] = (STORED[:, :, 1] + STORED[:, :, 3]) // 2
    yield same("dicom: a missing slice, repaired", scan(lambda f: (f / "2.dcm").unlink()), filled, RAS, part=part)


def damaged() -> Iterator[Case]:
    for name, share in {"the preamble": 0.1, "its header": 0.4}.items():
        words = f"{TRUNCATED}|{DAMAGED}|^Can't be read|^Not a DICOM file"
        yield refused(f"dicom: a slice cut within {name}", words, scan(file(3, cut(share))))
    yield refused("dicom: a slice cut in its pixels", TRUNCATED, scan(file(3, short(60))))
    yield refused("dicom: a slice cut by a byte", TRUNCATED, scan(file(3, short(1))))
    yield refused(
        "dicom: a slice empty", "^Not a DICOM file: 3.dcm is empty", scan(lambda f: (f / "3.dcm").write_bytes(b""))
    )
    for number in (0, 3):
        short_of_all = scan(file(number, lambda whole: whole[:100]))
        yield refused(f"dicom: slice {number} cut to 100 bytes", f"^Not a DICOM file: {number}.dcm", short_of_all)
        yield refused(
            f"dicom: slice {number} in truth text",
            f"^Not a DICOM file: {number}.dcm",
            scan(file(number, lambda _: b"hi " * 99)),
        )
        nameless = scan(lambda f, n=number: (f / f"IM{n}").write_bytes(bytes(50)), name="IM{}")
        yield refused(f"dicom: slice {number} without extension, cut", f"^Not a DICOM file: IM{number}", nameless)
    yield refused("dicom: a slice without pixels", TRUNCATED, scan(fields(3, PixelData=None)))
    yield refused("dicom: RLE cut in its pixels", f"{TRUNCATED}|^Can't", scan(compressed, file(3, short(40))))
    yield refused(
        "dicom: bytes inside the pixels", "more bytes|behind", scan(file(3, lambda w: w[:-50] + bytes(8) + w[-50:]))
    )
    yield refused("dicom: much behind the pixels", "more bytes|behind", scan(file(3, more(b"garbage!" * 1000))))
    bomb = scan(lambda f: save(f / "bomb.dcm", image(np.zeros((4, 4), np.int16), Rows=65535, Columns=65535)))
    yield refused("dicom: 65535 x 65535 in 1 kB beside a series", TRUNCATED, bomb)
    alone = lambda f: save(f / "a.dcm", image(np.zeros((4, 4), np.int16), Rows=65535, Columns=65535))  # noqa: E731
    yield refused("dicom: 65535 x 65535 in 1 kB", TRUNCATED, alone)
    yield refused("dicom: no DICOM file", "^Not a DICOM file.* text", lambda f: _text(f / "a.dcm"))


def lying() -> Iterator[Case]:
    size = rf"{TRUNCATED}|{DAMAGED}|^Missing slice|^Mixed"
    lies: dict[str, tuple[str, dict[str, Any]]] = {
        "rows 0": (DAMAGED, {"Rows": 0}), "no rows": (DAMAGED, {"Rows": None}), "rows 65535": (size, {"Rows": 65535}),
        "no spacing": ("pixel spacing", {"PixelSpacing": None}),
        "no position": ("no position", {"ImagePositionPatient": None}),
        "no orientation": ("no orientation", {"ImageOrientationPatient": None}),
        "spacing 0": ("pixel spacing of", {"PixelSpacing": [0, 0]}),
        "spacing below zero": ("pixel spacing of", {"PixelSpacing": [-0.8, 0.6]}),
        "directions zero": ("right angles", {"ImageOrientationPatient": [0] * 6}),
        "directions alike": ("right angles", {"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}),
        "bits allocated 8": ("more bytes", {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}),
        "bits allocated 32": (TRUNCATED, {"BitsAllocated": 32}),
        "bits allocated 12": ("^Not plain", {"BitsAllocated": 12}),
        "bits allocated 0": ("^Not plain", {"BitsAllocated": 0}), "bits stored 40": ("^Not plain", {"BitsStored": 40}),
        "high bit 3": ("^Not plain", {"HighBit": 3}),
        "slope 0": ("slope of 0", {"RescaleSlope": "0", "RescaleIntercept": "0"}),
        "colours": ("^Colours", {"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3}),
        "palette": ("^Colours", {"PhotometricInterpretation": "PALETTE COLOR"}),
        "2 million frames": ("frames|" + TRUNCATED, {"NumberOfFrames": 2_000_000}),
        "9 frames": (TRUNCATED + "|9 frames", {"NumberOfFrames": 9}),
    }  # fmt: skip
    for name, (words, values) in lies.items():
        yield refused(f"dicom: {name}", words, scan(*(fields(number, **values) for number in range(len(DATA)))))
    for name, value in {"text": b"a\\b", "NaN": b"nan\\nan", "inf": b"inf\\inf"}.items():
        change = raw(3, "PixelSpacing", value)
        yield refused(f"dicom: spacing {name}", f"{DAMAGED}|^Can't be read|PixelSpacing", scan(change))
    unknown = [lambda f, k=k: _syntax(f / f"{k}.dcm", "1.2.840.10008.1.2.4.999") for k in range(len(DATA))]
    yield refused("dicom: transfer syntax unknown", "^Can't be decoded|^Can't be read", scan(*unknown))
    jpeg = [lambda f, k=k: _syntax(f / f"{k}.dcm", "1.2.840.10008.1.2.4.70") for k in range(len(DATA))]
    yield refused("dicom: raw called JPEG", f"{TRUNCATED}|^Can't|{DAMAGED}", scan(*jpeg))


def no_volumes() -> Iterator[Case]:
    yield asked("dicom: a missing slice", r"^Missing slice: gap of 5 mm", scan(lambda f: (f / "2.dcm").unlink()))
    steps = np.array([0, 2.5, 5, 8, 10, 12.5])
    yield asked("dicom: uneven slices", "^Uneven slices", scan(steps=steps))
    yield asked("dicom: a tilted gantry", "^Tilted gantry: 12.0", scan(shear=np.array([0, np.tan(np.radians(12)), 0])))
    yield refused("dicom: another slice at one position", "^Two slices at one position", scan(_another))
    yield refused("dicom: one object, two contents", "^One object, two contents", scan(_two_contents))
    yield refused(
        "dicom: a shifted slice",
        "^Shifted slices",
        scan(fields(3, ImagePositionPatient=[ORIGIN[0] + 1, ORIGIN[1], ORIGIN[2] + 7.5])),
    )
    yield refused("dicom: all at one position", "^Not a volume", scan(steps=np.zeros(len(DATA))))
    yield refused(
        "dicom: a single slice without thickness",
        "^No slice thickness",
        lambda f: save(f / "a.dcm", image(DATA[0], SliceThickness=None)),
    )
    yield asked("dicom: two sizes in one series", "^2 volumes", scan(_smaller))
    yield asked("dicom: two series", "^2 volumes", scan(lambda f: series(f, name="b{}.dcm", SeriesInstanceUID="9.8.7")))
    yield asked(
        "dicom: two orientations",
        "^2 volumes",
        scan(lambda f: series(f, name="b{}.dcm", orientation=(0, 1, 0, 0, 0, -1))),
    )
    yield refused("dicom: an empty folder", "^Unknown extension|^No DICOM|^This is a folder|^Nothing", _empty)


def _empty(folder: Path) -> Path:
    (folder / "scan").mkdir()
    return folder / "scan"


def _another(folder: Path) -> None:
    place = [ORIGIN[0], ORIGIN[1], ORIGIN[2] + 5]
    save(folder / "again.dcm", image(DATA[0] + 1, ImagePositionPatient=place))


def _two_contents(folder: Path) -> None:
    ds = pydicom.dcmread(folder / "3.dcm")
    ds.PixelData = bytes(len(ds.PixelData))
    ds.save_as(folder / "again.dcm")


def _smaller(folder: Path) -> None:
    series(folder, DATA[:, :4, :4], name="small{}.dcm")


def _syntax(path: Path, uid: str) -> None:
    """Name another transfer syntax, and leave all else as it is."""
    whole = path.read_bytes()
    old = str(ExplicitVRLittleEndian).encode() + b"\0"
    assert whole.count(old) == 1
    new = uid.encode() + b"\0" * (len(uid) % 2)
    at = whole.index(old)
    whole = put(at - 2, len(new).to_bytes(2, "little"))(whole)
    # The length of the whole meta header stands in its first element.
    length = int.from_bytes(whole[140:144], "little") + len(new) - len(old)
    path.write_bytes(put(140, length.to_bytes(4, "little"))(whole[:at] + new + whole[at + len(old) :]))


def _text(path: Path) -> Path:
    path.write_bytes(b"see the other folder\n" * 50)
    return path
