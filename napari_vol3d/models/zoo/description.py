"""The YAML file that describes a package, read so that it can neither build objects nor fill the memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import yaml

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.io.bundle import Bundle

NAMES = ("rdf.yaml", "bioimageio.yaml", "rdf.yml", "bioimageio.yml")
ENDINGS = tuple(f".{name}" for name in NAMES)
MOST_BYTES = 4 << 20
MOST_NODES = 200_000
MOST_ALIASES = 1_000
MOST_UNFOLDED = 20_000  # nodes that aliases stand for
DEEPEST = 60
# What SafeLoader raises beside its own errors: on an int of 5,000 digits, on the 13th month.
DAMAGE = (yaml.YAMLError, ValueError, TypeError, OverflowError, RecursionError)
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def is_description(name: str) -> bool:
    """Whether a file of this name describes a package."""
    name = PurePosixPath(name).name.lower()
    return name in NAMES or name.endswith(ENDINGS)


def description_in(bundle: Bundle) -> str | None:
    """Give the name of the file that describes a package; None where there is none."""
    if bundle.members is None:
        names = sorted(path.name for path in bundle.path.iterdir() if is_description(path.name) and path.is_file())
    else:
        inside = [name.removeprefix(bundle.inside) for name in bundle.members if name.startswith(bundle.inside)]
        names = sorted(name for name in inside if "/" not in name and is_description(name))
    usual = [name for name in NAMES if name in names]
    return next(iter((*usual, *names)), None)


def read_description(bundle: Bundle, name: str) -> dict[str, Any]:
    """Read a description as plain mappings, lists, texts and numbers.

    Raises
    ------
    ModelProblem
        If it is no YAML mapping, or one that unfolds to far more than it is.
    FileProblem
        If it is not there, or too large.
    """
    content = bundle.read(name, most=MOST_BYTES)
    try:
        _check_nodes(content, name)
        said = yaml.load(content, Loader=LOADER)  # a SafeLoader: plain values only
    except DAMAGE as error:
        reason = str(getattr(error, "problem", None) or error).partition("\n")[0]
        raise ModelProblem(f"{name} can't be read: {reason[:120]}.", hint="Download the package again.") from error
    if not isinstance(said, dict):
        raise ModelProblem(f"{name} describes nothing: it is no mapping.", hint="Download the package again.")
    return {str(key): value for key, value in said.items()}


def _check_nodes(content: bytes, name: str) -> None:
    """Count nodes before any is built: a few hundred bytes of aliases of aliases unfold to gigabytes."""
    counted = _Counted()
    for event in _events(content):
        counted.take(event)
        if counted.is_endless:
            raise ModelProblem(f"{name} is no honest description: it unfolds without end.", hint="Don't trust it.")


class _Counted:
    """What a YAML file has said so far: nodes, how deep, and what its aliases stand for."""

    def __init__(self) -> None:
        self.nodes = self.aliases = self.unfolded = 0
        self._open: list[tuple[str | None, int]] = []  # anchors of the collections around, and where they began
        self._sizes: dict[str | None, int] = {}
        self._nested = False  # an alias in what has an anchor

    @property
    def is_endless(self) -> bool:
        """Whether no honest file says this."""
        many = self.nodes > MOST_NODES or self.aliases > MOST_ALIASES or self.unfolded > MOST_UNFOLDED
        return many or self._nested or len(self._open) > DEEPEST

    def take(self, event: Any) -> None:
        self.nodes += 1
        if isinstance(event, yaml.CollectionStartEvent):
            self._open.append((event.anchor, self.nodes))
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, began = self._open.pop()
            self._sizes[anchor] = self.nodes - began
        elif isinstance(event, yaml.AliasEvent):
            self.aliases += 1
            self.unfolded += self._sizes.get(event.anchor, 1)  # where it is merged (<<), all of it is copied
            self._nested = self._nested or any(anchor for anchor, _ in self._open)


def _events(content: bytes) -> Iterator[Any]:
    yield from yaml.parse(content, Loader=LOADER)


def text(value: Any) -> str:
    """Give a value as a text on one or more lines, "" for what is none."""
    return str(value).strip() if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""


def number(value: Any) -> float | None:
    """Give a finite number, or None."""
    known = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if known and abs(value) < 1e300 else None


def items(value: Any) -> list[Any]:
    """Give a list's items; of a single value itself, of nothing nothing."""
    return [] if value is None else list(value) if isinstance(value, (list, tuple)) else [value]


def mappings(value: Any) -> list[dict[str, Any]]:
    """Give those of a list's items that are mappings."""
    return [item for item in items(value) if isinstance(item, dict)]


def mapping(value: Any) -> dict[str, Any]:
    """Give a mapping, an empty one for what is none."""
    return value if isinstance(value, dict) else {}
