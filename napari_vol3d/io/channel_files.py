"""Images of one case that lie beside each other: files, or folders, whose names differ in the channel's word alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from napari_vol3d.core.channel_names import renamed, without_channel
from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.io.registry import EXPORT_EXTENSIONS, is_volume_file, stem


def channels_beside(scan: Path, wanted: Sequence[str]) -> dict[str, Path]:
    """Find the images of a scan's case that a model wants: p19_T1.nii.gz and p19_T2.nii.gz beside p19_FLAIR.nii.gz.

    Only what differs from the scan's name in the words for the channel alone is its case; of files of several formats
    it is the scan's own.

    Parameters
    ----------
    wanted : sequence of str
        The channels that are not known yet; one of them is the scan itself.

    Returns
    -------
    dict of str to Path
        In the order of `wanted`, the scan among them.

    Raises
    ------
    ScanMismatch
        If the scan's name says none of these channels, or of one there is no image, or more than one.
    """
    own = [name for name in wanted if without_channel(stem(scan), name)]
    if not own:
        raise ScanMismatch(
            f"Which channel is {scan.name}? The model wants {', '.join(wanted)}.", hint=_way_on(wanted[1:])
        )
    looks = [_look(scan, each, wanted) for each in own]
    clear = [found for found in looks if all(len(paths) == 1 for paths in found.values())]
    if len(clear) != 1:
        at = min(range(len(own)), key=lambda k: sum(not paths for paths in looks[k].values()))
        _refuse(scan, own[at], looks[at])
    return {name: paths[0] for name, paths in clear[0].items()}


def _look(scan: Path, own: str, wanted: Sequence[str]) -> dict[str, list[Path]]:
    rests = without_channel(stem(scan), own)
    beside = [path for path in sorted(scan.absolute().parent.iterdir()) if path.name != scan.name]
    return {
        name: [scan] if name == own else _of_format(scan, [
            scan.parent / path.name for path in beside if without_channel(stem(path), name) & rests and _is_like(path)
        ])
        for name in wanted
    }  # fmt: skip


def _is_like(path: Path) -> bool:
    return is_volume_file(path) and not path.name.lower().endswith(EXPORT_EXTENSIONS)


def _of_format(scan: Path, found: list[Path]) -> list[Path]:
    return [path for path in found if _ending(path) == _ending(scan)] or found


def _ending(path: Path) -> str:
    return path.name[len(stem(path)) :].lower()


def _refuse(scan: Path, own: str, found: Mapping[str, Sequence[Path]]) -> None:
    """Say what was looked for, or between which files only a person can choose."""
    missing = [name for name, paths in found.items() if not paths]
    asked = [renamed(stem(scan), own, name) + _ending(scan) for name in missing]
    if missing:
        raise ScanMismatch(
            f"No image of {', '.join(missing)} beside {scan.name}: there is no {' and no '.join(asked)}.",
            hint=_way_on(missing),
        )
    several = [name for name, paths in found.items() if len(paths) > 1] or [own]
    names = " and ".join(path.name for path in found[several[0]])
    raise ScanMismatch(f"Not clear which is {several[0]}: {names}.", hint=_way_on(several))


def _way_on(names: Sequence[str]) -> str:
    return "Name it: " + " ".join(f'--channel "{name}=FILE"' for name in names) + "."
