from __future__ import annotations

import pytest

from napari_vol3d.core import errors
from napari_vol3d.core.errors import Vol3dError

FAMILY = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Vol3dError)]


@pytest.mark.parametrize("kind", FAMILY)
def test_every_error_carries_a_sentence_and_a_way_on(kind: type[Vol3dError]) -> None:
    error = kind("Something is wrong.", hint="Do this.")
    assert (error.message, error.hint) == ("Something is wrong.", "Do this.")
    assert str(error) == "Something is wrong. Do this."
    assert str(kind("Alone.")) == "Alone."
    assert kind.exit_code not in (0, 2)  # 2 is argparse's


def test_kinds_have_their_own_exit_codes() -> None:
    assert len(FAMILY) >= 6
    assert errors.SaveProblem.exit_code == errors.FileProblem.exit_code  # both are about files
    assert errors.MemoryProblem.exit_code == errors.EngineProblem.exit_code  # one way in which an engine stops
    assert len({kind.exit_code for kind in FAMILY}) == len(FAMILY) - 2
