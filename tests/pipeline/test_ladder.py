"""Each step down leaves a fresh process and less to ask of it, is said in a sentence, and there is a last one."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from napari_vol3d.core.errors import EngineProblem, MemoryProblem
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.engine.messages import Ready
from napari_vol3d.models.record import LocalRecord
from napari_vol3d.pipeline.child import Engine
from napari_vol3d.pipeline.ladder import MOST_STEPS, Ladder
from napari_vol3d.pipeline.plan import plan_segment
from napari_vol3d.pipeline.settings import SegmentSettings
from tests.builders import make_card

PROBLEM = MemoryProblem("The engine ran out of memory.", hint="Choose a smaller memory budget.")
CARD = make_card(Path("model.keras"), sha256="0" * 64)


@pytest.fixture
def engine():
    """An engine whose processes are ended before they are awake."""
    engine = Engine(device="auto")
    yield engine
    engine.close()


def plan_of(edge, **chosen):
    volume = Volume(data=np.zeros((edge, edge, edge), np.uint8), geometry=Geometry.from_spacing((1.0, 1.0, 1.0)))
    return plan_segment(volume, CARD, SegmentSettings(**chosen), record=LocalRecord())


def voxels(plan):
    return math.prod(plan.tiles.patch_size)


@pytest.mark.parametrize("scheme", ["halo", "overlap"])
def test_patches_shrink_step_by_step_each_on_a_fresh_process(engine, scheme):
    plan, ladder, pids = plan_of(64, scheme=scheme), Ladder(), [engine.process.pid]
    for _ in range(3):
        less, note = ladder.step_down(plan, CARD, engine, PROBLEM)
        assert voxels(less) <= voxels(plan) / 2
        assert (less.scheme, less.box, less.grid) == (plan.scheme, plan.box, plan.grid)
        assert less.patch_bytes <= plan.patch_bytes / 2
        assert less.count > plan.count
        assert note.startswith("The engine ran out of memory. Going on with smaller patches, ")
        assert " x ".join(map(str, less.tiles.patch_size)) in note
        assert f"({voxels(less) / voxels(plan):.0%})" in note
        assert note.endswith("finished ones stay.")
        pids.append(engine.process.pid)
        plan = less
    assert len(set(pids)) == 4
    assert engine.alive


def test_there_is_a_last_step(engine):
    plan, ladder = plan_of(256, memory_gb=10, halo=0), Ladder()
    for _ in range(MOST_STEPS):
        plan, _ = ladder.step_down(plan, CARD, engine, PROBLEM)
    pid = engine.process.pid
    with pytest.raises(MemoryProblem) as told:
        ladder.step_down(plan, CARD, engine, PROBLEM)
    assert told.value is PROBLEM
    assert engine.process.pid == pid


def test_the_smallest_patch_is_tried_once_more_and_then_no_more(engine):
    plan, ladder = plan_of(2, halo=0), Ladder()
    again, note = ladder.step_down(plan, CARD, engine, PROBLEM)
    assert again is plan
    assert note == "The engine ran out of memory. Going on; finished patches stay."
    with pytest.raises(MemoryProblem, match="ran out"):
        ladder.step_down(plan, CARD, engine, PROBLEM)


def test_a_gpu_without_memory_for_the_smallest_patch_gives_way_to_the_cpu(engine):
    engine.ready = Ready(device="NVIDIA T4", policy="mixed_bfloat16", versions="")
    first, ladder = plan_of(4, halo=0), Ladder()
    plan = first
    devices = []
    while plan.patch_bytes > 8 * CARD.inference.bytes_per_voxel:
        plan, note = ladder.step_down(plan, CARD, engine, PROBLEM)
        devices.append(engine.device)
        engine.ready = Ready(device="NVIDIA T4", policy="mixed_bfloat16", versions="")
    assert set(devices) == {"auto"}
    plan, note = ladder.step_down(plan, CARD, engine, PROBLEM)
    assert engine.device == "cpu"
    assert plan is first  # main memory may hold what the GPU's could not
    assert note == "The engine ran out of memory. Going on with the CPU; finished patches stay."


def test_a_closed_engine_is_not_started_again(engine):
    engine.close()
    with pytest.raises(EngineProblem, match="closed"):
        Ladder().step_down(plan_of(64), CARD, engine, PROBLEM)
    assert not engine.alive
    assert not engine.folder.exists()
