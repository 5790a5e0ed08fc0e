"""What was learnt about a network is kept by its weights, survives damage, and costs nothing where it can't be kept."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from platformdirs import user_cache_path
from pydantic import ValidationError

from napari_vol3d.models.record import LocalRecord, expected_rate, guesses_in, keep_guesses, read_record, update_record
from tests.builders import make_card

CARD = make_card(Path("model.keras"), sha256="a" * 64)
OTHER = make_card(Path("model.keras"), sha256="b" * 64)


def kept_files():
    return [path for path in user_cache_path("napari-vol3d").rglob("*") if path.is_file()]


def test_findings_come_together_and_belong_to_the_weights():
    assert read_record(CARD) == LocalRecord()
    assert update_record(CARD, reach=46, instance_statistics=False) == LocalRecord(reach=46)
    found = update_record(CARD, halo=40, measured_on="head, 96 x 96 x 96 voxels")
    assert found == LocalRecord(reach=46, halo=40, measured_on="head, 96 x 96 x 96 voxels") == read_record(CARD)
    assert read_record(OTHER) == LocalRecord()
    renamed = CARD.model_copy(update={"name": "renamed", "version": "9"})
    assert read_record(renamed) == found  # the same weights under another name
    update_record(CARD, seconds_per_megavoxel={"CPU": 2.5})
    assert update_record(CARD, halo=38).seconds_per_megavoxel == {"CPU": 2.5}
    assert [CARD.weights.sha256 in path.name for path in kept_files()] == [True]


def test_guesses_belong_to_a_name_and_a_version_and_not_to_the_weights_alone():
    again = CARD.model_copy(update={"version": "2"})
    keep_guesses(CARD, ())
    assert kept_files() == []
    keep_guesses(CARD, ("classes", "spacing"))
    update_record(CARD, halo=5)
    assert (guesses_in(CARD), guesses_in(again), guesses_in(OTHER)) == (("classes", "spacing"), (), ())
    keep_guesses(again, iter(("title",)))
    keep_guesses(CARD, ())
    assert (guesses_in(CARD), guesses_in(again)) == ((), ("title",))
    assert read_record(CARD).halo == 5


def test_nothing_new_is_not_written():
    update_record(CARD, reach=3)
    (path,) = kept_files()
    before = path.stat()
    assert update_record(CARD, reach=3) == LocalRecord(reach=3)
    after = path.stat()
    assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\x00\xff", b'{"halo": -3}', b'{"halo": "many"}', b'{"from_the_future": 1}']
)
def test_a_damaged_record_is_no_record(content):
    update_record(CARD, halo=5)
    (path,) = kept_files()
    path.write_bytes(content)
    assert read_record(CARD) == LocalRecord()
    assert update_record(CARD, halo=7) == read_record(CARD) == LocalRecord(halo=7)


def test_a_place_that_cannot_be_written_to_costs_nothing(caplog):
    folder = user_cache_path("napari-vol3d")
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_bytes(b"a file where the folder should be")
    with caplog.at_level(logging.INFO):
        assert update_record(CARD, halo=5) == LocalRecord(halo=5)
    assert "not kept" in caplog.text
    assert read_record(CARD) == LocalRecord()
    assert folder.read_bytes() == b"a file where the folder should be"


def test_what_makes_no_sense_is_not_kept():
    with pytest.raises(ValidationError):
        update_record(CARD, halo=-1)
    with pytest.raises(ValidationError):
        update_record(CARD, surprise=1)
    assert kept_files() == []


@pytest.mark.parametrize("rate", [0.0, -1.0, float("inf"), float("nan")])
def test_a_speed_that_cannot_be_is_no_speed(rate):
    assert LocalRecord(seconds_per_megavoxel={"CPU": rate}).speed_on("CPU") is None


def test_the_speed_of_this_machine_goes_before_the_cards():
    assert expected_rate(CARD, "CPU") is None
    card = make_card(Path("model.keras"), sha256="a" * 64, inference={"seconds_per_megavoxel": 4.0})
    assert expected_rate(card, "CPU") == 4.0
    update_record(card, seconds_per_megavoxel={"CPU": 2.5})
    assert expected_rate(card, "CPU") == 2.5
    assert expected_rate(card, "NVIDIA H100") == 4.0
