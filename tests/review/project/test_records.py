"""What a row says comes back from its row."""

from __future__ import annotations

from napari_vol3d.review.project.records import Act, Case, Foreseen, ImageRef, Reading, Version


def test_each_record_comes_back_from_its_row() -> None:
    case = Case(
        name="sub-01 ses-02", code="sub-01_ses-02", subject="01", session="02", prior="derivatives/x_dseg.nii.gz",
        images=(ImageRef(path="../a/T1.nii.gz", role="T1"), ImageRef(path="FLAIR.nii.gz", role="FLAIR")), position=7,
    )  # fmt: skip
    reading = Reading(
        case=case.key, reader="ben", repeat=1, blind=True, status="flagged", annotator="ben", seconds=12.25,
        note="motion, \"left\"", place={"point": [1.5, 2]}, version="v",
    )  # fmt: skip
    foreseen = Foreseen(
        case=case.key, model="m 1", model_sha256="00", settings={"mirror": True}, score=0.5,
        places=({"words": "tip, z 3", "score": 0.9},), seconds=1.5, shape=(3, 4, 5), dtype="uint16", sha256="11",
    )  # fmt: skip
    version = Version(
        reading=reading.key, number=2, who="ann", parent="p", cursor="c", prediction="f", seconds=3.5, model="m",
        model_sha256="00", settings={"a": [1]}, changed={"1": (3, 4)}, shape=(3, 4, 5), dtype="uint8", sha256="22",
    )  # fmt: skip
    assert Case.from_row(case.row()) == case
    assert Reading.from_row(reading.row()) == reading
    assert Foreseen.from_row(foreseen.row()) == foreseen
    assert Version.from_row(version.row()) == version


def test_an_act_is_a_row_of_plain_values() -> None:
    row = Act(act="accept", who="ann", reading="r", details={"version": "v"}).row()
    assert (row["act"], row["who"], row["reading_key"], row["details"]) == ("accept", "ann", "r", '{"version": "v"}')
