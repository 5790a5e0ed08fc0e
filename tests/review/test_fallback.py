"""Where journals lie, and how one goes over into another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from napari_vol3d.review import fallback
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.records import Event, new_token
from tests.review.scripts import first_labels, layer_of


def test_each_project_finds_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOL3D_JOURNALS", str(tmp_path / "own"))
    assert fallback.journal_of_scan("ab" * 32) == tmp_path / "own" / f"{'ab' * 32}.journal"
    one, other = tmp_path / "one.journal", tmp_path / "other.journal"
    assert fallback.waiting_for(one) == []
    files = [fallback.new_fallback(one) for _ in range(2)]
    for path in files:
        Journal.open(path)
    assert set(fallback.waiting_for(one)) == set(files)
    assert fallback.waiting_for(other) == []
    monkeypatch.delenv("VOL3D_JOURNALS")
    assert fallback.journals_folder().name == "journals"


def test_merging_keeps_the_order_and_leaves_out_what_is_there(tmp_path: Path) -> None:
    layer = layer_of(first_labels())
    source, target = Journal.open(tmp_path / "s"), Journal.open(tmp_path / "t")
    events = [Event(layer=layer.key, kind="move") for _ in range(150)]
    source.add(layer, events)
    target.add(layer, events[:40])
    theirs = Event(layer=layer.key, kind="move")
    target.add(layer, [theirs])
    for _ in range(2):
        assert fallback.merge(source, target) == 150
        assert list(target.history(layer)) == [*events[:40], theirs, *events[40:]]


def test_merging_carries_what_a_layer_says_of_itself(tmp_path: Path) -> None:
    plain = layer_of(first_labels())
    told = replace(plain, about={"model": "m"})
    for before, there, after in ((told, None, told), (told, plain, told), (plain, told, told)):
        source, target = Journal.open(tmp_path / new_token()), Journal.open(tmp_path / new_token())
        source.add(before, [Event(layer=plain.key, kind="move")])
        if there is not None:
            target.add_layer(there)
        fallback.merge(source, target)
        assert target.layers() == (after,)


def test_a_damaged_file_is_gathered_as_far_as_it_can_be_and_kept(tmp_path: Path) -> None:
    main, layer = Journal.open(tmp_path / "a.journal"), layer_of(first_labels())
    path = fallback.new_fallback(main.path)
    Journal.open(path).add(layer, [Event(layer=layer.key, kind="move") for _ in range(3)])
    path.write_bytes(bytes(4096) + path.read_bytes()[4096:])
    assert fallback.gather(main) == 3
    assert len(main.history(layer)) == 3
    assert [kept.name.partition(".damaged")[0] for kept in path.parent.iterdir()] == [path.name]
