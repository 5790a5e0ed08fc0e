"""No sockets: a seccomp filter, because Landlock stops TCP only and neither UDP nor the sockets of other programs.

Source: https://docs.kernel.org/userspace-api/seccomp_filter.html and linux/{filter,seccomp,audit}.h.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys

from napari_vol3d.engine.landlock import call_kernel, give_up_privileges

# Of a machine: its number in linux/audit.h, and the system calls `socket` and `seccomp`.
MACHINES = {"x86_64": (0xC000003E, 41, 317), "aarch64": (0xC00000B7, 198, 277)}
IO_URING_SETUP = 425  # a way around system calls
SET_MODE_FILTER, EVERY_THREAD = 1, 1
UNIX, NETLINK = 1, 16
NUMBER, MACHINE, FIRST_ARGUMENT = 0, 4, 16  # where they stand in what a filter sees
LOAD, EQUAL, AT_LEAST, ANSWER = 0x20, 0x15, 0x35, 0x06
ALLOW, DENY = 0x7FFF0000, 0x00050000
FOREIGN = 0x40000000  # numbers of another table begin here, on x86_64


class _Step(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("yes", ctypes.c_uint8), ("no", ctypes.c_uint8), ("value", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("steps", ctypes.POINTER(_Step)))


def forbid_sockets(*, families: tuple[int, ...] = ()) -> bool:
    """Let this process, all its threads and what it starts make no socket but of `families`; tell whether it worked."""
    machine = os.uname().machine if sys.platform.startswith("linux") else ""
    if machine not in MACHINES or sys.maxsize < 2**32:
        return False
    number, socket, seccomp = MACHINES[machine]
    steps = _filter(number, socket, families)
    program = _Program(len(steps), (_Step * len(steps))(*steps))
    try:
        give_up_privileges()
        return call_kernel(seccomp, SET_MODE_FILTER, EVERY_THREAD, ctypes.byref(program)) == 0  # else a thread's number
    except OSError:
        return False


def _filter(machine: int, socket: int, families: tuple[int, ...]) -> list[_Step]:
    """Write the filter: each step says how many to skip if it is so, and if not."""
    allowed = [_Step(EQUAL, len(families) - i, 0, family) for i, family in enumerate(families)]
    return [
        _Step(LOAD, 0, 0, MACHINE), _Step(EQUAL, 1, 0, machine), _Step(ANSWER, 0, 0, DENY | errno.ENOSYS),
        _Step(LOAD, 0, 0, NUMBER), _Step(AT_LEAST, 1, 0, FOREIGN), _Step(EQUAL, 0, 1, IO_URING_SETUP),
        _Step(ANSWER, 0, 0, DENY | errno.ENOSYS),
        _Step(EQUAL, 1, 0, socket), _Step(ANSWER, 0, 0, ALLOW),
        _Step(LOAD, 0, 0, FIRST_ARGUMENT), *allowed,
        _Step(ANSWER, 0, 0, DENY | errno.EACCES), _Step(ANSWER, 0, 0, ALLOW),
    ]  # fmt: skip
