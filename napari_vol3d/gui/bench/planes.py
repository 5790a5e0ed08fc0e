"""The planes in which a volume is looked at: which axes a view shows, and which way they run."""

from __future__ import annotations

from enum import Enum
from typing import Literal, TypeAlias

Axis: TypeAlias = int  # of the last three of the world: 0 is z, 1 is y, 2 is x
Towards: TypeAlias = tuple[Literal["up", "down"], Literal["left", "right"]]  # of rising coordinates
# Ends of the patient's axes as layers show them: z rises to superior, y to posterior, x to left.
LETTERS = (("I", "S"), ("A", "P"), ("R", "L"))


class Plane(Enum):
    """A way to cut a volume; the value is the axis across the plane, -1 where nothing is cut.

    Patient volumes are shown as (superior, posterior, left); of others axial means XY, coronal XZ, sagittal YZ.
    """

    AXIAL = 0
    CORONAL = 1
    SAGITTAL = 2
    VOLUME = -1

    @property
    def order(self) -> tuple[Axis, Axis, Axis]:
        """Axes as napari orders them: the one that is cut, then down the screen, then across."""
        return {0: (0, 1, 2), 1: (1, 0, 2), 2: (2, 0, 1), -1: (0, 1, 2)}[self.value]

    @property
    def color(self) -> tuple[float, float, float]:
        """Red, green, blue of what stands for the plane; Slicer's, which many people know."""
        return {0: (0.95, 0.29, 0.20), 1: (0.43, 0.69, 0.29), 2: (0.93, 0.84, 0.30), -1: (0.45, 0.56, 0.93)}[self.value]

    def title(self, *, anatomical: bool) -> str:
        """Name the plane in the words of the field that the volume is from."""
        if self is Plane.VOLUME:
            return "3D"
        return self.name.capitalize() if anatomical else {0: "XY", 1: "XZ", 2: "YZ"}[self.value]

    def towards(self, *, anatomical: bool, neurological: bool = False) -> Towards:
        """Give the way in which the coordinates of the shown axes rise on the screen.

        Head up and nose left; the patient's left is on the right of the screen, where it would be if the person faced
        the patient (radiological), or on the left (neurological).
        """
        if not anatomical:
            return "down", "right"
        mirrored = neurological and self is not Plane.SAGITTAL
        return "down" if self is Plane.AXIAL else "up", "left" if mirrored else "right"


def plane_across(axis: Axis) -> Plane:
    """Give the plane that cuts this axis."""
    return Plane(axis)
