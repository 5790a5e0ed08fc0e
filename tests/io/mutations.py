"""Whole files of seven formats, seeded damage to them, and what must come of it: refused, or the same as before.

Of each byte it is known whether a checksum covers it. What is shown and differs although one does is "silent": the
one thing that must never be. Headers and voxels that no checksum covers can be changed into others that are as good.
"""

from __future__ import annotations

import gzip
import io
import re
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import nibabel as nib
import numpy as np
import pydicom
import tifffile
import zarr
from zarr.codecs import BytesCodec, Crc32cCodec, ZstdCodec
from zarr.storage import LocalStore

from tests.io import dicom_phantom
from tests.io.caged import Cage, Outcome
from tests.io.itk_phantom import mha_bytes, nrrd_bytes
from tests.io.nifti_phantom import affine_for
from tests.io.zarr_phantom import axes_of

FORMATS = ("nii", "nii.gz", "nrrd", "mha", "dicom", "tiff", "zarr")
KINDS = ("flipped", "overwritten", "truncated", "inserted", "duplicated", "field")
SHAPE = (24, 20, 16)
NOISE = np.random.default_rng(7).integers(0, 4000, SHAPE, dtype=np.int16)
LONGEST = 64  # bytes overwritten or inserted
WHOLE_NUMBERS = (0, 1, 2, -1, 127, 255, 32767, -32768, 65535, 2**31 - 1, -(2**31), 2**32 - 1, 2**40, 2**63)
FLOATS = (0.0, -1.0, float("nan"), float("inf"), -float("inf"), 1e38, 1e-40, 1.5)
TEXTS = (b"0", b"-1", b"nan", b"inf", b"1e99", b"99999999999999999999", b"", b"x", b"1\\1", b"2147483648")

Area = Literal["covered", "header", "voxels"]
Edit = Callable[[bytes, np.random.Generator], bytes]
Judged = Literal[
    "refused", "same", "silent", "header_changed", "different_unprotected", "crash", "hang", "over_memory"
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One file.

    Attributes
    ----------
    content : bytes
    areas : tuple of (int, str)
        Where an area ends, and whether a checksum covers it, or what it holds if none does.
    edit : callable
        Puts another number into a field of its header, that a reader relies on.
    """

    content: bytes
    areas: tuple[tuple[int, Area], ...]
    edit: Edit

    def area(self, at: int) -> Area:
        """Tell the area of a byte."""
        return next(area for end, area in self.areas if at < end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A damaged copy.

    Attributes
    ----------
    kind : str
        How it was damaged.
    file : str
        Which file of it.
    content : bytes
        Of that file.
    areas : set of str
        What was hit.
    """

    kind: str
    file: str
    content: bytes
    areas: frozenset[Area]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of one of them; format, seed and number make it again."""

    format: str
    number: int
    kind: str
    verdict: Judged
    words: str = ""


def run(format: str, numbers: range, folder: Path, cage: Cage, *, seed: int = 0) -> Iterator[Result]:
    """Read mutants in a cage, one after another."""
    parts = intact(format)
    meant = cage.read(place(format, {name: part.content for name, part in parts.items()}, folder))
    assert meant.verdict == "read", meant
    for number in numbers:
        mutant = mutate(parts, np.random.default_rng((seed, FORMATS.index(format), number)))
        files = {name: part.content for name, part in parts.items()} | {mutant.file: mutant.content}
        outcome = cage.read(place(format, files, folder))
        verdict = judge(outcome, meant.facts, mutant.areas)
        yield Result(format=format, number=number, kind=mutant.kind, verdict=verdict, words=outcome.words)


def judge(outcome: Outcome, meant: Mapping[str, Any], areas: frozenset[Area]) -> Judged:
    """Say what an outcome is worth."""
    if outcome.verdict == "asked":  # a question is no silence
        return "refused"
    if outcome.verdict != "read":
        return outcome.verdict
    if outcome.facts == meant:
        return "same"
    if "header" in areas:
        return "header_changed"
    return "silent" if areas == {"covered"} else "different_unprotected"


def place(format: str, files: Mapping[str, bytes], folder: Path) -> Path:
    """Write files, over those that are there, and give what is to be opened."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder / {"dicom": "scan", "zarr": "a.zarr"}.get(format, f"a.{format}")


# ---- damage ---------------------------------------------------------------------------------------------------------


def mutate(parts: Mapping[str, Part], rng: np.random.Generator) -> Mutant:
    """Damage one of the files, in a way and at a place that `rng` chooses."""
    name = sorted(parts)[rng.integers(len(parts))]
    part, kind = parts[name], KINDS[rng.integers(len(KINDS))]
    if kind == "field":
        return Mutant(kind=kind, file=name, content=part.edit(part.content, rng), areas=frozenset({"header"}))
    whole, at = part.content, int(rng.integers(len(part.content)))
    # Half of them into the header, which is small beside the voxels.
    first = part.areas[0]
    if first[1] == "header" and rng.random() < 0.5:
        at = int(rng.integers(first[0]))
    length = int(rng.integers(1, LONGEST + 1))
    if kind == "flipped":
        places = [at, *(int(n) for n in rng.integers(len(whole), size=rng.integers(8)))]
        changed = bytearray(whole)
        for one in places:
            changed[one] ^= 1 << int(rng.integers(8))
        return _mutant(kind, name, part, bytes(changed), places)
    if kind == "overwritten":
        content = whole[:at] + rng.bytes(min(length, len(whole) - at)) + whole[at + length :]
        return _mutant(kind, name, part, content, range(at, min(at + length, len(whole))))
    if kind == "truncated":  # a size is as good as a checksum
        return Mutant(kind=kind, file=name, content=whole[:at], areas=frozenset({"covered"}))
    block = rng.bytes(length) if kind == "inserted" else whole[at : at + 4 * length]
    return _mutant(kind, name, part, whole[:at] + block + whole[at:], [at])


def _mutant(kind: str, name: str, part: Part, content: bytes, places: Any) -> Mutant:
    return Mutant(kind=kind, file=name, content=content, areas=frozenset(part.area(at) for at in places))


def edit_fields(fields: tuple[tuple[int, str], ...]) -> Edit:
    """Put another number at one of these places, each with its form; "Ns" is text of N bytes."""

    def edit(whole: bytes, rng: np.random.Generator) -> bytes:
        at, form = fields[rng.integers(len(fields))]
        length = struct.calcsize(form)
        if form[-1] == "s":
            value = TEXTS[rng.integers(len(TEXTS))][:length].ljust(length)
        elif form[-1] in "fd":
            with np.errstate(over="ignore"):
                value = np.array(FLOATS[rng.integers(len(FLOATS))]).astype(form).tobytes()
        else:
            value = (WHOLE_NUMBERS[rng.integers(len(WHOLE_NUMBERS))] % 2 ** (8 * length)).to_bytes(length, "little")
        return whole[:at] + value + whole[at + length :]

    return edit


def edit_numbers(end: int) -> Edit:
    """Put another number, or a word, in the place of one of those that stand in a text."""

    def edit(whole: bytes, rng: np.random.Generator) -> bytes:
        found = list(re.finditer(rb"(?<![\w.])-?[0-9]+(?:\.[0-9]+)?", whole[:end]))
        one = found[rng.integers(len(found))]
        text = TEXTS[rng.integers(len(TEXTS))] if rng.random() < 0.5 else b"%d" % WHOLE_NUMBERS[rng.integers(14)]
        return whole[: one.start()] + text + whole[one.end() :]

    return edit


def edit_packed(edit: Edit) -> Edit:
    """Edit what is inside gzip, and pack it again: a whole file with another header."""
    return lambda whole, rng: gzip.compress(edit(gzip.decompress(whole), rng), 1, mtime=0)


# ---- whole files ----------------------------------------------------------------------------------------------------


@cache
def intact(format: str) -> dict[str, Part]:
    """Give the files of a whole volume."""
    return {
        "nii": _nifti, "nii.gz": _nifti_gz, "nrrd": _nrrd, "mha": _mha, "dicom": _dicom, "tiff": _tiff, "zarr": _zarr,
    }[format]()  # fmt: skip


NIFTI_FIELDS = (
    *((40 + 2 * k, "<h") for k in range(8)), (0, "<i"), (68, "<h"), (70, "<h"), (72, "<h"), (123, "<B"),
    *((76 + 4 * k, "<f") for k in range(8)), (108, "<f"), (112, "<f"), (116, "<f"), (252, "<h"), (254, "<h"),
    *((256 + 4 * k, "<f") for k in range(18)), (348, "<i"),
)  # fmt: skip


def _nifti() -> dict[str, Part]:
    image = nib.Nifti1Image(NOISE, affine_for("PIR", 17))
    content = image.to_bytes()
    areas: Any = ((352, "header"), (len(content), "voxels"))
    return {"a.nii": Part(content=content, areas=areas, edit=edit_fields(NIFTI_FIELDS))}


def _nifti_gz() -> dict[str, Part]:
    content = gzip.compress(_nifti()["a.nii"].content, mtime=0)
    edit = edit_packed(edit_fields(NIFTI_FIELDS))
    return {"a.nii.gz": Part(content=content, areas=((len(content), "covered"),), edit=edit)}


def _nrrd() -> dict[str, Part]:
    content = nrrd_bytes(
        NOISE, encoding="gzip", space="left-posterior-superior", space_directions="(0,1.5,0) (-2,0,0) (0,0,2.5)",
        space_origin="(1,2,3)", kinds="domain domain domain",
    )  # fmt: skip
    return {"a.nrrd": _with_text(content, content.index(b"\n\n") + 2)}


def _mha() -> dict[str, Part]:
    content = mha_bytes(NOISE, CompressedData="True", ElementSpacing="1.5 2 2.5", Offset="1 2 3")
    return {"a.mha": _with_text(content, content.index(b"LOCAL\n") + 6)}


def _with_text(content: bytes, end: int) -> Part:
    return Part(content=content, areas=((end, "header"), (len(content), "covered")), edit=edit_numbers(end))


def _dicom() -> dict[str, Part]:
    return {f"scan/{k}.dcm": _dicom_slice(k) for k in range(6)}


def _dicom_slice(number: int) -> Part:
    ds = dicom_phantom.image(
        NOISE[number], ImagePositionPatient=[-31.25, 12.5, 2.5 * number], InstanceNumber=number + 1,
        SOPInstanceUID=f"1.2.3.4.5.{number}", RescaleSlope="1", RescaleIntercept="-1024",
    )  # fmt: skip
    file = io.BytesIO()
    ds.save_as(file, enforce_file_format=True)
    content = file.getvalue()
    fields: list[tuple[int, str]] = []
    found = pydicom.dcmread(io.BytesIO(content), stop_before_pixels=True)
    for tag in list(found.keys()):
        element: Any = found.get_item(tag)
        if element.VR == "US":
            fields.append((element.value_tell, "<H"))
        elif element.VR in ("DS", "IS", "UI", "CS") and element.length:
            fields.append((element.value_tell, f"{element.length}s"))
        fields.append((element.value_tell - 2, "<H"))  # the length
    end = len(content) - NOISE[number].nbytes
    fields.append((end - 4, "<I"))
    return Part(
        content=content, areas=((end, "header"), (len(content), "voxels")), edit=edit_fields(tuple(fields))
    )  # fmt: skip


def _tiff() -> dict[str, Part]:
    file = io.BytesIO()
    tifffile.imwrite(
        file, NOISE.astype(np.uint16), imagej=True, compression="zlib", resolution=(2.0, 2.0),
        metadata={"axes": "ZYX", "spacing": 2.5, "unit": "um"}, rowsperstrip=7,
    )  # fmt: skip
    content = file.getvalue()
    strips: list[tuple[int, int]] = []
    fields = [(4, "<I")]
    with tifffile.TiffFile(io.BytesIO(content)) as tif:
        for page in tif.pages:
            strips += list(zip(page.dataoffsets, page.databytecounts, strict=True))
            for tag in page.tags:
                fields += [(tag.offset + 2, "<H"), (tag.offset + 4, "<I"), (tag.offset + 8, "<I")]
            fields.append((page.offset, "<H"))
    areas: list[tuple[int, Area]] = []
    for offset, count in sorted(strips):
        areas += [(offset, "header"), (offset + count, "covered")]
    areas.append((len(content), "header"))
    return {"a.tiff": Part(content=content, areas=tuple(areas), edit=edit_fields(tuple(fields)))}


def _zarr() -> dict[str, Part]:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as name:
        root = Path(name) / "a.zarr"
        transforms = [{"type": "scale", "scale": [2.5, 0.5, 0.25]}, {"type": "translation", "translation": [1, 2, 3]}]
        datasets = [{"path": "0", "coordinateTransformations": transforms}]
        image = {"axes": axes_of("zyx"), "datasets": datasets}
        ome = {"version": "0.5", "multiscales": [image]}
        group = zarr.create_group(LocalStore(root), zarr_format=3, attributes={"ome": ome})
        array = group.create_array(
            "0", shape=SHAPE, dtype="int16", chunks=(12, 20, 8), serializer=BytesCodec(),
            compressors=[ZstdCodec(), Crc32cCodec()],
        )  # fmt: skip
        array[...] = NOISE
        contents = {
            path.relative_to(name).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()
        }
    parts: dict[str, Part] = {}
    for file, content in contents.items():
        text = file.endswith("zarr.json")
        edit = edit_numbers(len(content)) if text else edit_fields(((0, "<I"), (4, "<B"), (5, "<H"), (7, "<I")))
        areas: Any = ((len(content), "header" if text else "covered"),)
        parts[file] = Part(content=content, areas=areas, edit=edit)
    return parts
