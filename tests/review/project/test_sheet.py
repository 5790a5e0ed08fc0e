"""Tables as people make them: of any separator and encoding, with rows that are wrong."""

from __future__ import annotations

import pytest

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.review.project.sheet import is_table, read_sheet


@pytest.fixture
def scans(tmp_path):
    (tmp_path / "images").mkdir()
    for name in ("a.nii.gz", "b.nii.gz", "ü.nii.gz", "a_flair.nii.gz", "a_seg.nii.gz"):
        (tmp_path / "images" / name).write_bytes(b"x")
    return tmp_path


def write(folder, text, name="scans.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def seen(path):
    drafts, notes = read_sheet(path)
    return [
        (d.name, d.subject, d.session, [(p.name, r) for p, r in d.images], d.prior and d.prior.name) for d in drafts
    ], notes


def test_contrasts_and_labels(scans):
    path = write(scans, "Subject,session,age,T1,FLAIR,Labels\nP7,2,31,images/a.nii.gz,images/a_flair.nii.gz,"
                        "images/a_seg.nii.gz\nP8,,40,images/b.nii.gz,,\n")  # fmt: skip
    assert seen(path) == (
        [
            ("P7 2", "P7", "2", [("a.nii.gz", "T1"), ("a_flair.nii.gz", "FLAIR")], "a_seg.nii.gz"),
            ("P8", "P8", "", [("b.nii.gz", "T1")], None),
        ],
        [],
    )


@pytest.mark.parametrize(
    ("name", "mark", "encoding"),
    [("x.tsv", "\t", "utf-8"), ("x.csv", ";", "utf-8-sig"), ("x.csv", ";", "cp1252"), ("x.csv", "\t", "utf-16")],
)
def test_separators_and_encodings(scans, name, mark, encoding):
    text = f"participant_id{mark}image\r\n\"Ä, 1\"{mark}images/ü.nii.gz\r\n\r\n"
    ((row,), notes) = seen(write(scans, text, name, encoding))
    assert row[:4] == ("Ä, 1", "Ä, 1", "", [("ü.nii.gz", "")])
    assert notes == []


def test_paths_of_windows_and_absolute_ones(scans):
    found, notes = seen(write(scans, f"image\nimages\\a.nii.gz\n{scans / 'images' / 'b.nii.gz'}\n"))
    assert ([row[0] for row in found], notes) == (["a", "b"], [])


def test_rows_that_are_wrong_are_named(scans):
    path = write(scans, "subject,image,FLAIR,labels\nP1,images/a.nii.gz,gone.nii.gz,none.nii.gz\nP2,gone.nii.gz,,\n"
                        "P3,,,\nP4,images/b.nii.gz,,,,more\nP5,images/b.nii.gz\n")  # fmt: skip
    found, notes = seen(path)
    assert [(row[0], len(row[3]), row[4]) for row in found] == [("P1", 1, None), ("P5", 1, None)]
    assert [note.partition(" of")[0] for note in notes] == ["Row 2", "Row 2", "Row 3", "Row 4", "Row 5"]
    assert "gone.nii.gz" in notes[0]


@pytest.mark.parametrize("text", ["", "subject,age\nP1,3\n", "just words\n"])
def test_a_table_without_images(scans, text):
    with pytest.raises(FileProblem, match=r"Empty file|No column of images"):
        read_sheet(write(scans, text))


def test_bytes_that_are_no_table(scans):
    with pytest.raises(FileProblem):
        read_sheet(write(scans, "image\n" + '"' + "x" * 200_000))


def test_codes_and_names_of_ones_own(scans):
    (draft,), _ = read_sheet(write(scans, "code,name,image\nQ-1,first,images/a.nii.gz\n"))
    assert (draft.code, draft.name) == ("Q-1", "first")


def test_what_is_a_table(scans):
    assert is_table(write(scans, "x"))
    assert not is_table(scans / "gone.csv")
    assert not is_table(scans / "images" / "a.nii.gz")


def test_a_cell_that_is_no_name_of_a_file(scans):
    found, notes = seen(write(scans, "image,labels\nimages/a.nii.gz," + "y" * 5000 + "\n" + "x" * 300 + ".nii,\n"))
    assert [(row[0], row[4]) for row in found] == [("a", None)]
    assert all(len(note) < 130 for note in notes)
    assert len(notes) == 2


@pytest.mark.parametrize("heads", ["image,image", "T1, t1 ", "subject,Subject,image", "image,Image"])
def test_two_columns_of_one_name_are_refused(scans, heads):
    with pytest.raises(FileProblem, match="Two columns"):
        read_sheet(write(scans, f"{heads}\nimages/a.nii.gz,images/b.nii.gz,images/b.nii.gz\n"))


def test_columns_that_say_nothing_may_be_called_alike(scans):
    assert len(seen(write(scans, "image,,,age,age\nimages/a.nii.gz,,,1,2\n"))[0]) == 1
