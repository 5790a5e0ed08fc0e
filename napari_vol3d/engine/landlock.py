"""Landlock by its three system calls: a Linux process that gives up rights on files for good, without being root.

What the kernel can take away grew with its ABI: 1 files (Linux 5.13), 2 links and renames between folders, 3 truncate,
4 TCP, 5 ioctl on devices, 6 abstract sockets and signals. Asked for is what this kernel knows.
Source: https://docs.kernel.org/userspace-api/landlock.html and linux/landlock.h.
"""

from __future__ import annotations

import ctypes
import os
import stat
import sys
from collections.abc import Iterable

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # on all architectures
ROOTS_FILES = 1 << 1 | 1 << 2  # the capabilities to read and write where root needs no permission
CAPABILITIES_VERSION = 0x20080522
ASK_ABI, PATH_BENEATH, NO_NEW_PRIVILEGES = 1, 1, 38

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
REFER, TRUNCATE, IOCTL_DEVICE = 1 << 13, 1 << 14, 1 << 15
EVERYTHING = (1 << 16) - 1
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEVICE  # the rest is asked of a folder
READ_AND_WRITE = READ_FILE | WRITE_FILE
READ = EXECUTE | READ_FILE | READ_DIR
DEVICE = READ_AND_WRITE | READ_DIR | IOCTL_DEVICE
KNOWN_SINCE = {REFER: 2, TRUNCATE: 3, IOCTL_DEVICE: 5}
TCP, SCOPES = 0b11, 0b11  # bind and connect; abstract sockets and signals
SIZES = ((6, 24), (4, 16), (1, 8))  # bytes of the ruleset that an ABI takes


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def find_abi() -> int:
    """Give the version of Landlock that this kernel speaks; 0 where there is none, or a container forbids it."""
    if not sys.platform.startswith("linux"):
        return 0
    try:
        return call_kernel(CREATE_RULESET, None, 0, ASK_ABI)
    except OSError:
        return 0


def restrict(rules: Iterable[tuple[str, int]], abi: int) -> None:
    """Give up all rights on files but those on `rules`, TCP, and signals to others: this thread, and what it starts.

    Parameters
    ----------
    rules : iterable of (str, int)
        A file, or a folder with all below it, and rights on it. What is not there is passed over.

    Raises
    ------
    OSError
        If the kernel refuses.
    """
    files = _known(EVERYTHING, abi)
    wanted = _Ruleset(files=files, net=TCP if abi >= 4 else 0, scoped=SCOPES if abi >= 6 else 0)
    size = next(size for since, size in SIZES if abi >= since)
    ruleset = call_kernel(CREATE_RULESET, ctypes.byref(wanted), size, 0)
    try:
        for path, rights in rules:
            _allow(ruleset, path, rights & files)
        give_up_privileges()
        _give_up_capabilities()
        call_kernel(RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _known(rights: int, abi: int) -> int:
    for right, since in KNOWN_SINCE.items():
        rights &= ~right if abi < since else -1
    return rights


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= OF_FILES
        beneath = _PathBeneath(allowed=rights, folder=place)
        call_kernel(ADD_RULE, ruleset, PATH_BENEATH, ctypes.byref(beneath), 0)
    finally:
        os.close(place)


def give_up_privileges() -> None:
    """Let no program that is started from here on have more rights than this one; Landlock and seccomp demand it."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(NO_NEW_PRIVILEGES, *map(ctypes.c_ulong, (1, 0, 0, 0))):
        raise _last_error()


def _give_up_capabilities() -> None:
    """Leave root no power but over files, which Landlock rules: with others it reads what processes outside hold."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(CAPABILITIES_VERSION, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted and inheritable; twice, for two times 32 of them
    if libc.capget(header, sets):
        raise _last_error()
    kept = (ctypes.c_uint32 * 6)(*(value & ROOTS_FILES for value in sets[:3]))
    if libc.capset(header, kept):
        raise _last_error()


def call_kernel(number: int, *arguments: object) -> int:
    """Make a system call.

    Raises
    ------
    OSError
        What the kernel answers.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    # Plain numbers would be passed as C ints, whose upper half is whatever the register held.
    passed = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    answer: int = libc.syscall(ctypes.c_long(number), *passed)
    if answer < 0:
        raise _last_error()
    return answer


def _last_error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
