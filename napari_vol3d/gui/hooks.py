"""What the manifest names: reader, writer, samples, and the dock."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import napari
from napari.layers import Labels
from napari.utils.notifications import show_info, show_warning
from qtpy.QtWidgets import QApplication, QMessageBox

from napari_vol3d.core.errors import FileProblem, SaveProblem, Vol3dError
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.volume import Volume
from napari_vol3d.gui.jobs import Job, report
from napari_vol3d.gui.layers import LayerTuple, guess_labels, to_layer, to_volume, with_painted_classes
from napari_vol3d.io.registry import is_volume_file, read_volume, write_labels

Reader = Callable[[str | Sequence[str]], list[Any]]
LARGE_BYTES = 24_000_000  # compressed size from which reading would be felt on the window's thread
LABEL_EXTENSION = ".nii.gz"  # where none was typed; as the panel's own dialog
HANDLED: list[Any] = [(None,)]  # napari's word for "done, no layer"


def get_reader(path: str | Sequence[str]) -> Reader | None:
    """Give napari the reader for these files, or None where they are not ours."""
    paths = [path] if isinstance(path, str | os.PathLike) else list(path)
    return read if all(is_volume_file(Path(p)) for p in paths) else None


def read(path: str | Sequence[str]) -> list[Any]:
    """Read scans and label maps into layers.

    A file that can't be read gives one sentence in a notification and no layer; a large one is read in a thread and
    its layer follows.
    """
    paths = [path] if isinstance(path, str | os.PathLike) else list(path)
    layers: list[Any] = []
    for one in map(Path, paths):
        viewer = napari.current_viewer()
        large = one.is_dir() or (one.is_file() and one.stat().st_size > LARGE_BYTES)
        if viewer is not None and QApplication.instance() and large:
            _read_later(viewer, one)
            continue
        try:
            layers.append(_layer(read_volume(one)))
        except Vol3dError as problem:
            report(problem)
    return layers or HANDLED


def write(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Write one Labels layer with the geometry of its scan and its class names: File > Save.

    Raises
    ------
    Vol3dError
        If it can't be written; what was there before is untouched.
    """
    target = _with_extension(Path(path))
    keywords = {key: value for key, value in meta.items() if key in _LABELS_KEYWORDS}
    written = write_labels(target, with_painted_classes(to_volume(Labels(data, **keywords))))
    return [str(written)]


def sample_hippocampus() -> list[LayerTuple]:
    """Give the average of many aligned hippocampus scans, which the bundled model knows."""
    return [to_layer(read_volume(sample_file("hippocampus_average.nii.gz")), as_labels=False)]


def sample_nuclei() -> list[LayerTuple]:
    """Give a synthetic fluorescence stack of nuclei and its labels."""
    image, labels = read_volume(sample_file("nuclei.tif")), read_volume(sample_file("nuclei_labels.tif"))
    return [to_layer(image, as_labels=False), to_layer(labels, as_labels=True)]


def sample_file(name: str) -> Path:
    """Find a sample file: inside the installed package, or in the repository that it was cloned from.

    Raises
    ------
    FileProblem
        If it is in neither.
    """
    packaged = Path(str(files("napari_vol3d"))) / "sample_data" / name
    cloned = Path(str(files("napari_vol3d"))).parent / "sample_data" / name
    for path in (packaged, cloned):
        if path.is_file():
            return path
    raise FileProblem(f"Sample {name} is not installed.", hint="Install napari-vol3d again.")


_LABELS_KEYWORDS = {
    "name", "scale", "translate", "rotate", "shear", "affine", "units", "axis_labels", "metadata", "features",
    "colormap",
}  # fmt: skip


def _with_extension(path: Path) -> Path:
    """Complete a name that was typed without extension: napari proposes the layer's name, and adds none."""
    if is_volume_file(path):
        return path
    completed = path.with_name(f"{path.name}{LABEL_EXTENSION}")
    if completed.exists():  # the dialog knows only the name as it was typed, and has not asked
        raise SaveProblem(f"{completed.name} is there already.", hint="Type its whole name to replace it.")
    return completed


def _layer(volume: Volume) -> LayerTuple:
    guess = guess_labels(volume)
    return _labels_or_image(volume, _asked(volume) if guess is None else guess)


def _labels_or_image(volume: Volume, as_labels: bool) -> LayerTuple:
    """Make the layer; a file that calls itself labels but holds other numbers opens as an image, and is told of."""
    try:
        return to_layer(volume, as_labels=as_labels)
    except Vol3dError as problem:
        if not as_labels:
            raise
        show_warning(f"{volume.name} opens as an image. {problem.message}")
        return to_layer(volume, as_labels=False)


def _asked(volume: Volume) -> bool:
    if QApplication.instance() is None:
        return False
    answer = QMessageBox.question(
        None, "Labels or image?", f"{volume.name} may be a label map. Open it as labels?",
        QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.No,
    )  # fmt: skip
    return bool(answer == QMessageBox.StandardButton.Yes)


def _read_later(viewer: napari.Viewer, path: Path) -> None:
    """Read in a thread and add the layer when it is there: the window stays alive meanwhile."""

    def verb() -> Generator[Progress, None, tuple[Volume, LayerTuple | None]]:
        yield Progress(phase=f"Reading {path.name}")
        volume = read_volume(path)
        guess = guess_labels(volume)
        # Going through the voxels is done here too; only the question has to wait for the window's thread.
        return volume, None if guess is None else _labels_or_image(volume, guess)

    def add(read: tuple[Volume, LayerTuple | None]) -> None:
        volume, layer = read
        data, keywords, kind = layer or _labels_or_image(volume, _asked(volume))
        getattr(viewer, f"add_{kind}")(data, **keywords)

    show_info(f"Reading {path.name} ...")
    job = Job(verb(), name=f"Reading {path.name}", parent=viewer.window._qt_window)
    job.succeeded.connect(add)
    job.start()
