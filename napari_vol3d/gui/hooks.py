"""What the manifest names: reader, writer, samples, and the dock."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
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
from napari_vol3d.gui.folder_drop import folder_reader
from napari_vol3d.gui.jobs import Job, report
from napari_vol3d.gui.layers import KEY, LayerTuple, guess_labels, to_layer, to_volume, with_painted_classes
from napari_vol3d.gui.model_drop import HANDLED, bench_for, open_model
from napari_vol3d.gui.part_choice import ask_parts, short_title
from napari_vol3d.gui.siblings import opened_with, siblings_of
from napari_vol3d.gui.space import Reference, in_space, on_its_scan, reference_from, reference_of
from napari_vol3d.io.model_files import is_model
from napari_vol3d.io.parts import Part, SeveralParts
from napari_vol3d.io.registry import EXPORT_EXTENSIONS, coarser_levels, is_volume_file, read_volume, stem, write_labels

log = logging.getLogger(__name__)
Reader = Callable[[str | Sequence[str]], list[Any]]
LARGE_BYTES = 24_000_000  # compressed size from which reading would be felt on the window's thread
LABEL_EXTENSION = ".nii.gz"  # where none was typed; as the panel's own dialog
PROJECT = ".vol3d"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Ready:
    """A layer that only has to be added, and what there is to say about it.

    Attributes
    ----------
    volume : Volume
        As it was read.
    as_labels : bool or None
        None where a person has to be asked first; then there is no layer yet.
    reference : Reference or None
        In whose space the layer lies.
    """

    volume: Volume
    as_labels: bool | None
    reference: Reference | None
    layer: LayerTuple | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def get_reader(path: str | Sequence[str]) -> Reader | None:
    """Give napari the reader for these files, or None where they are not ours."""
    paths = [path] if isinstance(path, str | os.PathLike) else list(path)
    if len(paths) == 1 and str(paths[0]).endswith(PROJECT):
        return open_project
    if paths and all(is_model(Path(p)) for p in paths):
        return open_model
    scans = all(is_volume_file(Path(p)) and not _only_exported(Path(p)) for p in paths)
    return read if scans else folder_reader(paths, read)


def open_project(path: str | Sequence[str]) -> list[Any]:
    """Open a project's worklist in the dock, as if a person had chosen its file there; it gives no layer."""
    one = Path(path if isinstance(path, str | os.PathLike) else path[0])
    bench_for(one, "a project").open_project(one)
    return HANDLED


def read(path: str | Sequence[str]) -> list[Any]:
    """Read scans and label maps into layers, in the space of the patient that the viewer shows.

    A file that can't be read gives one sentence in a notification and no layer; a large one is read in a thread and
    its layer follows, and so is a DICOM series, of which all files may come. Of a file of several volumes a person
    chooses.
    """
    paths = [path] if isinstance(path, str | os.PathLike) else list(path)
    viewer = napari.current_viewer()
    reference = reference_of(viewer)
    layers: list[Any] = []
    for one in map(Path, paths):
        if viewer is not None and QApplication.instance() and _takes_long(one):
            _open_later(viewer, one)
            continue
        try:
            for volume in _chosen(one):
                layers.append(_told(_asked(_prepare(volume, guess_labels(volume), reference))))
                reference = reference or _reference_in(layers[-1])
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
    layer, viewer = Labels(data, **keywords), napari.current_viewer()
    volume = on_its_scan(to_volume(layer), layer, viewer.layers if viewer is not None else ())
    return [str(write_labels(target, with_painted_classes(volume)))]


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


def _only_exported(path: Path) -> bool:
    return path.name.lower().endswith(EXPORT_EXTENSIONS)


def _chosen(path: Path, part: Part | None = None) -> Iterator[Volume]:
    """Read a file; of several volumes in it those that a person chooses, which may be none."""
    try:
        volume = _read_part(path, part)
    except SeveralParts as several:
        if QApplication.instance() is None:
            raise
        viewer = napari.current_viewer()
        for one in ask_parts(several, None if viewer is None else viewer.window._qt_window):
            yield from _chosen(path, one)
    else:
        yield volume


def _read_part(path: Path, part: Part | None) -> Volume:
    if part is None:
        return read_volume(path)
    volume, which = read_volume(path, part.key), short_title(part)
    if not volume.name.startswith(which):
        return replace(volume, name=f"{volume.name} {which}")
    # The reader says which: a DICOM series has a name from people, slices only what their files are called.
    return replace(volume, name=f"{stem(path)} {which}") if which == part.key else volume


def _prepare(volume: Volume, as_labels: bool | None, reference: Reference | None) -> _Ready:
    """Make the layer; a file that calls itself labels but holds other numbers becomes an image, which is to be told."""
    ready = _Ready(volume=volume, as_labels=as_labels, reference=reference)
    if as_labels is None:
        return ready
    shown = in_space(volume, reference, as_labels=as_labels)
    try:
        coarser = () if as_labels or shown.volume.data is not volume.data else _coarser(volume)
        layer = to_layer(shown.volume, as_labels=as_labels, frame=shown.frame, coarser=coarser)
    except Vol3dError as problem:
        if not as_labels:
            raise
        image = _prepare(volume, False, reference)
        return replace(image, warnings=(f"{volume.name} opens as an image. {problem.message}",))
    said = (shown.note,) if shown.note else ()
    return replace(ready, layer=layer, warnings=said) if as_labels else replace(ready, layer=layer, notes=said)


def _coarser(volume: Volume) -> tuple[Volume, ...]:
    """Give an image's smaller copies; where these do not fit it, it is shown without them."""
    try:
        return coarser_levels(volume)
    except FileProblem as problem:
        log.warning("%s is shown at one resolution: %s", volume.name, problem)
        return ()


def _asked(ready: _Ready) -> _Ready:
    """Ask a person where nobody can tell whether these are labels."""
    if ready.as_labels is not None:
        return ready
    as_labels = False
    if QApplication.instance() is not None:
        answer = QMessageBox.question(
            None, "Labels or image?", f"{ready.volume.name} may be a label map. Open it as labels?",
            QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.No,
        )  # fmt: skip
        as_labels = bool(answer == QMessageBox.StandardButton.Yes)
    return _prepare(ready.volume, as_labels, ready.reference)


def _told(ready: _Ready) -> LayerTuple:
    """Say what there is to say, and give the layer."""
    for note in ready.notes:
        show_info(note)
    for warning in ready.warnings:
        show_warning(warning)
    if ready.layer is None:
        raise ValueError("a layer that was asked for was expected; received a question")
    return ready.layer


def _reference_in(layer: LayerTuple) -> Reference | None:
    """Give the reference that a layer will be once it is in the viewer."""
    return reference_from(layer[1]["metadata"][KEY], layer[1]["name"])


def _takes_long(path: Path) -> bool:
    """Whether reading would be felt: a folder, a large file, or DICOM, where a small one stands for a series."""
    from napari_vol3d.io.folder_kind import is_dicom  # only now: it brings the libraries of several formats

    return path.is_dir() or (path.is_file() and path.stat().st_size > LARGE_BYTES) or is_dicom(path)


def _open_later(viewer: napari.Viewer, path: Path) -> None:
    """Read in a thread what is not open yet; nothing where it comes with the series of another file."""
    siblings = siblings_of(viewer)
    if not siblings.opens(path):
        return
    if opened_with(viewer, path):
        siblings.ended(path)
        return
    _read_later(viewer, path).ended.connect(lambda: siblings.ended(path))


def _read_later(viewer: napari.Viewer, path: Path, part: Part | None = None) -> Job:
    """Read in a thread and add the layer when it is there: the window stays alive meanwhile."""
    reference = reference_of(viewer)

    def verb() -> Generator[Progress, None, _Ready | SeveralParts]:
        yield Progress(phase=f"Reading {path.name}")
        try:
            volume = _read_part(path, part)
        except SeveralParts as several:
            return several
        # Going through the voxels is done here too; only the question has to wait for the window's thread.
        return _prepare(volume, guess_labels(volume), reference)

    def add(ready: _Ready | SeveralParts) -> None:
        if isinstance(ready, SeveralParts):
            for one in ask_parts(ready, viewer.window._qt_window):
                _read_later(viewer, path, one)
            return
        now = reference_of(viewer)
        if ready.volume.geometry.anatomical and not _same(now, ready.reference):  # another layer has come meanwhile
            ready = _prepare(ready.volume, ready.as_labels, now)
        try:
            data, keywords, kind = _told(_asked(ready))
        except Vol3dError as problem:
            report(problem)
            return
        getattr(viewer, f"add_{kind}")(data, **keywords)

    show_info(f"Reading {path.name} ...")
    job = Job(verb(), name=f"Reading {path.name}", parent=viewer.window._qt_window)
    job.succeeded.connect(add)
    job.start()
    return job


def _same(one: Reference | None, other: Reference | None) -> bool:
    return one is other or (one is not None and other is not None and one.geometry is other.geometry)
