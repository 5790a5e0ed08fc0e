"""Writing the card of a network that was just trained."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from napari_vol3d.core.labels import LabelClass, default_color
from napari_vol3d.engine.messages import Fit, Ready
from napari_vol3d.models.card import (
    InferenceDefaults,
    InputSpec,
    ModelCard,
    OutputSpec,
    TrainingSummary,
    Weights,
    sha256_of,
)
from napari_vol3d.pipeline.dataset import Dataset, Survey
from napari_vol3d.pipeline.history import History
from napari_vol3d.pipeline.settings import TrainSettings

# Context in steps of the coarsest level. With the bundled network (four levels) benchmarks/halo.py finds on a head that
# labels differ from the whole volume's in 3 % of the foreground at a halo of 16 voxels, 0.3 % at 24, 0.006 % at 40.
HALO_STEPS = 3
# Of the finest level and a voxel: measured, 16 filters take 364 to 522 bytes (float32, oneDNN, 64^3 to 128^3).
BYTES_PER_FILTER = 40


def describe(
    dataset: Dataset, survey: Survey, settings: TrainSettings, job: Fit, weights: Path, *, history: History,
    command: str, ready: Ready | None,
) -> ModelCard:  # fmt: skip
    """Write down all that is needed to run the network in `weights`, and how it came to be."""
    extent = tuple(n * s for n, s in zip(survey.largest, survey.spacing, strict=True))
    return ModelCard(
        name=settings.name, title=settings.title, description=settings.description, license=settings.license,
        citation=settings.citation,
        weights=Weights(file=weights.name, sha256=sha256_of(weights)),
        input=InputSpec(
            channels=survey.channels, spacing=survey.spacing, unit=survey.unit, patch_size=job.patch_size,
            multiple=2 ** (len(settings.widths) - 1), intensity=settings.intensity, anatomical=survey.anatomical,
            flip_axes=settings.flip_axes, field_of_view=(extent[0], extent[1], extent[2]),
        ),
        output=OutputSpec(classes=_classes(survey, settings)),
        inference=InferenceDefaults(
            halo=HALO_STEPS * 2 ** (len(settings.widths) - 1), bytes_per_voxel=BYTES_PER_FILTER * settings.widths[0]
        ),
        training=TrainingSummary(
            data=settings.data, scans=len(dataset.train), epochs=history.epochs, best_epoch=history.best_epoch,
            architecture=f"{'residual ' * settings.residual}3D U-Net {'-'.join(map(str, settings.widths))}",
            command=command, seconds=round(history.seconds), software=ready.versions if ready else "",
            date=datetime.now(UTC).date().isoformat(),
        ),
    )  # fmt: skip


def _classes(survey: Survey, settings: TrainSettings) -> tuple[LabelClass, ...]:
    return tuple(
        LabelClass(id=i, name=settings.class_names.get(i, f"class {i}"), color=default_color(i))
        for i in survey.class_ids
    )
