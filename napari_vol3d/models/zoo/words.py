"""The page of text that goes with a package: what a card says, for people who don't have this program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from napari_vol3d.core.intensity import IntensityScheme
from napari_vol3d.models.card import InputSpec, ModelCard, PostProcessing
from napari_vol3d.models.edit_words import guess_words

INTENSITY = {
    "none": "as they are stored",
    "zscore": "cut off at percentiles {lower:g} and {upper:g}, then mean 0 and standard deviation 1 of what is left",
    "minmax": "bring the lowest to 0 and the highest to 1",
    "quantile": "bring percentile {lower:g} to 0 and percentile {upper:g} to 1",
    "window": "bring {lower:g} to 0 and {upper:g} to 1, and cut off what lies beyond",
    "maximum": "divide by the highest",
}


def documentation(card: ModelCard, guessed: Iterable[str] = ()) -> str:
    """Write the page, in Markdown, with the sections that the zoo asks for, and what in it is a guess."""
    sections: dict[str, Iterable[str]] = {
        "Input": _input(card), "Output": _output(card), "Validation": _validation(card), "Training": _training(card),
        "Not confirmed by anybody": filter(None, [guess_words(guessed)]),
        "Source": (card.source.changes if card.source else ()), "Citation": filter(None, [card.citation]),
        "Licence": filter(None, [card.license]),
    }  # fmt: skip
    lines = [f"# {card.title} {card.version}", "", card.description, ""]
    for title, content in sections.items():
        listed = [f"- {line}" if title not in ("Citation", "Licence") else line for line in content]
        lines += [f"## {title}", "", *listed, ""] if listed else []
    lines.append("Made with napari-vol3d; its whole card is in the package's description, under `config`.")
    return "\n".join(lines) + "\n"


def beforehand(spec: InputSpec) -> tuple[str, ...]:
    """Say what is done to a whole scan before any patch of it is cut, in order."""
    steps = (
        ("turn its axes so that they run to", ", ".join(spec.orientation or ("SPL" if spec.anatomical else ""))),
        ("make it a cube", f"of {spec.conform.edge} voxels of {spec.conform.spacing:g} mm" if spec.conform else ""),
        ("stretch it", f"to {' x '.join(map(str, spec.resize_to))} voxels" if spec.resize_to else ""),
        ("resample it", f"to {' x '.join(f'{s:g}' for s in spec.spacing)} {spec.unit}" if spec.spacing else ""),
        ("cut out what is bright", f"(above {spec.crop.above:g} of the highest value, {spec.crop.padding} voxels more)"
         if spec.crop else ""),
    )  # fmt: skip
    return tuple(f"{verb} {how}" for verb, how in steps if how)


def _input(card: ModelCard) -> Iterator[str]:
    spec = card.input
    yield f"Channels: {', '.join(spec.channels)}"
    size = "exactly" if spec.fixed else f"multiples of {spec.multiple}, as" if spec.multiple > 1 else "any, as"
    yield f"Patch size (z, y, x): {size} {' x '.join(map(str, spec.patch_size))}"
    if before := beforehand(spec):
        yield f"The whole scan first: {'; '.join(before)}"
    yield f"Intensities, over the whole scan: {_intensity(spec.intensity)}"


def _intensity(scheme: IntensityScheme) -> str:
    nonzero = ", counting voxels that are not 0" if scheme.over == "nonzero" else ""
    by_hand = " (the package has no step for this: do it yourself)" if nonzero or scheme.kind == "maximum" else ""
    return INTENSITY[scheme.kind].format(lower=scheme.lower, upper=scheme.upper) + nonzero + by_hand


def _output(card: ModelCard) -> Iterator[str]:
    background = () if card.output.activation == "sigmoid" else ("background",)
    yield f"Scores a voxel: {', '.join((*background, *(c.name for c in card.output.classes)))}"
    ids = ", ".join(f"{c.id} {c.name}" for c in card.output.classes)
    yield f"Label ids: {ids}"
    yield f"Context that a tile needs on each side: {card.inference.halo} voxels"
    yield from _afterwards(card.output.post)


def _afterwards(post: PostProcessing) -> Iterator[str]:
    if post.largest_component:
        yield "Of all classes together the largest piece is kept"
    if post.min_voxels:
        yield f"Pieces of fewer than {post.min_voxels} voxels are dropped"
    if post.fill_holes:
        yield "Holes are filled"


def _validation(card: ModelCard) -> Iterator[str]:
    figures = card.validation
    if figures is None:
        yield "No figures on unseen scans are known. Compare its labels with labels made by hand: Dice, HD95."
        return
    yield f"Data: {figures.data}"
    for name, dice in figures.mean_dice.items():
        hd95 = figures.mean_hd95_mm.get(name)
        yield f"{name}: mean Dice {_figure(dice)}" + (f", mean HD95 {hd95:.2f} mm" if hd95 is not None else "")


def _figure(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4f}"


def _training(card: ModelCard) -> Iterator[str]:
    if card.training:
        yield f"Data: {card.training.data} ({card.training.scans} scans)"
        yield f"Architecture: {card.training.architecture}"
        yield f"Software: {card.training.software or 'unknown'}"
