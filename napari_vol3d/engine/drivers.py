"""The devices of GPUs on Linux, as files; and NVIDIA's, made before the cage closes."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

DEVICES = Path("/dev")
COMPUTING = ("nvidia*", "dxg", "kfd")  # NVIDIA; Windows' own Linux; AMD
DRAWING = ("dri",)  # AMD's computing wants it too
NVIDIA_MODULE = Path("/proc/driver/nvidia")
UNIFIED_MEMORY = Path("/dev/nvidia-uvm")


def has_gpu() -> bool:
    """Tell whether a GPU that computes is here, or its driver."""
    return NVIDIA_MODULE.exists() or any(any(DEVICES.glob(pattern)) for pattern in COMPUTING)


def list_devices() -> list[str]:
    """Give the files of the GPUs that compute."""
    return [str(device) for pattern in (*COMPUTING, *DRAWING) for device in DEVICES.glob(pattern)]


def wake_driver() -> None:
    """Have NVIDIA's devices made, where nothing has computed since the machine was started.

    CUDA does so itself, by a program that becomes root; in the cage no program may.
    """
    helper = shutil.which("nvidia-modprobe")
    if helper and NVIDIA_MODULE.exists() and not UNIFIED_MEMORY.exists():
        with contextlib.suppress(OSError):
            os.waitpid(os.posix_spawn(helper, [helper, "-c", "0", "-u"], dict(os.environ)), 0)
