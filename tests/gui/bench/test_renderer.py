"""What a view holds depends on what draws it."""

from __future__ import annotations

from typing import Any

import pytest

from napari_vol3d.gui.bench.renderer import BY_CARD, BY_PROCESSOR, budget_for, budget_of, renderer_of
from tests.gui.bench.room3d import volume_view


@pytest.mark.parametrize(
    ("renderer", "budget"),
    [
        ("llvmpipe (LLVM 15.0.6, 256 bits)", BY_PROCESSOR), ("softpipe", BY_PROCESSOR), ("GDI Generic", BY_PROCESSOR),
        ("Microsoft Basic Render Driver", BY_PROCESSOR), ("", BY_PROCESSOR),
        ("NVIDIA GeForce RTX 4070/PCIe/SSE2", BY_CARD), ("Mesa Intel(R) UHD Graphics 620 (KBL GT2)", BY_CARD),
        ("Apple M2", BY_CARD),
    ],
)  # fmt: skip
def test_a_renderer_is_known_by_its_name(renderer: str, budget: Any) -> None:
    assert budget_for(renderer) is budget


def test_a_view_on_the_screen_says_what_draws_it(qapp: Any, qtbot: Any) -> None:
    with volume_view() as view:
        view.qt_viewer.show()
        qtbot.waitExposed(view.qt_viewer)
        assert renderer_of(view)
        assert budget_of(view) is budget_for(renderer_of(view))
