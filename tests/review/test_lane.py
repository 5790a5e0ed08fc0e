"""One job after the other, and nobody waits who does not want to."""

from __future__ import annotations

import threading
from concurrent.futures import TimeoutError as StillRunning

import pytest

from napari_vol3d.review.lane import Lane


def test_jobs_are_done_in_order_and_errors_come_back() -> None:
    lane, done = Lane("test"), []
    futures = [lane.run(lambda n=n: done.append(n) or n) for n in range(20)]
    assert [future.result(10) for future in futures] == done == list(range(20))
    with pytest.raises(ZeroDivisionError):
        lane.run(lambda: 1 / 0).result(10)
    assert lane.run(lambda: 7).result(10) == 7
    lane.close()


def test_a_job_that_hangs_holds_neither_the_asker_nor_the_end_of_the_program() -> None:
    lane, gate = Lane("hanging"), threading.Event()
    future = lane.run(gate.wait)
    with pytest.raises(StillRunning):
        future.result(0.01)
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "hanging"]
    assert thread.daemon
    lane.close()
    gate.set()
    thread.join(10)
    assert not thread.is_alive()
