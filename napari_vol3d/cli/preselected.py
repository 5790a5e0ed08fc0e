"""The model of a command that names none: the one that a person has preselected."""

from __future__ import annotations

import sys

from napari_vol3d.core.errors import ModelProblem


def preselected() -> list[str]:
    """Give its name, and say it, as it decides what labels mean.

    Raises
    ------
    ModelProblem
        If none was chosen, or it is there no more.
    """
    from napari_vol3d.models.library import default_model
    from napari_vol3d.models.store import find_model

    if not (name := default_model()):
        raise ModelProblem(
            "No model is named, and none is preselected.",
            hint="Add --model NAME (napari-vol3d models list shows them), or choose one: models default NAME.",
        )
    card = find_model(name).card
    sys.stderr.write(f"Model: {card.name} {card.version}, which is preselected\n")
    return [name]
