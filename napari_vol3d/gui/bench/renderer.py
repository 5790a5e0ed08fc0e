"""What draws the 3D view, a graphics card or the processor, and how much it can draw in a moment."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from vispy import gloo

from napari_vol3d.gui.bench.view import View

log = logging.getLogger(__name__)
SOFTWARE = ("llvmpipe", "softpipe", "swrast", "swr", "gdi generic", "basic render")


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a 3D view may hold.

    Attributes
    ----------
    software : bool
        Whether the processor draws.
    voxels : int
        Of an image.
    triangles : int
        Of the surfaces of a Labels layer.
    step : float
        From one sample along a ray to the next, in voxels.
    """

    software: bool
    voxels: int
    triangles: int
    step: float


# Measured with llvmpipe on two cores at 700 x 400 pixels, a ray sampled each 0.8 voxels: 85^3 voxels take 46 ms,
# 128^3 take 135 ms; 130,000 triangles take 65 ms, 265,000 take 105 ms. Together they must stay below 150 ms.
BY_PROCESSOR = Budget(software=True, voxels=96**3, triangles=100_000, step=1.0)
BY_CARD = Budget(software=False, voxels=256**3, triangles=400_000, step=0.8)


def budget_of(view: View) -> Budget:
    """Give what a view can draw; it must have been shown, because only then its renderer is known."""
    return budget_for(renderer_of(view))


def budget_for(renderer: str) -> Budget:
    """Give what a renderer of this name can draw; one without a name is taken for a slow one."""
    name = renderer.lower()
    return BY_PROCESSOR if not name or any(word in name for word in SOFTWARE) else BY_CARD


def renderer_of(view: View) -> str:
    """Ask OpenGL for the name of what draws a view."""
    view.glass.canvas.set_current()
    name = gloo.gl.glGetParameter(gloo.gl.GL_RENDERER)
    log.debug("the 3D view is drawn by %s", name)
    return name if isinstance(name, str) else ""
