"""The cage of the engine process: it reads Python and its own folder, writes there only, and makes no socket.

Models are programs, and safe loading is a filter, not a wall. The cage closes before anything else is imported, because
it binds the thread that closes it and what that starts later. What is open already stays: the pipes of the parent.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from napari_vol3d.engine.drivers import list_devices
from napari_vol3d.engine.landlock import DEVICE, EVERYTHING, IOCTL_DEVICE, READ, READ_AND_WRITE, find_abi, restrict
from napari_vol3d.engine.sockets import NETLINK, UNIX, forbid_sockets

# Programs and libraries of the system. Nix, Guix and snap keep them elsewhere, NixOS the driver of a GPU under /run.
SYSTEM = (
    "/usr", "/lib", "/lib32", "/lib64", "/bin", "/etc", "/proc", "/sys", "/opt", "/nix", "/gnu", "/snap",
    "/run/opengl-driver", "/run/current-system",
)  # fmt: skip
LIBRARY_PATHS = ("LD_LIBRARY_PATH", "CUDA_HOME", "CUDA_PATH", "CUDA_ROOT", "ROCM_PATH")  # of clusters' modules
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
# Where libraries keep what they need not make twice; the second group only where a person has set it.
PLACES = (
    "HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "KERAS_HOME",
    "MPLCONFIGDIR", "CUDA_CACHE_PATH",
)  # fmt: skip
PLACES_IF_SET = ("JAX_COMPILATION_CACHE_DIR", "TORCH_HOME", "TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR")
# What the kernels before these versions of Landlock can't keep from a process.
SINCE = {3: "emptying files of yours", 6: "ending other programs of yours"}
NONE = "No cage on this system: {}; a model that is a program in disguise could do all that you can."


def enter(folder: str | None, *, gpu: bool = False) -> str:
    """Close the cage around this process, as far as this system has one.

    Parameters
    ----------
    folder : str or None
        The one place that can be read and written.
    gpu : bool
        Whether the devices of GPUs are let in. Their drivers talk through Unix sockets, so those remain.

    Returns
    -------
    str
        Nothing, or a sentence for people: why there is no cage, or what it can't hold.
    """
    abi = find_abi()
    if not abi or not folder:
        return NONE.format(_reason(folder))
    places = [*_rules(folder, gpu=gpu)]
    _move_into(folder)
    alone = len(list(Path("/proc/self/task").iterdir())) == 1
    try:
        restrict(places, abi)
    except OSError as error:
        return NONE.format(f"Linux says {error.strerror}")
    closed = forbid_sockets(families=(UNIX, NETLINK) if gpu else ())
    gaps = [words for since, words in SINCE.items() if abi < since]
    gaps += ["reaching the network"] * (not closed)
    gaps += ["acting through what this Python started before it"] * (not alone)
    return f"A cage with gaps on this system: it can't keep a model from {' or '.join(gaps)}." if gaps else ""


def _reason(folder: str | None) -> str:
    if not folder:
        return "the engine has no folder of its own"
    if not sys.platform.startswith("linux"):
        return "only Linux has one"
    return "it takes Linux 5.13 with Landlock, which a container may forbid"


def _rules(folder: str, *, gpu: bool) -> Iterator[tuple[str, int]]:
    """Give the places of which something is allowed, and what."""
    for path in (*SYSTEM, *_python(), *_libraries()):
        yield path, READ
    for path in DEVICES:
        yield path, READ_AND_WRITE
    yield folder, EVERYTHING & ~IOCTL_DEVICE
    for path in list_devices() if gpu else ():
        yield path, DEVICE


def _python() -> list[str]:
    """Give the folders that this Python imports from; none that would open a person's whole home."""
    home = Path.home().resolve()
    roots = [sys.prefix, sys.base_prefix, sys.exec_prefix, *filter(None, sys.path)]
    links = [link for folder in sys.path for link in _linked(Path(folder))]
    found = {*(Path(root).resolve() for root in roots), *links, Path(__file__).resolve().parents[1]}
    return [str(folder) for folder in sorted(found - {home, *home.parents})]


def _linked(folder: Path) -> Iterator[Path]:
    """Give where packages lie of which there are only links: an installer may keep one copy for many environments."""
    if folder.name != "site-packages" or not folder.is_dir():
        return
    for entry in folder.iterdir():
        first = entry / "__init__.py"
        if entry.is_symlink():
            yield entry.resolve()
        elif first.is_symlink():
            yield first.resolve().parents[1]


def _libraries() -> list[str]:
    """Give the folders of shared libraries that a person has set."""
    home = Path.home().resolve()
    paths = (Path(path) for name in LIBRARY_PATHS for path in os.environ.get(name, "").split(os.pathsep) if path)
    return [str(path) for path in paths if path.is_absolute() and path.resolve() not in {home, *home.parents}]


def _move_into(folder: str) -> None:
    """Let the libraries keep what they keep in the folder that goes with this process."""
    for name in (*PLACES, *(name for name in PLACES_IF_SET if name in os.environ)):
        os.environ[name] = folder
    os.chdir(folder)
