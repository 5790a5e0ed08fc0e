"""All that a card says, in words, line by line."""

from __future__ import annotations

from collections.abc import Iterable

from napari_vol3d.core.intensity import IntensityScheme
from napari_vol3d.core.say import say_seconds
from napari_vol3d.models.card import STORED, ModelCard
from napari_vol3d.models.source import CONTAINER_WORDS

SHORT = 12  # letters of a hash
ACTIVATIONS = {"none": "scores (logits)", "softmax": "softmax", "sigmoid": "sigmoid"}
Rows = Iterable[tuple[str, str]]


def card_rows(card: ModelCard) -> list[tuple[str, str]]:
    """Give the lines of a card, each with its name; of what it does not say the text is empty."""
    return [*_rights(card), *_input(card), *_output(card), *_figures(card), *_history(card)]


def intensity_words(scheme: IntensityScheme) -> str:
    """Say what is done with grey levels before the network sees them.

    Examples
    --------
    >>> intensity_words(IntensityScheme(kind="window", lower=-100, upper=300))
    '-100 becomes 0, 300 becomes 1'
    """
    low, high = f"{scheme.lower:g}", f"{scheme.upper:g}"
    words = {
        "none": "as stored",
        "zscore": f"mean 0, standard deviation 1, cut at the percentiles {low} and {high}",
        "minmax": "lowest becomes 0, highest 1",
        "quantile": f"percentile {low} becomes 0, percentile {high} becomes 1",
        "window": f"{low} becomes 0, {high} becomes 1",
        "maximum": "divided by the highest value",
    }[scheme.kind]
    counted = scheme.over == "nonzero" and scheme.kind not in ("none", "window")
    return f"{words}; zeros do not count" if counted else words


def grid_words(card: ModelCard) -> str:
    """Say which voxels the network wants."""
    given = card.input
    if given.conform is not None:
        return f"a cube of {given.conform.edge} voxels of {given.conform.spacing:g} {given.unit}"
    if given.resize_to is not None:
        return f"the whole scan stretched to {' x '.join(map(str, given.resize_to))} voxels"
    return "any" if given.spacing is None else f"{_lengths(given.spacing)} {given.unit}"


def _rights(card: ModelCard) -> Rows:
    return (
        ("Licence", card.license or "not said"), ("Citation", card.citation), ("Authors", ", ".join(card.authors)),
        ("Name", card.name),
    )  # fmt: skip


def _input(card: ModelCard) -> Rows:
    given = card.input
    crop = given.crop
    bright = "" if crop is None else f"brighter than {crop.above:g} of the highest, {crop.padding} voxels around it"
    known = given.intensity_range
    lies = {"": "as shown (S, P, L)", STORED: "as stored"}.get(given.orientation, given.orientation)
    return (
        ("Channels", ", ".join(given.channels)), ("Voxels", grid_words(card)), ("Axes run to", lies),
        ("Intensities", intensity_words(given.intensity)),
        ("It knows", "" if known is None else f"{known[0]:g} to {known[1]:g}"),
        ("Crop", bright), ("Patch", f"{' x '.join(map(str, given.patch_size))} voxels"),
        ("Extent", "" if given.field_of_view is None else f"at most {_lengths(given.field_of_view)} {given.unit}"),
    )  # fmt: skip


def _output(card: ModelCard) -> Rows:
    post, run = card.output.post, card.inference
    done = (
        "largest piece only" if post.largest_component else "",
        f"pieces from {post.min_voxels} voxels" if post.min_voxels else "",
        "holes filled" if post.fill_holes else "",
    )
    return (
        ("Last layer", ACTIVATIONS[card.output.activation]), ("Afterwards", ", ".join(filter(None, done))),
        ("Tiles", f"{run.scheme}, {run.halo} voxels of context"),
    )  # fmt: skip


def _figures(card: ModelCard) -> Rows:
    if card.validation is None:
        return ()
    seen = card.validation
    far = seen.mean_hd95_mm
    rows = []
    for name, dice in seen.mean_dice.items():
        hd95 = far.get(name)
        rows.append((f"Dice {name}", _number(dice) + (f", HD95 {hd95:.2f} mm" if hd95 is not None else "")))
    return (*rows, ("Measured on", seen.data), ("Worst scan", seen.worst_scan))


def _history(card: ModelCard) -> Rows:
    made, came = card.training, card.source
    rows: list[tuple[str, str]] = []
    if made is not None:
        took = f", {say_seconds(made.seconds)}" if made.seconds else ""
        rows += [
            ("Trained on", f"{made.scans} scans, {made.data}"), ("Training", f"{made.epochs} epochs{took}"),
            ("Network", made.architecture), ("Date", made.date),
        ]  # fmt: skip
    if came is not None:
        container = CONTAINER_WORDS.get(came.container, came.container)  # type: ignore[call-overload]
        rows += [("Came as", f"{container} {came.file}".strip()), ("SHA-256", came.sha256[:SHORT])]
        rows += [("Changed" if k == 0 else "", change) for k, change in enumerate(came.changes)]
    return rows


def _lengths(values: tuple[float, float, float]) -> str:
    return " x ".join(f"{value:.3g}" for value in values)


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.3f}"
