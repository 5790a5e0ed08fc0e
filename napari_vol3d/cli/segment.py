"""`napari-vol3d segment SCAN... --model M --out DIR`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_vol3d.core.errors import FileProblem, Vol3dError

if TYPE_CHECKING:
    from napari_vol3d.models.store import Model
    from napari_vol3d.pipeline.child import Engine
    from napari_vol3d.pipeline.segment import Prediction
    from napari_vol3d.pipeline.settings import SegmentSettings


def add(commands: Any) -> None:
    """Add the command."""
    sub: argparse.ArgumentParser = commands.add_parser(
        "segment",
        help="run a model over scans and save the labels",
        description="Run a model over scans; the labels lie on each scan's own grid. The voxels are the same as those "
        "that the napari window gives.",
    )
    sub.add_argument("scans", nargs="+", type=Path, metavar="SCAN", help="scan files (.nii.gz, .nii, .tif, .npy)")
    sub.add_argument("--model", required=True, help="name of a model (see `napari-vol3d models`) or its folder")
    sub.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for the labels; made if absent")
    sub.add_argument("--format", choices=("same", ".nii.gz", ".nii", ".tif"), default="same", help="file format")
    sub.add_argument("--device", choices=("auto", "cpu", "gpu"), default="auto", help="where the network runs")
    sub.add_argument("--memory-gb", type=float, default=2.0, help="most memory that one patch may take (default 2)")
    sub.add_argument("--halo", type=int, default=None, help="context voxels thrown away at tile borders")
    sub.add_argument("--no-resample", action="store_true", help="work at the scan's own spacing")
    sub.add_argument("--overwrite", action="store_true", help="replace label files that are already there")
    sub.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Segment each scan; one that fails is reported and the others go on."""
    from napari_vol3d.models.store import find_model
    from napari_vol3d.pipeline.child import Engine
    from napari_vol3d.pipeline.settings import SegmentSettings

    model = find_model(chosen.model)
    settings = SegmentSettings.of(
        {
            "device": chosen.device, "memory_gb": chosen.memory_gb, "halo": chosen.halo,
            "resample": not chosen.no_resample,
        }
    )  # fmt: skip
    targets = _targets(chosen.scans, chosen.out, chosen.format, overwrite=chosen.overwrite)
    chosen.out.mkdir(parents=True, exist_ok=True)
    failed: list[Vol3dError] = []
    engine = Engine(device=settings.device)
    try:
        for scan, target in targets.items():
            try:
                _segment_one(scan, target, model, settings, engine)
            except Vol3dError as error:
                sys.stderr.write(f"napari-vol3d: {scan}: {error}\n")
                failed.append(error)
                if not engine.alive:
                    engine.close()
                    engine = Engine(device=settings.device)
    finally:
        engine.close()
    return failed[0].exit_code if failed else 0


def _segment_one(scan: Path, target: Path, model: Model, settings: SegmentSettings, engine: Engine) -> None:
    from napari_vol3d.cli.bar import run_with_bar
    from napari_vol3d.io.registry import read_volume, write_labels
    from napari_vol3d.pipeline.checks import check_fit
    from napari_vol3d.pipeline.segment import segment

    volume = read_volume(scan)
    for warning in check_fit(volume, model.card, resample=settings.resample).warnings:
        sys.stderr.write(f"{scan.name}: {warning}\n")
    prediction = run_with_bar(segment(volume, model, settings, engine=engine), title=scan.name, unit="tile")
    labels = volume.with_data(prediction.labels, is_labels=True, classes=prediction.classes, channels=())
    write_labels(target, labels)
    sys.stdout.write(f"{target}  {_volumes(prediction)}  {prediction.seconds:.1f} s on {prediction.device}\n")


def _volumes(prediction: Prediction) -> str:
    from napari_vol3d.core.amounts import class_amounts

    volumes = class_amounts(prediction.counts, prediction.classes, prediction.geometry)
    return ", ".join(f"{item.name} {text}" for item, text in volumes)


def _targets(scans: list[Path], out: Path, wanted: str, *, overwrite: bool) -> dict[Path, Path]:
    """Name the label files, and refuse before the first run what would end in a clash."""
    from napari_vol3d.io.registry import label_name

    targets = {scan: out / label_name(scan, None if wanted == "same" else wanted) for scan in scans}
    twice = [str(t) for t in set(targets.values()) if list(targets.values()).count(t) > 1]
    if twice:
        raise FileProblem(f"Two scans would be saved as {twice[0]}.", hint="Segment them into different folders.")
    there = [target for target in targets.values() if target.exists()]
    if there and not overwrite:
        raise FileProblem(f"{there[0]} is already there.", hint="Add --overwrite, or choose another folder.")
    return targets
