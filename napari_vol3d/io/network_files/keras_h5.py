"""HDF5 as Keras writes it: a whole model with `model_config`, or weights alone; proved before it is believed."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal

import h5py
import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.errors import FileProblem, ModelProblem
from napari_vol3d.io.hdf5_proof import ChunkProof
from napari_vol3d.io.network_files.plain_json import AGAIN, MOST_BYTES

Layout = Literal["model", "legacy weights", "weights", "other"]
MOST_OBJECTS = 20_000  # the largest networks have a tenth
MOST_ATTRIBUTES = 1_000  # of one object
MOST_DECLARED = 4 << 30
MOST_RATIO = 100
MOST_PIECES = 20_000  # chunks of all arrays; Keras packs none, and h5py's own are larger the larger the array
DEFLATE, SHUFFLE, FLETCHER = 1, 2, 3
TRAINING = ("optimizer_weights", "optimizer")  # groups at the top that prediction never needs


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredArrays:
    """What a Keras HDF5 file holds.

    Attributes
    ----------
    layout : str
        "model": with its network as JSON; "legacy weights": groups by layer; "weights": as Keras 3 saves them.
    config : bytes
        The network as JSON; empty without.
    shapes : dict
        Shapes of the arrays by their paths, those of the optimizer left out.
    version : str
        Of the Keras that wrote it, as far as it says.
    """

    layout: Layout
    config: bytes = b""
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    version: str = ""

    @property
    def parameters(self) -> int:
        """Numbers in all arrays."""
        return sum(math.prod(shape) for shape in self.shapes.values())


def read_h5(source: Path | BinaryIO, name: str, size: int) -> StoredArrays:
    """Read what is stored, without the arrays themselves.

    Parameters
    ----------
    name : str
        For messages.
    size : int
        Bytes of the file.

    Raises
    ------
    ModelProblem
        If it is damaged, reaches out of the file, or declares what is not stored.
    """
    try:
        with h5py.File(source, "r") as file:
            layout = _layout(file)
            if layout == "other":
                return StoredArrays(layout=layout)
            shapes = _prove(file, name, size)
            config = _text(file, "model_config") if layout == "model" else b""
            version = _text(file, "keras_version").decode("ascii", "replace")[:40]
    except FileProblem as problem:
        raise ModelProblem(problem.message, hint=problem.hint) from problem
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, MemoryError, OverflowError, zlib.error) as error:
        reason = str(error).partition("\n")[0][:120] or type(error).__name__
        raise ModelProblem(f"Damaged HDF5: {name} can't be read ({reason}).", hint=AGAIN) from error
    return StoredArrays(layout=layout, config=config, shapes=shapes, version=version)


def read_arrays(source: Path | BinaryIO) -> dict[str, NDArray[Any]]:
    """Read the arrays of a file that `read_h5` has proved, by their paths, without those of an optimizer."""
    found: dict[str, NDArray[Any]] = {}

    def keep(path: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and path.split("/", 1)[0] not in TRAINING:
            found[path] = np.asarray(item)

    with h5py.File(source, "r") as file:
        file.visititems(keep)
    return found


def _layout(file: h5py.File) -> Layout:
    if "model_config" in file.attrs:
        return "model"
    if "layer_names" in file.attrs or "layer_names0" in file.attrs:
        return "legacy weights"
    tops = {key.partition("\\")[0] for key in file}  # Keras 2 wrote whole paths with these on Windows
    return "weights" if tops & {"layers", "_layer_checkpoint_dependencies"} else "other"


def _text(file: h5py.File, name: str) -> bytes:
    """Read one text; in a list each could be the same long one, and together they would fill the memory."""
    if name not in file.attrs:
        return b""
    if file.attrs.get_id(name).shape != ():
        raise ValueError(f"{name} is no text")
    value = file.attrs[name]
    text = value.encode("utf-8", "replace") if isinstance(value, str) else bytes(value)
    if len(text) > MOST_BYTES:
        raise ModelProblem(f"Too large: the attribute {name} is {len(text) / 1e6:.0f} MB; 8 MB are the most.")
    return text


def _prove(file: h5py.File, name: str, size: int) -> dict[str, tuple[int, ...]]:
    """Prove every object of the file; give the shapes of its arrays."""
    shapes: dict[str, tuple[int, ...]] = {}
    declared = pieces = 0
    _check_attributes(file, name)
    for path, item in _objects(file, name):
        _check_attributes(item, name)
        if isinstance(item, h5py.Dataset):
            declared += _check_dataset(item, name, size)
            pieces += _pieces(item)
            if pieces > MOST_PIECES:
                raise ModelProblem(f"Too many pieces: the arrays of {name} are cut into more than {MOST_PIECES}.")
            _check_packing(item, name)
            if path.split("/", 1)[0] not in TRAINING:
                shapes[path] = tuple(int(n) for n in item.shape)
    if declared > MOST_DECLARED:
        raise ModelProblem(f"Too large: the arrays of {name} declare {declared / 1e9:.1f} GB; 4 GB are the most.")
    return shapes


def _objects(file: h5py.File, name: str) -> Iterator[tuple[str, Any]]:
    """Give all groups and datasets, each once, without following any link that is not a plain one."""
    waiting: list[tuple[str, Any]] = [("", file)]
    seen: set[int] = set()
    while waiting:
        path, group = waiting.pop()
        for key in group:
            inside = f"{path}/{key}" if path else key
            link = group.get(key, getlink=True)
            if not isinstance(link, h5py.HardLink):
                kind = "external link" if isinstance(link, h5py.ExternalLink) else "soft link"
                raise ModelProblem(f"Not allowed: {inside[:80]!r} in {name} is an {kind}, which may leave the file.")
            item = group[key]
            address = int(h5py.h5o.get_info(item.id).addr)
            if address in seen:
                raise ModelProblem(f"Not allowed: {inside[:80]!r} in {name} is there under two names.")
            seen.add(address)
            if len(seen) > MOST_OBJECTS:
                raise ModelProblem(f"Too many arrays: {name} holds more than {MOST_OBJECTS}.")
            if isinstance(item, h5py.Group):
                waiting.append((inside, item))
            elif not isinstance(item, h5py.Dataset):
                raise ModelProblem(f"Not allowed: {inside[:80]!r} in {name} is no array.")
            yield inside, item


def _check_attributes(item: Any, name: str) -> None:
    if len(item.attrs) > MOST_ATTRIBUTES:
        raise ModelProblem(f"Too many attributes: {name} has {len(item.attrs)} on one object.")
    for key in item.attrs:
        stored = item.attrs.get_id(key)
        objects = stored.dtype.kind == "O" and h5py.check_string_dtype(stored.dtype) is None
        # Lists of texts are not read here: each of their entries may name the same long one.
        if objects or math.prod(stored.shape or ()) * stored.dtype.itemsize > MOST_BYTES:
            raise ModelProblem(f"Not allowed: the attribute {key[:60]!r} in {name} is not as Keras writes them.")


def _check_dataset(dataset: h5py.Dataset, name: str, size: int) -> int:
    """Prove that an array is numbers, and in the file; give the bytes it declares."""
    creation = dataset.id.get_create_plist()
    if creation.get_external_count():
        raise ModelProblem(f"Not allowed: {dataset.name[:80]} in {name} has external storage: another file's bytes.")
    if creation.get_layout() == h5py.h5d.VIRTUAL:
        raise ModelProblem(f"Not allowed: {dataset.name[:80]} in {name} is a virtual dataset: other files' bytes.")
    brain = dataset.dtype.str == "|V2" and dataset.attrs.get("dtype") == "bfloat16"  # as Keras stores such numbers
    if (dataset.dtype.kind not in "buif" and not brain) or dataset.shape is None:
        raise ModelProblem(f"Not allowed: {dataset.name[:80]} in {name} holds {dataset.dtype}, not numbers.")
    declared = math.prod(int(n) for n in dataset.shape) * int(dataset.dtype.itemsize)
    stored = int(dataset.id.get_storage_size())
    if stored > size or declared > max(stored, 1) * (MOST_RATIO if dataset.chunks else 1):
        there = min(stored, size)
        raise ModelProblem(
            f"Declared but not stored: {dataset.name[:80]} in {name} claims {declared} bytes and has {there}."
        )
    offset = dataset.id.get_offset()
    if offset is not None and offset + declared > size:
        raise ModelProblem(f"Cut short: {dataset.name[:80]} in {name} ends behind the file.", hint=AGAIN)
    return declared


def _pieces(dataset: h5py.Dataset) -> int:
    """Give how many chunks an array has; each is proved on its own, which takes its time."""
    return math.prod(-(-int(n) // int(c)) for n, c in zip(dataset.shape or (), dataset.chunks or (), strict=False))


def _check_packing(dataset: h5py.Dataset, name: str) -> None:
    creation = dataset.id.get_create_plist()
    filters = [int(creation.get_filter(k)[0]) for k in range(creation.get_nfilters())]
    if unknown := set(filters) - {DEFLATE, SHUFFLE, FLETCHER}:
        raise ModelProblem(
            f"Compression not supported: {dataset.name[:80]} in {name} uses filter {min(unknown)}.",
            hint="Save it with gzip or without compression.",
        )
    if dataset.chunks is not None and math.prod(dataset.chunks) * dataset.dtype.itemsize > MOST_DECLARED:
        raise ModelProblem(f"Too large: a chunk of {dataset.name[:80]} in {name} declares more than 4 GB.")
    if DEFLATE in filters and dataset.size:  # HDF5 itself would unpack whatever comes
        ChunkProof(Path(name)).prove(dataset, tuple(slice(0, int(n), 1) for n in dataset.shape))
