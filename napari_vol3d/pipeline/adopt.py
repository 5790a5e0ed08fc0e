"""The verb `adopt`: a model from elsewhere in, a model of this program out; TensorFlow meets it in a cage only."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_vol3d.core.errors import EngineProblem, MemoryProblem, ModelProblem
from napari_vol3d.core.progress import Progress
from napari_vol3d.engine.messages import Adopt, Adopted
from napari_vol3d.io.gate import regular_file
from napari_vol3d.io.private_folder import make_private_folder
from napari_vol3d.models import gate
from napari_vol3d.models.card import ModelCard
from napari_vol3d.models.draft import CardDraft, draft_of
from napari_vol3d.models.library import WEIGHTS_NAME, add_model
from napari_vol3d.models.record import keep_guesses
from napari_vol3d.models.source import ModelSource
from napari_vol3d.models.store import Model
from napari_vol3d.models.trust import trust
from napari_vol3d.pipeline.child import Engine
from napari_vol3d.pipeline.example import try_example
from napari_vol3d.pipeline.guess import card_of, complete, require_said
from napari_vol3d.pipeline.placed import place


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Adoption:
    """A network that was made ready, and waits for its card.

    Attributes
    ----------
    facts : Adopted
        What the network says of itself.
    weights : Path
        The .keras file, in a private folder; `keep` copies it, `drop` removes it.
    draft : CardDraft
        Complete, with guesses.
    guessed : tuple of str
        Names of the draft's fields that are nothing but guesses, made here or by whoever gave the model away.
    card : ModelCard or None
        The whole card, where the model travelled with one of ours.
    """

    source: ModelSource
    facts: Adopted
    weights: Path
    draft: CardDraft
    guessed: tuple[str, ...]
    card: ModelCard | None = None
    software: str = ""


def look(path: Path) -> Generator[Progress, None, ModelSource]:
    """Find out what a file or folder is, and whether it is safe to go on; nothing of it is run.

    Raises
    ------
    ModelProblem
        If it is no model that can be used, or holds what is not allowed.
    """
    yield Progress(phase="Looking at the file")
    return gate.examine(path)


def adopt(
    source: ModelSource, *, output: str = "", said: CardDraft | None = None
) -> Generator[Progress, None, Adoption]:
    """Make a network ready: loaded and rewritten by an engine process of its own, which ends afterwards.

    Parameters
    ----------
    output : str
        Which output to use, where there are several.
    said : CardDraft, optional
        What a person says of the model; it goes before what travelled with it.

    Raises
    ------
    Vol3dError
        If it can't be loaded, or is no network that labels voxels.
    """
    engine, folder = Engine(device="cpu", adopting=True), make_private_folder()
    kept = False
    try:
        placed = place(source, engine.folder)
        target = engine.folder / WEIGHTS_NAME
        for _ in engine.wake():
            yield Progress(phase="Starting TensorFlow")
        yield Progress(phase="Looking into the network", note=engine.cage or "")
        request = Adopt(
            container=placed.container, source=str(placed.path), target=str(target),
            output=output or placed.draft.output or None,
        )  # fmt: skip
        facts = yield from _asked(engine, request)
        regular_file(target)
        weights = Path(shutil.copyfile(target, folder / WEIGHTS_NAME))
        gate.require_safe(weights)  # a stranger's still; and of `target` the engine could make another meanwhile
        travelled = draft_of(placed.card) if placed.card is not None else placed.draft
        require_said(said or CardDraft(), facts, source.path.name)
        draft, guessed = complete((said or CardDraft()).over(travelled), facts, source)
        if placed.package is not None:
            made = card_of(draft, facts, source, weights, software="")
            found = yield from try_example(placed.package, engine, target, made)
            facts = facts.model_copy(update={"changes": (*facts.changes, *[found] * bool(found))})
        kept = True
        return Adoption(
            source=source, facts=facts, weights=weights, draft=draft, card=placed.card,
            guessed=guessed if placed.card is None else _unconfirmed(placed.guessed, said),
            software=engine.ready.versions if engine.ready else "",
        )  # fmt: skip
    except OSError as error:
        raise EngineProblem(
            f"{source.path.name} was not looked into: {error.strerror or error}.",
            hint="Is it still there, and is there room for temporary files?",
        ) from error
    finally:
        engine.close()
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)


def keep(adoption: Adoption, draft: CardDraft, guessed: Sequence[str] = ()) -> Model:
    """Put an adopted network among the person's models, with this card; its source is trusted from now on.

    Parameters
    ----------
    guessed : sequence of str
        Fields of the draft that nobody has confirmed.

    Raises
    ------
    Vol3dError
        If the draft contradicts the network, the name is taken, or there is no room.
    """
    card = card_of(draft, adoption.facts, adoption.source, adoption.weights, software=adoption.software)
    if adoption.card is not None:  # what a form does not ask for stays as its maker wrote it
        made = adoption.card
        card = card.model_copy(
            update={
                "training": made.training, "validation": made.validation,
                "input": card.input.model_copy(
                    update={name: getattr(made.input, name) for name in ("patch_size", "flip_axes", "field_of_view")}
                ),
                "inference": made.inference, "source": made.source or card.source,
            }
        )  # fmt: skip
    trust(adoption.source)
    model = add_model(adoption.weights, card, guessed)
    keep_guesses(model.card, guessed)  # what was kept elsewhere of an earlier one of its name is forgotten
    drop(adoption)
    return model


def drop(adoption: Adoption) -> None:
    """Remove what lies in the temporary folder."""
    shutil.rmtree(adoption.weights.parent, ignore_errors=True)


def _unconfirmed(guessed: tuple[str, ...], said: CardDraft | None) -> tuple[str, ...]:
    return tuple(field for field in guessed if said is None or not said.speaks_of(field))


def _asked(engine: Engine, request: Adopt) -> Generator[Progress, None, Adopted]:
    facts: Adopted | None = None
    try:
        with contextlib.closing(engine.ask(request, Adopted)) as reports:
            for report in reports:
                if isinstance(report, Adopted):
                    facts = report
                yield Progress(phase="Looking into the network")
    except MemoryProblem as problem:  # the engine speaks of runs and of the memory budget, which nobody is at here
        raise ModelProblem(
            "The network takes too much memory, even for a small patch.", hint="Ask its maker for a smaller one."
        ) from problem
    if facts is None:
        raise EngineProblem("The engine said nothing of the network.", hint="Try it again.")
    return facts
