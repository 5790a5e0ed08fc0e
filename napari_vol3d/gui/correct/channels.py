"""The layers that a model of several channels sees around labels: those that are chosen in Segment, else by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from napari.components import LayerList
from napari.layers import Image

from napari_vol3d.core.channel_names import match_channels
from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.core.joined import join_channels
from napari_vol3d.core.volume import Volume
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.forms.layer_choice import is_scan
from napari_vol3d.gui.layers import origin_of, same_grid, source_of, to_volume
from napari_vol3d.models.card import ModelCard
from napari_vol3d.models.store import Model


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Channels:
    """What Segment says of a model of several channels.

    Attributes
    ----------
    scan : Image or None
        The layer that is chosen to be segmented.
    names : tuple of str
        The channels that are asked for; none for a model of one.
    layers : tuple of (Image or None)
        That are chosen for them.
    open : tuple of Image
        All that could be.
    """

    scan: Image | None = None
    names: tuple[str, ...] = ()
    layers: tuple[Image | None, ...] = ()
    open: tuple[Image, ...] = ()


Asked: TypeAlias = Callable[[], Channels]


def scan_for(desk: Desk, model: Model | None) -> Image | None:
    """Give the scan that a model is run over again; for one of several channels that which the labels were made of."""
    record, usual = desk.record, desk.image
    if record is None or model is None or len(model.card.input.channels) == 1:
        return usual
    origin = origin_of(record.layer)
    fitting = [each for each in open_scans(desk.viewer.layers) if not each.rgb and same_grid(each, record.layer)]
    made_of = [each for each in fitting if origin and origin.source and source_of(each) == origin.source]
    seen = [each for each in fitting if each.visible]
    return (made_of or [usual] * (usual is not None) or seen or fitting or [None])[-1]


def open_scans(layers: LayerList) -> tuple[Image, ...]:
    """Give the layers that may be channels."""
    return tuple(layer for layer in layers if is_scan(layer))


def seen_by(card: ModelCard, scan: Image, chosen: Channels) -> Volume:
    """Give what a model sees of a scan, on the scan's grid, its channels joined as Segment does it.

    The images are those that are chosen in Segment, where that asks for these channels of this case; else those whose
    names say so.

    Raises
    ------
    ScanMismatch
        If a channel has no layer, or a layer can't be one.
    """
    volume, wanted = to_volume(scan), card.input.channels
    if len(wanted) == 1 or volume.timed or len(volume.data.shape) != 3:
        return volume
    of_case = scan is chosen.scan or any(scan is each for each in chosen.layers)
    held = chosen.layers if of_case and chosen.names == wanted else _by_name(wanted, scan, chosen.open)
    images = [each for each in held if each is not None]
    if len(images) < len(wanted):
        missing = [name for name, each in zip(wanted, held, strict=True) if each is None]
        raise ScanMismatch(
            f"No layer for {', '.join(missing)}: {card.title} wants {len(wanted)} channels.",
            hint="Open the image, and choose this model and its images in Segment.",
        )
    return join_channels(volume, [to_volume(each) for each in images], wanted)


def _by_name(wanted: Sequence[str], scan: Image, scans: Sequence[Image]) -> tuple[Image | None, ...]:
    places = match_channels(wanted, [each.name for each in scans], like=scan.name)
    return tuple(None if at is None else scans[at] for at in places)
