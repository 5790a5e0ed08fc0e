"""Predicting a project's scans without a window: each is in the project as soon as it is done."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from functools import partial
from typing import TYPE_CHECKING, Any

from napari_vol3d.core.errors import FileProblem, ModelProblem, Vol3dError

if TYPE_CHECKING:
    from napari_vol3d.core.progress import Progress
    from napari_vol3d.core.volume import Volume
    from napari_vol3d.models.store import Model
    from napari_vol3d.pipeline.foresee import Foresight
    from napari_vol3d.review.project.records import Case
    from napari_vol3d.review.project.store import Project

    Foresee = Callable[[Volume, Model], Generator[Progress, None, Foresight]]


def predict_cases(project: Project, *, model: str | None, again: bool, look_where: str, device: str) -> int:
    """Predict the cases that have no prediction; one that fails is reported and the others go on.

    Parameters
    ----------
    model : str, optional
        Another than the project's, by name or folder.
    again : bool
        Also those that have one; the older ones stay.
    look_where : str
        Places are looked for where the model is "unsure", or where "mirrored" passes disagree.

    Returns
    -------
    int
        The exit code.
    """
    from napari_vol3d.pipeline import foresee
    from napari_vol3d.review.project.accepted_features import accepted_features
    from napari_vol3d.review.project.foreseen import predicted_cases

    used = _model(project, model)
    known = frozenset() if again else predicted_cases(project)
    waiting = [case for case in project.cases() if case.key not in known]
    if not waiting:
        sys.stdout.write("Every scan has a prediction.\n")
        return 0
    verb = {"unsure": foresee.foresee, "mirrored": foresee.foresee_mirrored}[look_where]
    return _predict_all(project, waiting, used, partial(verb, accepted=accepted_features(project)), device)


def _predict_all(project: Project, waiting: list[Case], model: Model, verb: Any, device: str) -> int:
    from napari_vol3d.pipeline.child import Engine
    from napari_vol3d.pipeline.settings import SegmentSettings

    settings, failed = SegmentSettings.of({"device": device}), []
    engine = Engine(device=settings.device, backend=settings.backend, precision=settings.precision)
    one: Foresee = partial(verb, settings=settings, engine=engine)
    try:
        for number, case in enumerate(waiting, start=1):
            try:
                _predict_one(project, case, model, one, f"{case.code} ({number} of {len(waiting)})")
            except Vol3dError as error:
                sys.stderr.write(f"napari-vol3d: {case.code}: {error}\n")
                failed.append(error)
                if not engine.alive:
                    engine.restart()
    finally:
        engine.close()
    return failed[0].exit_code if failed else 0


def _predict_one(project: Project, case: Case, model: Model, verb: Foresee, title: str) -> None:
    from napari_vol3d.cli.bar import run_with_bar
    from napari_vol3d.pipeline.checks import channel_warnings
    from napari_vol3d.review.project.case_volume import volume_for
    from napari_vol3d.review.project.foreseen import remember

    scan = volume_for(project, case, model.card.input.channels)
    for said in channel_warnings(scan):
        sys.stderr.write(f"{case.code}: {said}\n")
    made = run_with_bar(verb(scan, model), title=title, unit="tile")
    remember(project, case.key, made)
    sys.stdout.write(f"{case.code}  score {made.score:.2f}, {len(made.places)} places, {made.seconds:.1f} s\n")
    for note in (*made.notes, *(outlier.words for outlier in made.outliers)):
        sys.stderr.write(f"{case.code}: {note}\n")


def _model(project: Project, name: str | None) -> Model:
    """Find the model that predicts, and say so where its weights are not those that the project was made with."""
    from napari_vol3d.models.store import find_model

    meant = project.model
    if name is None and not meant.get("name"):
        raise FileProblem("The project has no model.", hint="Name one: --model NAME.")
    try:
        found = find_model(name or meant["name"])
    except ModelProblem as problem:
        raise ModelProblem(problem.message, hint=f"{problem.hint} Say where it is: --model FOLDER.") from problem
    if meant.get("sha256") not in (None, found.card.weights.sha256):
        sys.stderr.write(f"napari-vol3d: {found.card.name} is not the model that the project was made with.\n")
    return found
