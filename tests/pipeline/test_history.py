from __future__ import annotations

from pathlib import Path

from napari_vol3d.engine.messages import Epoch
from napari_vol3d.pipeline.history import HISTORY_NAME, History


def report(epoch: int, **figures: float) -> Epoch:
    return Epoch(epoch=epoch, epochs=9, figures={"loss": 1.0 / epoch, **figures}, checkpoint="c")


def test_best_epoch_is_the_first_of_the_highest_dice(tmp_path: Path) -> None:
    history = History(tmp_path, resume=False)
    for epoch, score in enumerate((0.2, 0.9, 0.9, 0.3), start=1):
        history.add(report(epoch, **{"mean dice": score}), seconds=10.0 * epoch)
    assert (history.epochs, history.best_epoch, history.seconds) == (4, 2, 40.0)


def test_without_validation_the_lowest_loss_counts(tmp_path: Path) -> None:
    history = History(tmp_path, resume=False)
    for epoch in (1, 2, 3):
        history.add(report(epoch), seconds=1.0)
    assert history.best_epoch == 3


def test_a_resumed_run_goes_on_where_the_file_ends(tmp_path: Path) -> None:
    first = History(tmp_path, resume=False)
    first.add(report(1, **{"mean dice": 0.5}), seconds=7.0)
    again = History(tmp_path, resume=True)
    assert again.lines == first.lines
    again.add(report(2, **{"mean dice": 0.4}), seconds=9.0)
    assert [line["epoch"] for line in History(tmp_path, resume=True).lines] == [1, 2]


def test_an_epoch_done_again_after_a_kill_counts_once(tmp_path: Path) -> None:
    history = History(tmp_path, resume=False)
    history.add(report(1, **{"mean dice": 0.9}), seconds=1.0)
    history.add(report(2, **{"mean dice": 0.1}), seconds=2.0)
    history.add(report(2, **{"mean dice": 0.2}), seconds=3.0)
    assert [line["mean dice"] for line in history.lines] == [0.9, 0.2]
    assert [line["mean dice"] for line in History(tmp_path, resume=True).lines] == [0.9, 0.2]


def test_a_line_that_was_cut_by_a_kill_is_left_out(tmp_path: Path) -> None:
    history = History(tmp_path, resume=False)
    history.add(report(1), seconds=1.0)
    with (tmp_path / HISTORY_NAME).open("a") as file:
        file.write('{"epoch": 2, "los')
    resumed = History(tmp_path, resume=True)
    assert resumed.epochs == 1
    resumed.add(report(2), seconds=2.0)  # not glued to what the kill left
    assert [line["epoch"] for line in History(tmp_path, resume=True).lines] == [1, 2]


def test_a_new_run_starts_with_an_empty_page(tmp_path: Path) -> None:
    History(tmp_path, resume=False).add(report(1), seconds=1.0)
    assert History(tmp_path, resume=False).lines == []
