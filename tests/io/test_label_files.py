"""Names and colours come back, and a file that is none is refused or, where nobody asked for it, ignored."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_vol3d.core.errors import FileProblem, SaveProblem
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io import registry
from napari_vol3d.io.label_files import find_beside, read_itksnap, read_sidecar, write_itksnap, write_sidecar


def beside(path):
    return find_beside(path, registry.stem(path))


CLASSES = (
    LabelClass(id=1, name="left kidney", color="#ff0000"),
    LabelClass(id=3, name="Milz 脾, (spleen) # 2", color="#00ff7f"),
    LabelClass(id=4294967295, name="", color="#000000"),
)  # fmt: skip
SNAP = """\
################################################
# ITK-SnAP Label Description File
################################################
    0     0    0    0        0  0  0    "Clear Label"
    1   255    0    0        1  1  1    "Label 1"
    2     0  255  127        0.5  0  1    "the "second" one"
"""

CLASS = st.builds(
    LabelClass, id=st.integers(1, 2**32 - 1), name=st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])),
    color=st.from_regex(r"#[0-9a-f]{6}", fullmatch=True),
)  # fmt: skip


def put(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_of_itksnap_is_read(tmp_path):
    for text in (SNAP, "\ufeff" + SNAP, SNAP.replace("\n", "\r\n")):
        assert read_itksnap(put(tmp_path / "a.txt", text)) == (
            LabelClass(id=1, name="Label 1", color="#ff0000"),
            LabelClass(id=2, name='the "second" one', color="#00ff7f"),
        )


@settings(max_examples=25)  # each writes two files down to the disk
@given(st.lists(CLASS, unique_by=lambda item: item.id))
def test_what_is_written_comes_back(tmp_path_factory, classes):
    folder = tmp_path_factory.mktemp("labels")
    plain = [LabelClass(id=c.id, name="".join(x for x in c.name if x.isprintable()), color=c.color) for c in classes]
    quoted = [LabelClass(id=c.id, name=c.name.replace('"', "'"), color=c.color) for c in plain]
    assert list(read_itksnap(write_itksnap(folder / "a.txt", classes))) == quoted
    if classes:
        assert list(read_sidecar(write_sidecar(folder / "a.json", classes))) == plain


def test_itksnap_finds_its_own_columns(tmp_path):
    lines = write_itksnap(tmp_path / "a.txt", CLASSES).read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if not line.startswith("#")]
    assert rows[0].split('"')[:2] == [rows[0].split('"')[0], "Clear Label"]
    assert [row.split('"')[0].split() for row in rows[:2]] == [["0"] * 7, ["1", "255", "0", "0", "1", "1", "1"]]


@pytest.mark.parametrize(
    "text",
    [
        "", "# only a comment\n", "hello\n", '1 256 0 0 1 1 1 "x"\n', '-1 0 0 0 1 1 1 "x"\n', "1 0 0 0 1 1 1 x\n",
        '1 0 0 0 1 1 "x"\n', '1 0 0 0 1 1 1 "x"\n1 0 0 0 1 1 1 "y"\n', '4294967296 0 0 0 1 1 1 "x"\n', "\0\0\0",
        '1 0 0 0 1 1 1 "x" more\n', "1 left-kidney 255 0 0 0\n",
    ],
)  # fmt: skip
def test_what_is_no_label_description_is_refused(tmp_path, text):
    with pytest.raises(FileProblem):
        read_itksnap(put(tmp_path / "a.txt", text))


@pytest.mark.parametrize(
    "content",
    [
        {"1": "liver", "2": "spleen"}, {"labels": {"0": "background", "1": "liver", "2": "spleen"}},
        {"labels": {"background": 0, "liver": 1, "spleen": 2}, "name": "nnU-Net"},
        {"Background": 0, "liver": 1, "spleen": 2}, {"labels": {"liver": 1, "spleen": 2}},
        {"labels": [{"id": 1, "name": "liver"}, {"id": "2", "name": "spleen", "color": None}]},
    ],
)  # fmt: skip
def test_tables_of_others_are_read(tmp_path, content):
    found = read_sidecar(put(tmp_path / "a.json", json.dumps(content)))
    assert [(item.id, item.name, item.color) for item in found] == [(1, "liver", "#e69f00"), (2, "spleen", "#56b4e9")]


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "1", "null", '"x"', '{"labels": 3}', '{"Manufacturer": "Siemens"}', '{"1": 2.5}', '{"1": null}',
        '{"labels": [{"id": 1}]}', '{"labels": [3]}', '{"labels": [{"id": true, "name": "x"}]}', '{"-1": "x"}',
        '{"labels": [{"id": 1, "name": "x", "color": "red"}]}', '{"1": "a", "01": "b"}', '{"4294967296": "x"}',
        '{"labels": [{"id": 1.5, "name": "x"}]}', "[" * 100_000, '{"EchoTime": 3, "RepetitionTime": 3}',
        '{"EchoTime": 30, "RepetitionTime": 2000}', '{"EchoTime": 30, "SliceOffset": 0}', '{"background": 1, "x": 2}',
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused(tmp_path, text):
    with pytest.raises(FileProblem):
        read_sidecar(put(tmp_path / "a.json", text))


def test_two_of_one_id_are_not_written(tmp_path):
    for write, name in ((write_itksnap, "a.txt"), (write_sidecar, "a.json")):
        before = write(tmp_path / name, CLASSES).read_bytes()
        with pytest.raises(SaveProblem):
            write(tmp_path / name, (CLASSES[0], CLASSES[0]))
        assert (tmp_path / name).read_bytes() == before


def test_no_huge_file_is_read(tmp_path):
    with (tmp_path / "a.json").open("wb") as file:
        file.truncate(17_000_000)
    with pytest.raises(FileProblem, match="Too large"):
        read_sidecar(tmp_path / "a.json")


def test_names_beside_a_label_map_are_found(tmp_path, caplog):
    labels = tmp_path / "a b.nii.gz"
    labels.touch()
    assert beside(labels) == ()
    put(tmp_path / "a b.txt", SNAP)
    assert [item.name for item in beside(labels)] == ["Label 1", 'the "second" one']
    put(tmp_path / "a b.label", '5 0 0 0 1 1 1 "five"\n')
    assert [item.id for item in beside(labels)] == [5]
    write_sidecar(tmp_path / "a b.json", CLASSES)
    assert beside(labels) == CLASSES
    put(tmp_path / "a b.json", '{"EchoTime": 3.5}')
    with caplog.at_level(logging.INFO):
        assert [item.id for item in beside(labels)] == [5]
    assert "a b.json" in caplog.text


def test_folders_and_broken_links_beside_are_no_names(tmp_path):
    (tmp_path / "a.json").mkdir()
    (tmp_path / "a.txt").symlink_to(tmp_path / "gone")
    assert beside(tmp_path / "a.nii") == ()


@pytest.mark.parametrize("name", ["a.label", "a.json"])
def test_the_table_of_a_label_map_is_saved_by_its_extension(tmp_path, name):
    classes = (LabelClass(id=3, name="liver", color="#e69f00"), LabelClass(id=117, name="left rib", color="#0072b2"))
    labels = Volume(data=np.zeros((2, 3, 4), np.uint8), geometry=Geometry.from_spacing((1, 1, 1)), classes=classes)
    registry.write_labels(tmp_path / name, labels)
    assert beside(tmp_path / "a.nii.gz") == classes
    with pytest.raises(SaveProblem, match="no classes"):
        registry.write_labels(tmp_path / name, replace(labels, classes=()))
    assert beside(tmp_path / "a.nii.gz") == classes
