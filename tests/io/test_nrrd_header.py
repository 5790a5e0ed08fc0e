"""Headers say what they say in all spellings, and what is no header is refused."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.nrrd import read_nrrd
from napari_vol3d.io.nrrd_header import TYPES, escaped, read_header
from tests.io.itk_phantom import NOISE, NRRD_TYPES, assert_as_itk_reads_it, nrrd_bytes, nrrd_fields, save, stored

SMALL = np.arange(24, dtype="<u2").reshape((2, 3, 4), order="F")
RAW = SMALL.tobytes(order="F")


def as_text(fields):
    return "".join(f"{name}: {value}\n" for name, value in fields.items())


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", NRRD_TYPES)
def test_every_type_in_both_byte_orders(tmp_path, dtype, order):
    data = (np.arange(60).reshape(3, 4, 5) - (30 if dtype[0] != "u" else 0)).astype(f"{order}{dtype}")
    for encoding in ("raw", "gzip"):
        path = save(tmp_path / "a.nrrd", nrrd_bytes(data, encoding=encoding))
        volume = read_nrrd(path)
        assert volume.data.dtype == np.dtype(dtype)
        assert volume.data.dtype.isnative
        np.testing.assert_array_equal(stored(volume), data)
        assert_as_itk_reads_it(volume, path)


def test_every_name_of_a_type(tmp_path):
    for code, names in TYPES.items():
        data = SMALL.astype(f"<{code}")
        for name in names:
            path = save(tmp_path / "a.nrrd", nrrd_bytes(data, type=name))
            assert read_nrrd(path).data.dtype == np.dtype(code)
            assert_as_itk_reads_it(read_nrrd(path), path)


@pytest.mark.parametrize("dtype", ["u1", "i2", "u8", "f4", "f8"])
def test_text_is_read(tmp_path, dtype):
    data = SMALL.astype(dtype) if dtype != "f8" else SMALL / 7
    body = " ".join(repr(value.item()) for value in data.ravel(order="F")).encode() + b"\n"
    path = save(tmp_path / "a.nrrd", nrrd_bytes(data, encoding="ascii", endian=None, body=body))
    np.testing.assert_array_equal(stored(read_nrrd(path)), data)
    assert_as_itk_reads_it(read_nrrd(path), path)
    for wrong in (body + b"1", body.rsplit(b" ", 1)[0], body + b"x"):
        with pytest.raises(FileProblem):
            read_nrrd(save(path, nrrd_bytes(data, encoding="txt", endian=None, body=wrong)))


def test_spellings(tmp_path):
    for before, after in (
        (b"type: unsigned short", b"TYPE: Unsigned Short"), (b"encoding: raw", b"encoding: RAW"), (b"\n", b"\r\n"),
        (b"endian", b"content: a scan: of x\nendian"), (b"endian", b"# type: int\nendian"), (b"NRRD0005", b"NRRD0001"),
        (b"endian", b"centers: cell cell cell\nendian"), (b"endian", b"old min: 0\nendian"),
    ):  # fmt: skip
        head, body = nrrd_bytes(SMALL).split(b"\n\n", 1)
        path = save(tmp_path / "a.nrrd", (head + b"\n\n").replace(before, after) + body)
        np.testing.assert_array_equal(stored(read_nrrd(path)), SMALL)
        assert_as_itk_reads_it(read_nrrd(path), path)


@pytest.mark.parametrize(
    "changes",
    [
        {"sizes": "2 3"}, {"sizes": "2 3 4 5"}, {"sizes": "2 3 0"}, {"sizes": "2 3 -4"}, {"sizes": "-2 -3 4"},
        {"sizes": "2 3 x"}, {"sizes": "2 3 4.0"}, {"sizes": "2 3 5"}, {"sizes": "2 3 3"}, {"sizes": ""},
        {"sizes": f"2 3 {2**64 + 4}"}, {"sizes": None}, {"dimension": "2"}, {"dimension": "0"}, {"dimension": "-3"},
        {"dimension": "x"}, {"dimension": "99"}, {"dimension": None}, {"type": "block"}, {"type": "char"},
        {"type": "half"}, {"type": None}, {"encoding": "hex"}, {"encoding": "zrl"}, {"encoding": None},
        {"encoding": "gzip", "body": RAW}, {"endian": None}, {"endian": "middle"}, {"kinds": "domain domain"},
        {"byte_skip": "-2"}, {"byte_skip": "1"}, {"byte_skip": "x"}, {"line_skip": "1"}, {"line_skip": "-1"},
        {"kinds": "RGB-color domain domain"}, {"kinds": "complex domain domain"}, {"foo": "bar"},
        {"spacings": "1 2 3\nspacings: 1 2 3"}, {"endian": "little\nno field"}, {"data_file": "../secret.raw"},
        {"data_file": "LIST\na.raw"}, {"data_file": "s%d.raw 1 999999999999 1"}, {"data_file": "s%d.raw 1 4 0"},
        {"encoding": "gzip", "body": gzip.compress(RAW), "byte_skip": str(10**17)},
    ],
)  # fmt: skip
def test_damaged_headers_are_refused(tmp_path, changes):
    with pytest.raises(FileProblem) as caught:
        read_nrrd(save(tmp_path / "a.nrrd", nrrd_bytes(SMALL, **changes)))
    assert len(caught.value.message.split(":")[0]) <= 40


def test_what_is_no_header_is_refused(tmp_path):
    for content in (b"NRRD0005", b"NRRD0006\n\n", b"NRRD0005\n\n", b"NRRD00055\n", b"\x89PNG", b"NRRD0005\n\0\0\n\n"):
        with pytest.raises(FileProblem):
            read_nrrd(save(tmp_path / "a.nrrd", content))


def test_mutated_headers_are_refused_or_give_a_finite_geometry(tmp_path):
    whole = nrrd_bytes(
        NOISE, space="left-posterior-superior", space_directions="(0.8,0,0) (0,-0.8,0) (0,0,2.5)",
        space_origin="(1,2,3)", kinds="domain domain domain", content="nothing that counts here " * 12,
    )  # fmt: skip
    rng = np.random.default_rng(0)
    path, read, end = tmp_path / "a.nrrd", 0, whole.index(b"\n\n")
    for _ in range(400):
        damaged = bytearray(whole)
        for at in rng.integers(8, end, size=rng.integers(1, 4)):
            damaged[at] = rng.integers(256)
        try:
            volume = read_nrrd(save(path, damaged))
        except FileProblem:
            continue
        read += 1
        assert np.isfinite(volume.geometry.affine).all()
        assert min(volume.geometry.spacing) > 0
        assert volume.data.nbytes <= NOISE.nbytes
    assert read > 20


@pytest.mark.parametrize(
    ("skip", "before", "behind"),
    [
        ({"line_skip": "2"}, b"ab\ncd\n", b""), ({"byte_skip": "3"}, b"abc", b""), ({"byte_skip": "-1"}, b"junk", b""),
        ({"byte_skip": "-3"}, b"junk", b"zz"), ({"line_skip": "1", "byte_skip": "2"}, b"x\nab", b""),
    ],
)  # fmt: skip
def test_what_is_to_be_skipped_is(tmp_path, skip, before, behind):
    save(tmp_path / "d.raw", before + RAW + behind)
    path = save(tmp_path / "a.nhdr", nrrd_bytes(SMALL, body=b"", **skip, data_file="d.raw"))
    np.testing.assert_array_equal(stored(read_nrrd(path)), SMALL)
    assert_as_itk_reads_it(read_nrrd(path), path)
    if "-" not in skip.get("byte_skip", ""):  # lines before the packed stream, bytes inside it
        lines, inside = before[: before.rfind(b"\n") + 1], before[before.rfind(b"\n") + 1 :]
        save(tmp_path / "d.raw", lines + gzip.compress(inside + RAW))
        save(path, nrrd_bytes(SMALL, encoding="gzip", body=b"", **skip, data_file="d.raw"))
        np.testing.assert_array_equal(stored(read_nrrd(path)), SMALL)
        assert_as_itk_reads_it(read_nrrd(path), path)


def test_a_skip_from_the_end_never_reaches_into_the_header(tmp_path):
    path = save(tmp_path / "a.nrrd", nrrd_bytes(SMALL, byte_skip="-1"))
    np.testing.assert_array_equal(stored(read_nrrd(path)), SMALL)
    with pytest.raises(FileProblem, match="Truncated"):
        read_nrrd(save(path, nrrd_bytes(SMALL, byte_skip="-1", sizes="2 3 5")))


@pytest.mark.parametrize(
    ("entry", "names"),
    [
        ("LIST\n{}", ["d.raw", "b.raw", "c.raw", "a.raw"]), ("LIST 2\n{}", ["d.raw", "b.raw", "c.raw", "a.raw"]),
        ("s%02d.raw 7 10 1", ["s07.raw", "s08.raw", "s09.raw", "s10.raw"]),
        ("s%d.raw 8 2 -2", ["s8.raw", "s6.raw", "s4.raw", "s2.raw"]), ("LIST 3\n{}", ["first.raw", "second.raw"]),
        ("LIST 1\n{}", [f"{k}.raw" for k in range(12)]),
    ],
)  # fmt: skip
def test_voxels_in_several_files(tmp_path, entry, names):
    share = len(RAW) // len(names)
    for k, name in enumerate(names):
        save(tmp_path / name, RAW[k * share : (k + 1) * share])
    text = "NRRD0004\n" + as_text(nrrd_fields(SMALL, data_file=entry.format("\n".join(names))))
    path = save(tmp_path / "a.nhdr", text.encode())
    np.testing.assert_array_equal(stored(read_nrrd(path)), SMALL)
    if "-" not in entry:
        assert_as_itk_reads_it(read_nrrd(path), path)
    (tmp_path / names[-1]).unlink()
    with pytest.raises(FileProblem, match="No such file"):
        read_nrrd(path)


def test_a_detached_header_as_itk_writes_it(tmp_path):
    for packed in (False, True):
        path = tmp_path / f"a{packed}.nhdr"
        sitk.WriteImage(sitk.GetImageFromArray(NOISE), str(path), useCompression=packed)
        assert_as_itk_reads_it(read_nrrd(path), path)


@given(st.dictionaries(st.text("abc \\xn:=é", min_size=1).filter(lambda k: k.strip() == k), st.text("ab\\n\n:= é")))
def test_keys_come_back(pairs):
    pairs = {k: v for k, v in pairs.items() if ":" not in k and not k.startswith("#")}
    lines = "".join(f"{escaped(name)}:={escaped(value)}\n" for name, value in pairs.items())
    content = f"NRRD0005\n{as_text(nrrd_fields(SMALL))}{lines}\n".encode()
    assert read_header(io.BytesIO(content), Path("a.nrrd")).keys == pairs
