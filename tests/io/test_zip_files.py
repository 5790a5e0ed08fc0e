"""Zip files: a hostile one is refused with nothing written outside its folder, an honest one comes back bit for bit."""

from __future__ import annotations

import stat
import struct
import zipfile

import pytest

from napari_vol3d.core.errors import FileProblem, SaveProblem
from napari_vol3d.io.zip_files import looks_like_zip, members, safe_name, unpack, write_zip


def make(path, entries, *, mode=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", mode) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def test_what_is_written_is_what_comes_out_and_always_the_same_bytes(tmp_path):
    (tmp_path / "big.bin").write_bytes(bytes(range(256)) * 5000)
    parts = {"a.txt": b"text", "sub/big.keras": tmp_path / "big.bin"}
    first, second = (write_zip(tmp_path / name, parts) for name in ("one.zip", "two.zip"))
    assert first.read_bytes() == second.read_bytes()
    assert looks_like_zip(first)
    assert unpack(first, tmp_path / "out") == ["a.txt", "sub/big.keras"]
    assert (tmp_path / "out" / "sub" / "big.keras").read_bytes() == (tmp_path / "big.bin").read_bytes()
    with zipfile.ZipFile(first) as archive:
        assert archive.testzip() is None


def test_a_failed_write_leaves_the_older_zip(tmp_path):
    target = write_zip(tmp_path / "a.zip", {"a": b"1"})
    before = target.read_bytes()
    with pytest.raises(SaveProblem):
        write_zip(target, {"a": tmp_path / "missing"})
    assert target.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


@pytest.mark.parametrize(("name", "plain"), [("./a/b.h5", "a/b.h5"), ("a//b", "a/b"), ("a", "a")])
def test_plain_names(name, plain):
    assert safe_name(name) == plain


@pytest.mark.parametrize("name", ["../a", "a/../../b", "/etc/passwd", "C:/a", "a\\b", "..\\a", "a\0b", "", ".", "a\nb"])
def test_names_that_leave_their_folder_are_refused(name):
    with pytest.raises(FileProblem, match="leaves its folder"):
        safe_name(name)


@pytest.mark.parametrize("name", ["https://example.org/a.h5", "HTTP://a/b", "s3://a/b", "file:///etc/passwd"])
def test_names_on_the_net_say_so(name):
    with pytest.raises(FileProblem, match="on the net"):
        safe_name(name)


@pytest.mark.parametrize("name", ["../marker", "/tmp/marker", "a/../../marker"])
def test_traversal_writes_nothing(tmp_path, name):
    bad = make(tmp_path / "bad.zip", [("good", b"1"), (name, b"2")])
    with pytest.raises(FileProblem, match="leaves its folder"):
        unpack(bad, tmp_path / "out" / "deep")
    assert not (tmp_path / "out").exists()


def test_a_link_is_refused(tmp_path):
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    bad = make(tmp_path / "bad.zip", [(link, b"/etc")])
    with pytest.raises(FileProblem, match="link or device"):
        unpack(bad, tmp_path / "out")


def test_bombs_are_refused_before_anything_is_unpacked(tmp_path):
    bomb = make(tmp_path / "bomb.zip", [("a", bytes(80 << 20))])
    with pytest.raises(FileProblem, match="Too large when unpacked"):
        members(bomb)
    small = make(tmp_path / "small.zip", [("labels.npy", bytes(2 << 20))])
    info = members(small)["labels.npy"]  # labels of one class: no harm in reading them, but none unpacks them
    assert info.file_size == 2 << 20
    with pytest.raises(FileProblem, match="Too large when unpacked"):
        unpack(small, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_a_member_says_of_its_size_is_held_against_it(tmp_path):
    content = bytearray(make(tmp_path / "a.zip", [("a", bytes(range(256)) * 8)]).read_bytes())
    at = content.rfind(b"PK\x01\x02") + 24
    content[at : at + 4] = (100).to_bytes(4, "little")  # the list says less than there is
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(FileProblem):
        unpack(tmp_path / "a.zip", tmp_path / "out")


def test_two_files_of_one_name(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        bad = make(tmp_path / "bad.zip", [("a", b"1"), ("a", b"2")])
    with pytest.raises(FileProblem, match="Two files of one name"):
        members(bad)


def test_too_many_files(tmp_path):
    bad = make(tmp_path / "bad.zip", [(f"{n}", b"") for n in range(10_001)], mode=zipfile.ZIP_STORED)
    with pytest.raises(FileProblem, match="Too many files"):
        members(bad)


def test_every_cut_and_many_flips_are_one_sentence(tmp_path):
    whole = make(tmp_path / "a.zip", [("a", bytes(range(256))), ("b/c", b"x" * 50)]).read_bytes()
    for cut in range(1, len(whole), 7):
        (tmp_path / "cut.zip").write_bytes(whole[:cut])
        with pytest.raises(FileProblem):
            unpack(tmp_path / "cut.zip", tmp_path / f"out{cut}")
    for at in range(0, len(whole), 5):
        (tmp_path / "flip.zip").write_bytes(whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])
        try:
            unpack(tmp_path / "flip.zip", tmp_path / f"flip{at}")
        except FileProblem:
            continue


def test_no_zip_at_all(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(FileProblem, match="no whole zip"):
        members(tmp_path / "a.zip")
    (tmp_path / "text").write_text("PKzip")
    assert not looks_like_zip(tmp_path / "text")


def many_members(path, count, *, said=1):
    """Write a zip whose usual end says that it has `said` members; the end for large ones, which is believed, more."""
    entry = struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, 33, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    listed = entry * count
    first = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 33, 0, 0, 0, 1, 0) + b"a"
    large = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, said, said, len(listed), len(first))
    to_large = struct.pack("<4sLQL", b"PK\6\7", 0, len(first) + len(listed), 1)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, said, said, len(entry), len(first), 0)
    path.write_bytes(first + listed + large + to_large + end)
    return path


@pytest.mark.parametrize("count", [100_000, 1_000_000])
def test_the_end_for_large_zips_counts_and_so_does_the_length_of_the_list(tmp_path, count):
    path = many_members(tmp_path / "a.zip", count)
    with pytest.raises(FileProblem, match="Too many files"):
        members(path)


def test_a_large_end_around_few_members_is_fine(tmp_path):
    path = many_members(tmp_path / "a.zip", 1)
    assert list(members(path)) == list(zipfile.ZipFile(path).namelist()) == ["a"]
