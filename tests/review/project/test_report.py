"""The report, and what none of the exports may tell."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from napari_vol3d.core.errors import SaveProblem
from napari_vol3d.review.project.bids_export import export_bids
from napari_vol3d.review.project.export import export_files
from napari_vol3d.review.project.figures import export_figures
from napari_vol3d.review.project.measured import measure
from napari_vol3d.review.project.records import Reading
from napari_vol3d.review.project.report import write_report
from napari_vol3d.review.project.training_export import export_training
from napari_vol3d.review.schema import writing
from tests.builders import finish
from tests.review.project.studies import IDS, WHO, accept_labels, hippocampi, reference, spoiled
from tests.review.project.test_page import parsed

TELLING = ("Anna_Meier", "Berta-Huber", "ClaraSchmidt_1961-04-23", "Dora Wolf")
SUBJECTS = ("Meier, Anna", "HUBER^BERTA", "Schmidt 1961", "patient4711")
SAID = ("Meier", "Huber", "Schmidt", "1961-", "Dora", "patient4711", *WHO, "Annette", "professor", "Cleo", "secret")


@pytest.fixture
def telling(shared_data, tmp_path):
    """A project in which everything tells a name, and two read."""
    folder = tmp_path / "Dr professor" / "study"
    project = hippocampi(shared_data, folder, count=4, accepted=3, names=TELLING, subjects=SUBJECTS)
    first, second = project.rows()[:2]
    project.set_note(first.reading.key, "secret: Anna Meier has moved", who=WHO[0])
    project.assign([Reading(case=first.case.key, reader="Cleo", blind=True)], who=WHO[1])
    other = spoiled(reference(shared_data, IDS[0]), 1)
    accept_labels(project, project.rows("Cleo")[0].reading, other, None, who="Cleo")
    accept_labels(
        project, second.reading, reference(shared_data, IDS[1]), None, who=WHO[1], model=f"{folder}/model",
        settings={"out": str(folder), "of": "Berta-Huber", "halo": 8},
    )  # fmt: skip
    project.say("name", "Study of Dora Wolf")
    return project


def test_it_says_how_far_people_are(shared_data, tmp_path):
    project = hippocampi(shared_data, tmp_path / "study", count=6, accepted=4)
    _, path = finish(write_report(project, tmp_path / "r.html"))
    text = path.read_text(encoding="utf-8")
    seen = parsed(text).seen
    assert ">4 of 6<" in text
    assert [word for word in ("Progress", "Volumes", "All scans", "Made with") if f"<h2>{word}</h2>" not in text] == []
    assert sum(tag == "figure" for tag, _ in seen) == 6 + 3  # plots, and pictures of the cases that were changed
    assert text.count("data:image/png") == 3
    assert "For research use only" in text
    assert "Agreement between readings" not in text
    assert [code for code in (f"case-000{n}" for n in range(1, 7)) if code not in text] == []
    outside = [v for _, attrs in seen for k, v in attrs.items() if k in ("href", "src", "xlink:href") and v]
    assert all(v.startswith(("data:", "#")) for v in outside)
    identities = [attrs["id"] for _, attrs in seen if "id" in attrs]
    used = set(re.findall(r"url\(#([^)]+)\)", text)) | {v[1:] for v in outside if v[0] == "#"}
    assert used <= set(identities)


def test_a_project_at_its_start_and_one_without_scans_have_a_report(shared_data, tmp_path):
    project = hippocampi(shared_data, tmp_path / "study", count=2, accepted=0)
    text = finish(write_report(project, tmp_path / "a.html"))[1].read_text(encoding="utf-8")
    assert "Nothing is accepted yet" in text
    project = hippocampi(shared_data, tmp_path / "gone", count=3, accepted=2)
    for scan in (tmp_path / "gone").glob("*.nii.gz"):
        scan.unlink()
    text = finish(write_report(project, tmp_path / "b.html"))[1].read_text(encoding="utf-8")
    assert "data:image/png" not in text
    assert "case-0002 can&#x27;t be read" in text


def test_the_readings_are_in_it(telling, tmp_path):
    text = finish(write_report(telling, tmp_path / "r.html"))[1].read_text(encoding="utf-8")
    assert "Agreement between readings" in text
    assert "annotator 3" in text
    assert "<h1>Review report</h1>" in text


def test_nothing_that_goes_out_tells_a_name_or_a_place(telling, tmp_path):
    out = tmp_path / "out"
    shares = {"seed": 1, "validation_share": 0.3, "test_share": 0.0}
    for verb in (
        export_files(telling, out / "files"), export_bids(telling, out / "bids"),
        export_figures(telling, out / "figures"), export_training(telling, out / "training", **shares),
        write_report(telling, out / "report.html"),
    ):  # fmt: skip
        reports, _ = finish(verb)
        assert not [report for report in reports for word in SAID if word.casefold() in report.note.casefold()]
    written = [path for path in out.rglob("*") if path.is_file()]
    assert len(written) >= 3 + 9 + 4 + 9 + 1
    for path in written:
        assert told(path, out, tmp_path) == []


def test_the_search_for_names_finds(telling, tmp_path):
    (tmp_path / "out").mkdir()
    for number, content in enumerate((b"of HUBER", str(tmp_path).encode(), gzip.compress(b"secret"))):
        path = tmp_path / "out" / f"{number}"
        path.write_bytes(content)
        assert told(path, tmp_path / "out", tmp_path) != []


def told(path: Path, out: Path, machine: Path) -> list[str]:
    """Words that tell, in a file, its name, and what is packed in it; base64 of pictures left out."""
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = content[:20] + gzip.decompress(content)
    content = re.sub(rb"base64,[A-Za-z0-9+/=]+", b"", content)
    text = str(path.relative_to(out)).casefold() + content.decode("latin-1").casefold()
    paths = re.findall(r"(?<![\w.<:/])/(?:home|users|tmp|root|work|var)/", text)
    return [word for word in (*SAID, str(machine), machine.name) if word.casefold() in text] + paths


def test_no_scan_and_no_project_is_replaced_by_a_report(shared_data, tmp_path):
    project = hippocampi(shared_data, tmp_path / "study", count=1, accepted=0)
    scan = project.place_of(project.cases()[0].images[0].path)
    (tmp_path / "link.html").symlink_to(scan)
    for target in (scan, project.path, tmp_path / "link.html", tmp_path / "report.txt"):
        before = target.read_bytes() if target.exists() else None
        with pytest.raises(SaveProblem):
            finish(write_report(project, target))
        assert (target.read_bytes() if target.exists() else None) == before


def test_a_prediction_that_was_lost_costs_its_figures_only(shared_data, tmp_path):
    project = hippocampi(shared_data, tmp_path / "study", count=3, accepted=2)
    with writing(project.journal.engine, project.path) as connection:
        connection.exec_driver_sql("DELETE FROM predictions WHERE score < 0.15")  # of the first case
    _, measured = finish(measure(project))
    assert [one.mean_dice is None for one in measured.cases] == [True, False, True]
    assert measured.cases[0].classes[0].voxels > 0
    assert finish(write_report(project, tmp_path / "report.html"))[1].stat().st_size > 0
