"""What travels beside a model and describes it: a card of ours, a licence, a colour map, StarDist's config."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.core.intensity import IntensityScheme
from napari_vol3d.core.labels import LabelClass, default_color
from napari_vol3d.io.network_files.plain_json import AGAIN, read_json
from napari_vol3d.models.card import CARD_NAME, read_card
from napari_vol3d.models.draft import CardDraft, draft_of

LICENCES = (  # the longer wordings first: the AGPL names the GPL, the three-clause BSD holds the two-clause one
    ("AGPL-3.0", ("gnu affero general public license",)), ("LGPL-3.0", ("gnu lesser general public license",)),
    ("GPL-3.0", ("gnu general public license", "version 3")), ("GPL-2.0", ("gnu general public license", "version 2")),
    ("Apache-2.0", ("apache license", "version 2.0")), ("MPL-2.0", ("mozilla public license", "2.0")),
    ("MIT", ("permission is hereby granted, free of charge", "without restriction")),
    ("BSD-3-Clause", ("redistribution and use in source and binary forms", "neither the name")),
    ("BSD-2-Clause", ("redistribution and use in source and binary forms",)),
    ("CC0-1.0", ("cc0 1.0",)), ("CC-BY-NC-SA-4.0", ("attribution-noncommercial-sharealike 4.0",)),
    ("CC-BY-NC-4.0", ("attribution-noncommercial 4.0",)), ("CC-BY-SA-4.0", ("attribution-sharealike 4.0",)),
    ("CC-BY-4.0", ("attribution 4.0",)),
)  # fmt: skip
LICENCE_FILES = ("license", "licence", "copying", "unlicense")
VAGUE = {"model", "saved_model", "savedmodel", "tfjs", "best", "last", "final", "weights", "weights_best", "network"}
MOST_TEXT = 1 << 20
MOST_CHANNELS = 64


def draft_for(path: Path, *, outside: Path, scores: int | None = None) -> CardDraft:
    """Describe a model by what lies around it.

    Parameters
    ----------
    path : Path
        The file, or the folder that is the model.
    outside : Path
        The folder above `path`; a licence may lie there too.
    scores : int, optional
        Of its last layer, where they are known: of several colour maps the one with as many entries is taken.
    """
    folder = path if path.is_dir() else path.parent
    if (card := _card(path, folder)) is not None:
        return card
    return CardDraft(
        title=_title(path), license=_licence(folder) or _licence(outside), classes=_colours(folder, scores)
    )


def stardist_draft(config: dict[str, Any], path: Path, outside: Path) -> CardDraft:
    """Describe a StarDist model by its config.json: percentiles 1 and 99.8, as its own example does, and one class.

    Raises
    ------
    ModelProblem
        If its number of channels is none.
    """
    channels = config.get("n_channel_in", 1)
    if type(channels) is not int or not 1 <= channels <= MOST_CHANNELS:
        raise ModelProblem(f"Damaged config.json: n_channel_in of {path.name} is {str(channels)[:40]!r}.", hint=AGAIN)
    return draft_for(path, outside=outside).model_copy(
        update={
            "channels": ("nuclei",) if channels == 1 else tuple(f"channel {k + 1}" for k in range(channels)),
            "classes": (LabelClass(id=1, name="nucleus", color=default_color(1)),),
            "intensity": IntensityScheme(kind="quantile", lower=1.0, upper=99.8, over="all"),
            "activation": "sigmoid", "unit": "um", "anatomical": False, "output": "prob",
        }
    )  # fmt: skip


def _card(path: Path, folder: Path) -> CardDraft | None:
    """Give the card of ours that lies beside, if it speaks of this file."""
    if not (folder / CARD_NAME).is_file():
        return None
    try:
        card = read_card(folder)
    except ModelProblem:  # somebody else's card.json
        return None
    return draft_of(card) if path.is_dir() or card.weights.file == path.name else None


def _title(path: Path) -> str:
    name = path.name if path.is_dir() else path.name.partition(".")[0]
    while (name.lower() in VAGUE or not name) and path.parent != path:
        path = path.parent
        name = path.name
    return name.replace("_", " ").strip() or "model"


def _licence(folder: Path) -> str:
    for path in sorted(folder.iterdir()):
        if path.name.partition(".")[0].lower() in LICENCE_FILES and path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                text = " ".join(file.read(MOST_TEXT).decode("utf-8", "replace").lower().split())
            named = (name for name, words in LICENCES if all(word in text for word in words))
            return next(named, f"see {path.name}")
    return ""


def _colours(folder: Path, scores: int | None) -> tuple[LabelClass, ...]:
    """Give the classes of the colour map with as many entries as there are scores, background included."""
    for path in sorted(folder.glob("*color*map*.json")):
        if path.is_symlink() or not path.is_file() or path.stat().st_size > MOST_TEXT:
            continue
        try:
            classes = _classes(read_json(path.read_bytes(), path.name))
        except (ModelProblem, KeyError, TypeError, ValueError, AttributeError):  # not one of these
            continue
        if len(classes) + 1 == scores:
            return classes
    return ()


def _classes(content: dict[str, Any]) -> tuple[LabelClass, ...]:
    listed = zip(content["labels"], content["R"], content["G"], content["B"], strict=True)
    return tuple(
        LabelClass(id=index, name=str(label)[:80], color="#{:02x}{:02x}{:02x}".format(*(int(c) & 255 for c in rgb)))
        for index, (label, *rgb) in enumerate(listed)
        if index
    )
