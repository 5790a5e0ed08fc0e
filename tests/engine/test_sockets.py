"""A process that gave up sockets makes none, in no thread and by no way around."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from napari_vol3d.engine import sockets

TRY = """
import errno, json, socket, sys, threading
from napari_vol3d.engine.landlock import call_kernel
from napari_vol3d.engine.sockets import forbid_sockets

go, found = threading.Event(), {}

def attempt(name, make):
    try:
        made = make()
    except OSError as error:
        found[name] = errno.errorcode[error.errno]
    else:
        found[name] = "made"
        if hasattr(made, "close"):
            made.close()

def old_thread():
    go.wait()
    attempt("old thread", lambda: socket.socket(socket.AF_INET))

thread = threading.Thread(target=old_thread)
thread.start()
found["worked"] = forbid_sockets(families=tuple(json.loads(sys.argv[1])))
go.set()
thread.join()
for name in ("AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET"):
    attempt(name, lambda: socket.socket(getattr(socket, name), socket.SOCK_RAW if name == "AF_NETLINK" else 1))
attempt("pair", lambda: socket.socketpair()[0])
attempt("ring", lambda: call_kernel(425, 1, None))
with open(sys.argv[0] if sys.argv[0] != "-c" else "/dev/null") as file:
    file.read()
print(json.dumps(found))
"""


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.uname().machine not in sockets.MACHINES,
    reason="the filter is for Linux on x86-64 and ARM",
)
@pytest.mark.parametrize("families", [(), (sockets.UNIX, sockets.NETLINK)])
def test_no_socket_is_made_but_of_the_families_that_are_let(families):
    done = subprocess.run(
        [sys.executable, "-c", TRY, json.dumps(families)], capture_output=True, text=True, check=True
    )  # fmt: skip
    found = json.loads(done.stdout)
    let = {"AF_UNIX", "AF_NETLINK"} if families else set()
    wanted = {name: "made" if name in let else "EACCES" for name in ("AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK")}
    # An internet socket would need no right at all; a pair reaches nobody else.
    assert found == wanted | {
        "worked": True, "old thread": "EACCES", "AF_PACKET": "EACCES", "pair": "made", "ring": "ENOSYS",
    }  # fmt: skip


def test_elsewhere_it_says_that_it_did_not(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not sockets.forbid_sockets()
