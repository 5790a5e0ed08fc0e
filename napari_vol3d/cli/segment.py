"""`napari-vol3d segment SCAN... [--model M] --out DIR`."""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_vol3d.cli.preselected import preselected
from napari_vol3d.cli.segment_channels import channel, channel_files, with_channels
from napari_vol3d.core.errors import FileProblem, Vol3dError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_vol3d.core.box import Box
    from napari_vol3d.core.volume import Volume
    from napari_vol3d.io.label_store import LabelStore
    from napari_vol3d.models.card import ModelCard
    from napari_vol3d.models.store import Model
    from napari_vol3d.pipeline.child import Engine
    from napari_vol3d.pipeline.prediction import Prediction
    from napari_vol3d.pipeline.settings import SegmentSettings

STORE, SEGMENTS = ".ome.zarr", ".dcm"
LONGEST_PART = 24  # of a part's name in a file's; the end of a UID is what differs


def add(commands: Any) -> None:
    """Add the command."""
    sub: argparse.ArgumentParser = commands.add_parser(
        "segment",
        help="run a model over scans and save the labels",
        description="Run a model over scans; the labels lie on each scan's own grid. The voxels are the same as those "
        "that the napari window gives.",
    )
    sub.add_argument(
        "scans", nargs="+", type=Path, metavar="SCAN", help="scan files or folders (NIfTI, DICOM, NRRD, TIFF, Zarr ...)"
    )
    sub.add_argument("--part", metavar="KEY", help="which volume, where a file or folder holds several (see `info`)")
    sub.add_argument(
        "--model",
        action="append",
        default=[],
        help="name of a model (see `napari-vol3d models`) or its folder; given twice, the two are averaged "
        "(default: the one that `models default` has chosen)",
    )
    sub.add_argument(
        "--channel", type=channel, action="append", default=[], metavar="NAME=FILE",
        help="another image of the same case, for a model of several channels; labels lie on SCAN's grid, and SCAN "
        "itself is the channel that none is named for. What is not named is looked for beside SCAN: p19_T1.nii.gz and "
        "p19_T2.nii.gz beside p19_FLAIR.nii.gz",
    )  # fmt: skip
    sub.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for the labels; made if absent")
    sub.add_argument(
        "--format",
        choices=("same", ".nii.gz", ".nii", ".seg.nrrd", ".nrrd", ".tif", ".dcm", STORE),
        default="same",
        help=f"file format; {STORE} is written tile by tile, for scans larger than memory; can be resumed",
    )
    sub.add_argument("--device", choices=("auto", "cpu", "gpu"), default="auto", help="where the network runs")
    sub.add_argument(
        "--backend", choices=("tensorflow", "jax", "torch"), default="tensorflow", help="what Keras computes with"
    )
    sub.add_argument("--memory-gb", type=float, help="most memory of one patch (default: a third of all, at most 8)")
    sub.add_argument(
        "--exact",
        action="store_true",
        help="as much context as the network can see, instead of what it was found to need",
    )
    sub.add_argument(
        "--precision",
        choices=("auto", "float32", "bfloat16"),
        default="auto",
        help="auto: float32 on a CPU; bfloat16: faster on CPUs with AMX, a few labels in a thousand differ",
    )
    sub.add_argument("--halo", type=int, default=None, help="context voxels thrown away at tile borders")
    sub.add_argument(
        "--scheme",
        choices=("auto", "halo", "overlap"),
        default="auto",
        help="each voxel once, with context, or blended patches (default: what the network needs)",
    )
    sub.add_argument("--mirror", action="store_true", help="average over mirrored patches, at 2 to 8 times the work")
    sub.add_argument("--skip-below", type=float, metavar="VALUE", help="patches that are darker everywhere: background")
    sub.add_argument("--mask", type=Path, metavar="FILE", help="volume; patches without a voxel of it: background")
    sub.add_argument("--box", type=_box, metavar="Z0:Z1,Y0:Y1,X0:X1", help="the part of each scan, in voxels")
    sub.add_argument("--no-resample", action="store_true", help="work at the scan's own spacing")
    sub.add_argument("--no-cache", action="store_true", help="neither use nor keep results of earlier runs")
    sub.add_argument("--overwrite", action="store_true", help="replace label files that are already there")
    sub.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Segment each scan; one that fails is reported and the others go on."""
    from napari_vol3d.models.store import find_model
    from napari_vol3d.pipeline.child import Engine
    from napari_vol3d.pipeline.settings import SegmentSettings

    models = [find_model(name) for name in chosen.model or preselected()]
    if chosen.channel and len(chosen.scans) > 1:
        raise FileProblem("With --channel one scan is segmented at a time.", hint="Name one SCAN.")
    settings = SegmentSettings.of(
        {
            "device": chosen.device, "backend": chosen.backend, "precision": chosen.precision, "halo": chosen.halo,
            "context": "exact" if chosen.exact else "measured", "scheme": chosen.scheme, "mirror": chosen.mirror,
            "skip_below": chosen.skip_below, "resample": not chosen.no_resample, "cache": not chosen.no_cache,
            **({} if chosen.memory_gb is None else {"memory_gb": chosen.memory_gb}),
        }
    )  # fmt: skip
    targets = _targets(chosen.scans, chosen.out, chosen.format, part=chosen.part, overwrite=chosen.overwrite)
    made = not chosen.out.exists()
    chosen.out.mkdir(parents=True, exist_ok=True)
    failed: list[Vol3dError] = []
    engine = Engine(device=settings.device, backend=settings.backend, precision=settings.precision)
    try:
        for scan, target in targets.items():
            try:
                _segment_one(scan, target, models, settings, engine, chosen)
            except Vol3dError as error:
                sys.stderr.write(f"napari-vol3d: {scan}: {error}\n")
                failed.append(error)
                if not engine.alive:
                    engine.restart()
    finally:
        engine.close()
        if made:
            with contextlib.suppress(OSError):  # there is something in it
                chosen.out.rmdir()
    return failed[0].exit_code if failed else 0


def _segment_one(
    scan: Path, target: Path, models: list[Model], settings: SegmentSettings, engine: Engine, chosen: argparse.Namespace
) -> None:
    from napari_vol3d.cli.bar import run_with_bar
    from napari_vol3d.core.box import Box
    from napari_vol3d.io.registry import read_volume, write_labels
    from napari_vol3d.models.ensemble import join_cards
    from napari_vol3d.models.record import expected_rate
    from napari_vol3d.pipeline.checks import check_fit
    from napari_vol3d.pipeline.plan import plan_segment
    from napari_vol3d.pipeline.preflight import check_levels
    from napari_vol3d.pipeline.segment import segment
    from napari_vol3d.pipeline.stage import stage

    volume, card = read_volume(scan, chosen.part), join_cards([model.card for model in models])
    files = channel_files(scan, volume, card, dict(chosen.channel))
    volume = with_channels(scan, volume, files)
    _check_format(target, volume)
    region = None if chosen.box is None else chosen.box.intersect(Box.of(volume.shape))
    seen, part = stage(volume.frame(0), card, settings).shown_with(region)
    fit = check_fit(seen, card, resample=settings.resample, region=part)
    resampled = _resampled(seen, card) if fit.resampled and settings.resample else ()
    for said in (*fit.warnings, *check_levels(_levels(volume), card), *resampled, *fit.notes):
        sys.stderr.write(f"{scan.name}: {said}\n")
    plan = plan_segment(volume, card, settings, chosen.box, models=len(models))
    rate = expected_rate(card, "CPU" if settings.device == "cpu" else "")
    sys.stderr.write(f"{scan.name}: {plan.sentence(None if rate is None else rate * plan.megavoxels)}\n")
    stored = target.name.endswith(STORE) and not volume.timed
    store = _store(target, volume, models, settings, chosen, files) if stored else None
    verb = segment(
        volume, models[0], settings, engine=engine, others=models[1:], region=chosen.box, sink=store,
        mask=_mask(chosen.mask, volume),
    )  # fmt: skip
    prediction = run_with_bar(verb, title=scan.name, unit="tile")
    if store is not None:
        store.finish()
    else:
        labels = volume.with_data(prediction.labels, is_labels=True, classes=prediction.classes, channels=())
        if target.name.lower().endswith(SEGMENTS) and not prediction.labels.any():
            sys.stdout.write(f"{scan.name}: nothing was found, and DICOM-SEG can't be empty: no file is written\n")
            return
        write_labels(target, labels)
    for note in prediction.notes:
        sys.stderr.write(f"{scan.name}: {note}\n")
    sys.stdout.write(f"{target}  {_volumes(prediction)}  {prediction.seconds:.1f} s on {prediction.device}\n")


def _resampled(scan: Volume, card: ModelCard) -> tuple[str, ...]:
    """Say that voxels of one size become those that the model knows, as the window does."""
    from napari_vol3d.pipeline.checks import spacing_in

    given, wanted = spacing_in(scan.geometry, card.input.unit), card.input.spacing
    if given is None or wanted is None:
        return ()
    own, known = (" x ".join(f"{length:.3g}" for length in each) for each in (given, wanted))
    return (f"Resampled from {own} to {known} {card.input.unit}; labels come back on the scan's own grid.",)


def _levels(volume: Volume) -> NDArray[Any]:
    """Give voxels spread over the scan, of all channels."""
    from napari_vol3d.core.sliced import moved
    from napari_vol3d.core.windows import thinned

    data = volume.frame(0).data
    return thinned(moved(data, (*range(len(data.shape) - 1, 2, -1), 0, 1, 2)))


def _check_format(target: Path, volume: Volume) -> None:
    """Refuse before a run what could not be saved after it."""
    name = target.name.lower()
    if volume.timed and name.endswith((".nrrd", SEGMENTS)):
        raise FileProblem(f"{target.name} can't hold time points.", hint="Add --format .nii.gz, .tif or .ome.zarr.")
    if name.endswith(SEGMENTS) and volume.geometry.stored.header.get("format") != "dicom":
        raise FileProblem(
            f"{target.name} needs a DICOM series, which {volume.name} is not.", hint="Add --format .nii.gz."
        )


def _store(
    target: Path, volume: Volume, models: list[Model], settings: SegmentSettings, chosen: argparse.Namespace,
    files: dict[str, Path],
) -> LabelStore:  # fmt: skip
    """Make the label image on disk, or go on with the one that the same run left unfinished."""
    from napari_vol3d.core.labels import label_dtype
    from napari_vol3d.io.label_store import LabelSpec, LabelStore, partial_of
    from napari_vol3d.pipeline.same_run import how_it_begins, run_key

    card, unfinished = models[0].card, partial_of(target).exists()
    spec = LabelSpec(
        geometry=volume.geometry, shape=volume.shape, dtype=label_dtype(max(card.label_names)),
        classes=card.output.classes,
        run=run_key(volume, models, settings, region=chosen.box, files=files, mask=chosen.mask),
    )  # fmt: skip
    store = LabelStore.resume_or_create(target, spec, overwrite=chosen.overwrite)
    if unfinished:
        sys.stderr.write(f"{volume.name}: {how_it_begins(store.finished, volume.shape)}\n")
    return store


def _mask(path: Path | None, volume: Volume) -> NDArray[Any] | None:
    from napari_vol3d.core.errors import ScanMismatch
    from napari_vol3d.io.registry import read_volume

    if path is None:
        return None
    mask = read_volume(path)
    if mask.shape != volume.shape:
        raise ScanMismatch(f"The mask has shape {mask.shape}, the scan {volume.shape}.", hint="Choose its own mask.")
    import numpy as np

    marked: NDArray[Any] = np.asarray(mask.data) != 0
    return marked


def _box(text: str) -> Box:
    """Read a box as slices are written in Python."""
    from napari_vol3d.core.box import Box

    try:
        spans = [[int(number) for number in span.split(":")] for span in text.split(",")]
        (z0, z1), (y0, y1), (x0, x1) = spans
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            "a box is written Z0:Z1,Y0:Y1,X0:X1, for instance 10:60,0:128,0:128"
        ) from error
    return Box(start=(z0, y0, x0), stop=(z1, y1, x1))


def _volumes(prediction: Prediction) -> str:
    from napari_vol3d.core.amounts import class_amounts

    volumes = class_amounts(prediction.mean_counts, prediction.classes, prediction.geometry)
    found = any(count for class_id, count in prediction.counts.items() if class_id)
    each = " (mean of the time points)" * (prediction.plan.frames > 1)
    return ", ".join(f"{item.name} {text}" for item, text in volumes) + each if found else "nothing was found"


def _targets(scans: list[Path], out: Path, wanted: str, *, part: str | None, overwrite: bool) -> dict[Path, Path]:
    """Name the label files, and refuse before the first run what would end in a clash."""
    from napari_vol3d.io.registry import label_name, stem

    names = {scan: label_name(scan, None if wanted == "same" else wanted) for scan in scans}
    if part is not None:  # two parts of one folder are two scans
        kept = "_" + re.sub(r"[^\w-]+", "_", part)[-LONGEST_PART:].strip("_")
        names = {scan: f"{stem(scan)}{kept}{name.removeprefix(stem(scan))}" for scan, name in names.items()}
    targets = {scan: out / name for scan, name in names.items()}
    twice = [str(t) for t in set(targets.values()) if list(targets.values()).count(t) > 1]
    if twice:
        raise FileProblem(f"Two scans would be saved as {twice[0]}.", hint="Segment them into different folders.")
    there = [target for target in targets.values() if target.exists()]
    if there and not overwrite:
        raise FileProblem(f"{there[0]} is already there.", hint="Add --overwrite, or choose another folder.")
    return targets
