"""What waits on this computer is one program's, and goes home whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from napari_vol3d.review import fallback
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.records import Event, Layer
from napari_vol3d.review.shelter import Batch, Shelter, write_batch
from tests.review.scripts import first_labels, layer_of


def moves(*layers: Layer) -> Batch:
    return [(layer, Event(layer=layer.key, kind="move")) for layer in layers]


def test_layers_that_take_turns_keep_their_order(tmp_path: Path) -> None:
    one, other = layer_of(first_labels()), layer_of(first_labels())
    journal, batch = Journal(tmp_path / "a.journal"), moves(one, one, other, one, other)
    write_batch(journal, batch)  # opens it
    write_batch(journal, batch)
    for layer in (one, other):
        assert list(journal.history(layer)) == [event for held, event in batch if held == layer]


def test_what_a_layer_says_of_itself_last_is_kept(tmp_path: Path) -> None:
    layer, journal = layer_of(first_labels()), Journal(tmp_path / "a.journal")
    renamed = [replace(layer, about={"classes": [name]}) for name in ("one", "other")]
    write_batch(journal, moves(layer, *renamed))
    assert journal.layers() == (renamed[-1],)


def test_all_is_merged_and_only_the_owner_may(tmp_path: Path) -> None:
    layer, main = layer_of(first_labels()), Journal.open(tmp_path / "a.journal")
    shelter = Shelter(main)
    assert shelter.merge() == 0
    batch = moves(*[layer] * 5)
    shelter.put(batch)
    assert fallback.gather(main) == 0
    assert shelter.merge() == shelter.count == 5
    assert list(main.history(layer)) == [event for _, event in batch]
    shelter.put(moves(layer))
    shelter.leave()
    assert fallback.gather(main) == 6
    assert len(main.history(layer)) == 6
    shelter.remove()


def test_a_batch_that_failed_may_be_put_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = layer_of(first_labels()), layer_of(first_labels())
    main, plain = Journal.open(tmp_path / "a.journal"), Journal.add
    shelter, batch = Shelter(main), moves(one, one, other)

    def add(journal: Journal, layer: Layer, events: list[Event]) -> int:
        if layer == other:
            raise OSError("full")
        return plain(journal, layer, events)

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "add", add)
        with pytest.raises(OSError, match="full"):
            shelter.put(batch)
    assert shelter.count == 0
    shelter.put(batch)
    assert shelter.merge() == shelter.count == 3
