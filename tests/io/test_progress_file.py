"""Lines count only what is whole; whatever a kill or a disk left of them, nothing is counted twice or wrongly."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from napari_vol3d.core.box import Box
from napari_vol3d.io.progress_file import append_record, inside, read_progress

SHAPE = (20, 20, 20)
BOXES = [Box(start=(z, 0, 0), stop=(z + 4, 20, 20)) for z in range(0, 20, 4)]
HEADER = {"run": "a"}


def written(path: Path) -> Path:
    append_record(path, HEADER)
    for number, box in enumerate(BOXES):
        append_record(path, {"start": box.start, "stop": box.stop, "crc32": number})
    return path


def test_what_was_counted_is_read(tmp_path):
    path = written(tmp_path / "progress")
    assert read_progress(path, SHAPE) == (HEADER, {box: number for number, box in enumerate(BOXES)})
    append_record(path, {"start": BOXES[1].start, "stop": BOXES[1].stop, "crc32": None})
    assert set(read_progress(path, SHAPE)[1]) == set(BOXES) - {BOXES[1]}
    assert read_progress(tmp_path / "none", SHAPE) == (None, {})


@given(cut=st.integers(0, 400))
@settings(max_examples=60, deadline=None)
def test_cut_anywhere_it_counts_whole_lines_and_can_be_continued(tmp_path_factory, cut):
    path = written(tmp_path_factory.mktemp("cut") / "progress")
    content = path.read_bytes()
    path.write_bytes(content[:cut])
    whole = content[:cut].count(b"\n")
    header, done = read_progress(path, SHAPE)
    assert (header is None) == (whole == 0)
    assert list(done) == BOXES[: max(0, whole - 1)]
    if whole:
        append_record(path, {"start": BOXES[-1].start, "stop": BOXES[-1].stop, "crc32": 9})
        assert read_progress(path, SHAPE)[1][BOXES[-1]] == 9


def test_a_damaged_line_is_a_box_computed_again(tmp_path):
    path = written(tmp_path / "progress")
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = b'{"start":[0,0,0],"st\xff\n'
    lines[3] = b'{"start":[90,0,0],"stop":[99,1,1],"crc32":1}\n'  # outside the volume
    path.write_bytes(b"".join(lines))
    assert list(read_progress(path, SHAPE)[1]) == [BOXES[0], *BOXES[3:]]


def test_inside():
    assert inside(BOXES[0], SHAPE)
    assert not inside(Box(start=(0, 0, 0), stop=(21, 1, 1)), SHAPE)
    assert not inside(Box(start=(3, 3, 3), stop=(3, 9, 9)), SHAPE)
