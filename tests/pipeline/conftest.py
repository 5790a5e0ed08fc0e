"""One engine process for most tests of the verbs: waking TensorFlow takes seconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from napari_vol3d.models.store import Model
from napari_vol3d.pipeline.child import Engine
from tests.builders import brightness_network, write_model, write_training_folder


@pytest.fixture(scope="session")
def shared_engine() -> Iterator[Engine]:
    """An engine on the CPU that is awake; tests that may kill it start their own."""
    engine = Engine(device="cpu")
    for _ in engine.wake():
        pass
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A pointwise network that finds the dim ball (3) and the bright one (7) of a phantom."""
    # A phantom's z-scores: background below 0, the dim ball around 2, the bright one above 4.
    network = brightness_network(offsets=(0.0, -1.0, -4.0))
    return write_model(tmp_path_factory.mktemp("models") / "tiny", network, input={"spacing": (1.0, 1.0, 1.0)})


@pytest.fixture(scope="session")
def training_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six phantoms with labels, as NIfTI."""
    return write_training_folder(tmp_path_factory.mktemp("data"))
