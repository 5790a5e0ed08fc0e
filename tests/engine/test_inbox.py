"""The ear of the engine: a `Cancel` is heard at once, and the process ends with its pipe."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from napari_vol3d.engine.messages import Cancel, Patch

# Waits until the pipe's last message has been heard, and says what there is: first at a glance, then in order.
LISTEN = """
import sys
from napari_vol3d.engine.broom import Broom
from napari_vol3d.engine.inbox import Inbox
inbox = Inbox(sys.stdin, Broom(sys.argv[1]) if len(sys.argv) > 1 else None)
inbox.cancelled.wait(20)
print(inbox.cancelled.is_set(), *(inbox.waiting.get(timeout=20).kind for _ in range(3)), flush=True)
inbox.waiting.get()
"""
WORK = Patch(slot=0, start=(0, 0, 0), owned_start=(0, 0, 0), owned_stop=(8, 8, 8))


def listen(lines: list[str], *folder: Path) -> tuple[str, int]:
    """Send lines to an inbox in a process of its own, close the pipe, give what it saw and its exit code."""
    with subprocess.Popen(
        [sys.executable, "-c", LISTEN, *map(str, folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=dict(os.environ),
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("\n".join(lines) + "\n")
        process.stdin.flush()
        seen = process.stdout.readline()
        process.stdin.close()
        return seen.strip(), process.wait(timeout=30)


def test_cancel_is_heard_at_once_and_answered_in_turn() -> None:
    seen, code = listen([message.model_dump_json() for message in (WORK, WORK, Cancel(number=1))])
    assert seen == "True patch patch cancel"  # set before the first patch was taken, and still in the queue
    assert code == 0


def test_a_closed_pipe_ends_the_process_and_removes_its_folder(tmp_path: Path) -> None:
    private, other = tmp_path / "private", tmp_path / "other"
    for folder in (private, other):
        folder.mkdir()
        (folder / "scan.npy").write_bytes(b"a person's scan")
    lines = [message.model_dump_json() for message in (WORK, WORK, Cancel(number=1))]
    assert listen(lines, private)[1] == 0
    assert not private.exists()
    assert (other / "scan.npy").exists()


def test_nonsense_on_the_pipe_ends_the_process(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir()
    seen, code = listen(['{"kind": "no such thing"}'], private)
    assert (seen, code) == ("", 0)
    assert not private.exists()
