from __future__ import annotations

import os
import subprocess
import sys

from napari_vol3d.engine.messages import Cancel, Focus, Segment

LISTEN = """
import sys, time
from napari_vol3d.engine.inbox import Inbox
inbox = Inbox(sys.stdin)
work = inbox.waiting.get()
deadline = time.monotonic() + 20
while not (inbox.cancelled.is_set() and inbox.focus) and time.monotonic() < deadline:
    time.sleep(0.01)
print(work.kind, inbox.cancelled.is_set(), inbox.focus, flush=True)
time.sleep(60)
"""


def listen(lines: list[str]) -> tuple[str, int]:
    """Send lines to an inbox in a process of its own, close the pipe, give what it saw and its exit code."""
    with subprocess.Popen(
        [sys.executable, "-c", LISTEN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("\n".join(lines) + "\n")
        process.stdin.flush()
        seen = process.stdout.readline()
        process.stdin.close()
        return seen.strip(), process.wait(timeout=30)


def test_cancel_and_focus_overtake_work_and_a_closed_pipe_ends_the_process() -> None:
    work = Segment(
        scan="s", labels="l", ratio=(1, 1, 1), model_shape=(8, 8, 8), intensity=(), patch_size=(8, 8, 8), halo=0,
        start=(0, 0, 0), stop=(8, 8, 8),
    )  # fmt: skip
    messages = [work, Focus(point=(1.0, 2.0, 3.0)), Cancel()]
    seen, code = listen([message.model_dump_json() for message in messages])
    assert seen == "segment True (1.0, 2.0, 3.0)"
    assert code == 0


def test_nonsense_on_the_pipe_ends_the_process() -> None:
    seen, code = listen(['{"kind": "no such thing"}'])
    assert seen == ""
    assert code == 0
