"""Zarr folders and HDF5 files that are damaged, lie, or lead elsewhere; and whole ones."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import zarr
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, ZstdCodec
from zarr.storage import LocalStore

from napari_vol3d.core.volume import Geometry
from tests.io.bad_files import Case, Make, asked, cut, flip, more, put, refused, same, short
from tests.io.zarr_phantom import DATA, SCALE, SHAPE, SHIFT, edit, write_image

PLACED = Geometry.from_spacing((2.5, 0.5, 0.25), origin=(10.0, -20.0, 30.0)).affine
PIXELS = Geometry.from_spacing((1.0, 1.0, 1.0)).affine
CANT, OUTSIDE, ELSEWHERE = "^Can't be read", "outside its folder", "^Voxels in other files"
assert (SCALE, SHIFT) == ([2.5, 0.5, 0.25], [10.0, -20.0, 30.0])


def cases() -> Iterator[Case]:
    yield from zarrs()
    yield from links()
    yield from hdf5s()


# ---- Zarr -----------------------------------------------------------------------------------------------------------


def image(*damage: Callable[[Path], Any], version: str = "0.5") -> Make:
    def make(folder: Path) -> Path:
        path = write_image(folder / "scan" / "a.zarr", version=version)
        (folder / "other").mkdir()
        for change in damage:
            change(path)
        return path

    return make


def packed(*damage: Callable[[Path], Any]) -> Make:
    """A plain array in four chunks, each with a checksum."""

    def make(folder: Path) -> Path:
        path = folder / "a.zarr"
        array = zarr.create_array(
            LocalStore(path), shape=SHAPE, dtype="uint16", chunks=(4, 20, 9), serializer=BytesCodec(),
            compressors=[ZstdCodec(), Crc32cCodec()],
        )  # fmt: skip
        array[...] = DATA
        for change in damage:
            change(path)
        return path

    return make


def chunk(name: str, *changes: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        content = (path / name).read_bytes()
        for one in changes:
            content = one(content)
        (path / name).write_bytes(content)

    return change


def ome(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    return lambda path: edit(path / "zarr.json", lambda content: change(content["attributes"]["ome"]))


def level(change: Callable[[dict[str, Any]], Any], name: str = "0/zarr.json") -> Callable[[Path], None]:
    return lambda path: edit(path / name, change)


def scale(**changes: Any) -> Callable[[Path], None]:
    return ome(lambda m: m["multiscales"][0]["datasets"][0]["coordinateTransformations"][0].update(changes))


def data_path(name: str) -> Callable[[Path], None]:
    return ome(lambda m: m["multiscales"][0]["datasets"][0].update(path=name))


def zarrs() -> Iterator[Case]:
    yield same("zarr: OME 0.5", image(), DATA, PLACED, unit="um", is_labels=False)
    yield same("zarr: OME 0.4", image(version="0.4"), DATA, PLACED, unit="um")
    yield same("zarr: plain, zstd, checksum", packed(), DATA, PIXELS, unit="pixel")
    yield same("zarr: a chunk never written", packed(lambda p: (p / "c/0/0/0").unlink()), _without_first(), PIXELS)
    part = "c/0/0/0"
    for name, change in {
        "cut in half": cut(0.5), "cut by a byte": short(1), "empty": cut(0), "a byte more": more(b"x"),
        "a flipped bit": flip(100), "zeros": put(60, bytes(64)), "wrong checksum": flip(-1),
    }.items():  # fmt: skip
        yield refused(f"zarr: chunk {name}", CANT, packed(chunk(part, change)))
    yield refused(
        "zarr: chunk of another array", CANT, packed(lambda p: (p / part).write_bytes(b"\x28\xb5\x2f\xfd" + bytes(40)))
    )
    grid = lambda shape: lambda c: c["chunk_grid"]["configuration"].update(chunk_shape=shape)  # noqa: E731
    lies: dict[str, tuple[str, Callable[[Path], Any]]] = {
        "no metadata": ("^No Zarr metadata", lambda p: (p / "zarr.json").unlink()),
        "metadata cut": (CANT, lambda p: chunk("zarr.json", cut(0.5))(p)),
        "metadata empty": (CANT, lambda p: (p / "zarr.json").write_bytes(b"")),
        "metadata a list": (CANT, lambda p: (p / "zarr.json").write_bytes(b"[1]")),
        "metadata not text": (CANT, lambda p: (p / "zarr.json").write_bytes(b"\xff\xfe{")),
        "metadata of brackets": (CANT, lambda p: (p / "zarr.json").write_bytes(b"[" * 200_000)),
        "level without metadata": ("^Missing array", lambda p: (p / "0" / "zarr.json").unlink()),
        "level gone": ("^Missing array", lambda p: shutil.rmtree(p / "0")),
        "level metadata cut": (CANT, chunk("0/zarr.json", cut(0.5))),
        "chunks of 2 PB": ("^Too large", level(grid([10**5] * 3))), "chunks of 0": (CANT, level(grid([0, 8, 8]))),
        "chunks below zero": (CANT + "|^Too|^Damaged", level(grid([-8, 8, 8]))),
        "two chunk lengths": (CANT, level(grid([8, 8]))),
        "no chunk grid": (CANT, level(lambda c: c.pop("chunk_grid"))),
        "shape 0": ("^Damaged header", level(lambda c: c.update(shape=[0, 20, 18]))),
        "shape below zero": (CANT + "|^Damaged", level(lambda c: c.update(shape=[-7, 20, 18]))),
        "shape of 10^18": ("^Too large|memory", level(lambda c: c.update(shape=[10**6] * 3))),
        "shape of text": (CANT, level(lambda c: c.update(shape="7"))),
        "four axes": (CANT, level(lambda c: c.update(shape=[7, 20, 18, 1]))),
        "type text": ("^Not plain|" + CANT, level(lambda c: c.update(data_type="string"))),
        "type unknown": (CANT, level(lambda c: c.update(data_type="uint12"))),
        "type wider": (CANT, level(lambda c: c.update(data_type="uint32", fill_value=0))),
        "codec unknown": (CANT, level(lambda c: c.update(codecs=[{"name": "magic"}]))),
        "codec pickle": (CANT, level(lambda c: c["codecs"].append({"name": "numcodecs.pickle", "configuration": {}}))),
        "no codec": (CANT, level(lambda c: c.update(codecs=[]))),
        "no image": (CANT, ome(lambda m: m.update(multiscales=[]))),
        "no axes": (CANT, ome(lambda m: m["multiscales"][0].pop("axes"))),
        "two axes": (CANT, ome(lambda m: m["multiscales"][0].update(axes=m["multiscales"][0]["axes"][:2]))),
        "scale 0": ("geometry", scale(scale=[1, 0, 1])), "scale below zero": ("geometry", scale(scale=[1, -1, 1])),
        "scale NaN": (CANT + "|geometry", scale(scale=[1, float("nan"), 1])),
        "scale of two": (CANT, scale(scale=[1, 1])),
        "scale of text": (CANT, scale(scale=["a"] * 3)), "kind affine": ("kind 'affine'", scale(type="affine")),
        "path ../": (OUTSIDE, data_path("../../other")), "path /": (OUTSIDE, data_path("/etc")),
        "path of none": ("^Missing array", data_path("9")),
        "path with zero": (CANT + "|^Missing|^Damaged", data_path("0\0")),
    }  # fmt: skip
    for name, (words, damage) in lies.items():
        yield refused(f"zarr: {name}", words, image(damage))
    two = level(lambda c: c.update(compressor={"id": "pickle", "protocol": 5}), "0/.zarray")
    yield refused("zarr: format 2, codec pickle", CANT + ".*pickle|uses pickle", image(two, version="0.4"))
    objects = level(lambda c: c.update(dtype="|O", filters=[{"id": "pickle"}]), "0/.zarray")
    yield refused("zarr: format 2, objects", "^Not plain|" + CANT, image(objects, version="0.4"))
    yield refused("zarr: a file", "^A file, not a folder", _file)
    yield refused("zarr: an empty folder", "^No Zarr metadata", _folder)
    yield asked(
        "zarr: two images in a group", "^2 volumes", image(ome(lambda m: m["multiscales"].append(m["multiscales"][0])))
    )
    yield same("zarr: a bomb in a chunk, not asked for", packed(), DATA, PIXELS)
    yield refused("zarr: a bomb in a chunk", CANT, packed(lambda p: (p / part).write_bytes(_bomb())))
    blosc = level(lambda c: c.update(codecs=[c["codecs"][0], json.loads(json.dumps(BloscCodec(typesize=2).to_dict()))]))
    yield refused("zarr: zstd called blosc", CANT, image(blosc))


def _without_first() -> np.ndarray:
    data = DATA.copy()
    data[:4, :, :9] = 0
    return data


def _bomb() -> bytes:
    """A chunk that unpacks to 400 MB, with the right checksum."""
    import google_crc32c
    import numcodecs

    content = bytes(numcodecs.Zstd(1).encode(bytes(400_000_000)))
    return content + google_crc32c.value(content).to_bytes(4, "little")


def _file(folder: Path) -> Path:
    (folder / "a.zarr").write_bytes(b"x")
    return folder / "a.zarr"


def _folder(folder: Path) -> Path:
    (folder / "a.zarr").mkdir()
    return folder / "a.zarr"


def links() -> Iterator[Case]:
    """What stands in the place of a file or folder of the store and is something else."""

    def instead(name: str, put_there: Callable[[Path], Any]) -> Callable[[Path], None]:
        def change(path: Path) -> None:
            place = path / name
            elsewhere = path.parent.parent / "other" / "moved"
            shutil.move(place, elsewhere)
            put_there(place)

        return change

    level_link = instead("0", lambda place: place.symlink_to(place.parent.parent.parent / "other" / "moved"))
    yield refused("zarr: level a link out of the store", OUTSIDE, image(level_link))
    for name, words, there in (
        ("a pipe", "regular|" + CANT, os.mkfifo),
        ("a link to /dev/zero", "regular|" + CANT, lambda p: p.symlink_to("/dev/zero")),
        ("a folder", "regular|folder|" + CANT, os.mkdir),
    ):  # fmt: skip
        yield refused(f"zarr: chunk {name}", words, image(instead("0/c/0/0/0", there)))
        yield refused(f"zarr: level metadata {name}", words + "|^Missing", image(instead("0/zarr.json", there)))
        yield refused(f"zarr: metadata {name}", words + "|^No Zarr", image(instead("zarr.json", there)))
    secret = instead("0/c/0/0/0", lambda place: place.symlink_to(place.parents[6] / "other" / "moved"))
    yield same("zarr: chunk a link to a file elsewhere", image(secret), DATA, PLACED)


# ---- HDF5 -----------------------------------------------------------------------------------------------------------


def hdf5(*changes: Callable[[bytes], bytes], name: str = "data", **options: Any) -> Make:
    def make(folder: Path) -> Path:
        path = folder / "a.h5"
        with h5py.File(path, "w") as file:
            file.create_dataset(name, data=options.pop("data", DATA), **options)
        content = path.read_bytes()
        for change in changes:
            content = change(content)
        path.write_bytes(content)
        return path

    return make


def opened(fill: Callable[[h5py.File, Path], Any]) -> Make:
    def make(folder: Path) -> Path:
        with h5py.File(folder / "other.h5", "w") as file:
            file["data"] = DATA
        (folder / "raw.bin").write_bytes(DATA.tobytes())
        with h5py.File(folder / "a.h5", "w") as file:
            fill(file, folder)
        return folder / "a.h5"

    return make


def _stored_in(file: h5py.File, name: str) -> None:
    file.create_dataset("data", (1, 2, 3), np.uint8, external=[(name, 0, 6)])


def _virtual(file: h5py.File, folder: Path) -> None:
    layout = h5py.VirtualLayout(SHAPE, np.uint16)
    layout[...] = h5py.VirtualSource("other.h5", "data", shape=SHAPE)
    file.create_virtual_dataset("data", layout)


def _of_bombs(file: h5py.File, folder: Path) -> None:
    import zlib

    data = file.create_dataset("data", SHAPE, np.uint16, chunks=SHAPE, compression="gzip")
    data.id.write_direct_chunk((0, 0, 0), zlib.compress(bytes(400_000_000), 1))


def hdf5s() -> Iterator[Case]:
    deflated = {"chunks": (4, 10, 9), "compression": "gzip"}
    for name, options in {"whole": {}, "chunks": {"chunks": (4, 10, 9)}, "deflate": deflated}.items():
        yield same(f"hdf5: {name}", hdf5(**options), DATA, PIXELS, unit="pixel")
        for what, change in {
            "cut within its header": cut(0.02),
            "cut in half": cut(0.5),
            "cut by a byte": short(1),
        }.items():
            yield refused(f"hdf5: {name}, {what}", f"^Truncated|{CANT}", hdf5(change, **options))
    checked = {"chunks": (7, 20, 18), "fletcher32": True}
    yield refused("hdf5: checksum, a flipped bit", CANT, hdf5(_flip_voxels, **checked))
    yield refused(
        "hdf5: deflate, a flipped bit", f"{CANT}|^Damaged", hdf5(_flip_deflated, chunks=SHAPE, compression="gzip")
    )
    yield refused("hdf5: in truth text", "^Not an HDF5", lambda folder: _text(folder / "a.h5"))
    yield refused("hdf5: complex", "^No volume", hdf5(data=DATA.astype(np.complex64)))
    yield refused("hdf5: records", "^No volume", hdf5(data=DATA.view("u1,u1")))
    yield refused("hdf5: one axis", "^No volume", hdf5(data=DATA.ravel()))
    fills: dict[str, tuple[str, Callable[[h5py.File, Path], Any]]] = {
        "external link": (ELSEWHERE, lambda f, d: f.__setitem__("data", h5py.ExternalLink("other.h5", "data"))),
        "external link to a root": (ELSEWHERE, lambda f, d: f.__setitem__("data", h5py.ExternalLink("other.h5", "/"))),
        "external storage": (ELSEWHERE, lambda f, d: _stored_in(f, "raw.bin")),
        "storage in /etc/passwd": (ELSEWHERE, lambda f, d: _stored_in(f, "/etc/passwd")),
        "virtual": (ELSEWHERE, _virtual),
        "soft link to nothing": ("^No volume", lambda f, d: f.__setitem__("data", h5py.SoftLink("/x"))),
        "a group in itself": ("^No volume", lambda f, d: f.create_group("g").__setitem__("g", f["g"])),
        "never written": ("never written", lambda f, d: f.create_dataset("data", (30000,) * 3, np.uint16)),
        "never written, chunks": ("never written", lambda f, d: f.create_dataset("x", (30000,) * 3, "u2", chunks=True)),
        "empty": ("^No volume", lambda f, d: None),
        "axis of 0": ("^Damaged|^No vol", lambda f, d: f.create_dataset("data", (0, 3, 4), np.uint16)),
        "bombs in chunks": ("^Damaged file", _of_bombs),
    }  # fmt: skip
    for name, (words, fill) in fills.items():
        yield refused(f"hdf5: {name}", words, opened(fill))

    def several(file: h5py.File, folder: Path) -> None:
        file["raw"], file["labels"] = DATA, DATA // 100

    yield asked("hdf5: two volumes", "^2 volumes", opened(several))
    yield same("hdf5: one of two volumes", opened(several), DATA, PIXELS, part="raw")
    yield refused("hdf5: a volume that is not there", "^No part", opened(several), part="none")


def _flip_voxels(whole: bytes) -> bytes:
    return flip(whole.index(DATA.tobytes()[:64]) + 30)(whole)


def _flip_deflated(whole: bytes) -> bytes:
    return flip(whole.index(b"\x78\x5e") + 800)(whole)


def _text(path: Path) -> Path:
    path.write_bytes(b"see the other folder\n" * 50)
    return path
