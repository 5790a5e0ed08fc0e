"""The engine process: `python -m napari_vol3d.engine`, started by `pipeline.child` and by nobody else.

Requests come in on stdin and reports go out on stdout, one JSON record a line (see `messages`). What TensorFlow and
other libraries print goes to stderr. The process ends when its pipe closes or after ten idle minutes.

Here only what comes before the cage (see `cage`): so no import that starts a thread, NumPy's neither.
"""

from __future__ import annotations

import argparse
import os
import signal
import tempfile

from napari_vol3d.engine.broom import Broom
from napari_vol3d.engine.bytecode import compile_once
from napari_vol3d.engine.cage import enter
from napari_vol3d.engine.drivers import has_gpu, wake_driver
from napari_vol3d.engine.limits import set_limits


def main() -> None:
    """Close the cage, and serve requests in it until the parent is gone."""
    arguments = _read_arguments()
    for name in ("SIGINT", "SIGHUP"):
        # Meant for the parent, and sent to both: this process ends when its pipe closes, and its folder with it.
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    broom = Broom(arguments.folder) if arguments.folder else None
    tempfile.tempdir = arguments.folder  # TensorFlow leaves a file there for each function that it traces
    gpu = arguments.device != "cpu" and has_gpu()
    if gpu:
        wake_driver()
    compile_once(arguments.backend)
    set_limits(gpu=gpu, adopting=arguments.adopting)
    cage = enter(arguments.folder, gpu=gpu)
    from napari_vol3d.engine.process import OUT_OF_MEMORY, serve

    try:
        serve(
            device=arguments.device, backend=arguments.backend, precision=arguments.precision, train=arguments.train,
            broom=broom, cage=cage,
        )  # fmt: skip
    except (MemoryError, SystemError):  # the second: Python itself had no memory to say what went wrong
        os._exit(OUT_OF_MEMORY)


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="napari_vol3d.engine")
    parser.add_argument("--device", choices=("auto", "cpu", "gpu"), default="auto")
    parser.add_argument("--backend", choices=("tensorflow", "jax", "torch"), default="tensorflow")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--train", action="store_true")
    parser.add_argument("--adopting", action="store_true", help="it will look at a stranger's network")
    parser.add_argument("--folder", help="private folder to remove when the parent is gone")
    return parser.parse_args()


if __name__ == "__main__":
    main()
