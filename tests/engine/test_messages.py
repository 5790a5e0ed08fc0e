"""Every message crosses the pipe as one line and comes out the same."""

from __future__ import annotations

import math
from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError

from napari_vol3d.core.intensity import IntensityMap
from napari_vol3d.core.resample import GridMap
from napari_vol3d.engine import messages as m
from tests.builders import make_card

UNBOUNDED = IntensityMap(low=-math.inf, high=math.inf, shift=0.0, scale=1.0)
GRID = GridMap(scan_shape=(3, 4, 5), model_shape=(3, 3, 12), ratio=(1.0, 0.7, 2.5))
CARD = make_card(Path("m.keras"), sha256="0" * 64)
CASE = m.TrainingCase(name="a", image="a.npy", labels="b.npy", places="c.npy")
OPEN = m.Open(inputs="i.npy", outputs="o.npy", intensity=(UNBOUNDED,), grid=GRID, patch_size=(8, 8, 8))
REQUESTS = [
    m.LoadModels(models=(m.ModelFile(weights="a file\nwith a line break.keras", card=CARD),) * 2),
    OPEN,
    OPEN.model_copy(update={"probabilities": "p", "windows": ((0,), (0, 4), (0, 8, 12)), "mirror_axes": (0, 2)}),
    m.Patch(slot=1, start=(0, 8, 16), owned_start=(0, 10, 18), owned_stop=(6, 14, 22)),
    m.Fit(
        folder="f", train=(CASE,), validation=(CASE,), channels=1, class_ids=(3, 7), patch_size=(8, 8, 8),
        widths=(4, 8), down="pool", activation="relu", residual=True, deep_supervision=1, epochs=2, steps=3, batch=2,
        learning_rate=1e-3, weight_decay=0.0, averaging=0.99, foreground=0.5, flip_axes=(2,), seed=1,
    ),
    m.Score(inputs="a.npy", outputs="b.npy"),
    m.Adopt(container="saved_model", source="model", target="model.keras", output="main"),
    m.Cancel(number=3),
]  # fmt: skip
REPORTS = [
    m.Ready(device="CPU", policy="float32", versions="TensorFlow 2"),
    m.Loaded(
        reach=46, instance_statistics=False, bytes_per_voxel=40, flops_per_voxel=1.5e5,
        rewrites=("14 batch normalisations folded",),
    ),
    m.Opened(),
    m.PatchDone(slot=1, start=(0, 0, 0), stop=(1, 1, 1)),
    m.Epoch(epoch=1, epochs=2, figures={"loss": 0.5}, checkpoint="c.npz", best="b.keras"),
    m.Step(done=1, total=2, loss=0.25),
    m.Done(),
    m.Scored(),
    m.Adopted(
        channels=1, scores=3, fixed_size=None, patch_size=(64, 64, 64), multiple=8, reach=46,
        instance_statistics=False, bytes_per_voxel=40, flops_per_voxel=1.5e5, activation="softmax",
        outputs=(m.OutputSeen(name="main", stride=(1.0, 1.0, 2.0), scores=3, problem="coarse"),), chosen="main",
        layers=(("Conv3D", 9),), parameters=5_598, unsure=("activation",), changes=("Channels come last.",),
    ),
    m.Cancelled(number=3),
    m.Failed(problem="model", message="Leberläsion – 肝臓", hint="h"),
]  # fmt: skip


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda r: r.kind)
def test_requests_round_trip(request_):
    line = request_.model_dump_json()
    assert "\n" not in line
    assert m.REQUEST.validate_json(line) == request_


@pytest.mark.parametrize("report", REPORTS, ids=lambda r: r.kind)
def test_reports_round_trip(report):
    line = report.model_dump_json()
    assert "\n" not in line
    assert m.REPORT.validate_json(line) == report


def test_no_message_is_forgotten_here():
    for union, examples in ((m.Request, REQUESTS), (m.Report, REPORTS)):
        assert set(get_args(get_args(union)[0])) == {type(example) for example in examples}


def test_infinite_bounds_survive():
    back = m.REQUEST.validate_json(OPEN.model_dump_json())
    assert (back.intensity[0].low, back.intensity[0].high) == (-math.inf, math.inf)


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_run_that_diverges_can_say_so(loss):
    step = m.REPORT.validate_json(m.Step(done=1, total=2, loss=loss).model_dump_json())
    epoch = m.Epoch(epoch=1, epochs=2, figures={"loss": loss}, checkpoint="c.npz")
    back = m.REPORT.validate_json(epoch.model_dump_json())
    assert str(step.loss) == str(back.figures["loss"]) == str(loss)


@pytest.mark.parametrize(
    "line",
    [
        '{"kind":"nothing"}', '{"kind":"cancel","number":1,"extra":1}', '{"kind":"cancel"}',
        '{"kind":"done_patch","slot":0,"start":[0,0,0],"stop":[1,1,1]}', "noise", "",
    ],
)  # fmt: skip
def test_anything_else_is_refused(line):
    with pytest.raises(ValidationError):
        m.REQUEST.validate_json(line)
