"""The training loop: a generator that reports each batch and each epoch and can be stopped at any of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.core.metrics import dice
from napari_vol3d.core.patch import read_patch
from napari_vol3d.core.tiles import plan_tiles
from napari_vol3d.engine.architectures import UNetDesign, build_unet, main_head
from napari_vol3d.engine.augment import Augmentation
from napari_vol3d.engine.checkpoint import TrainingState, read_checkpoint, write_checkpoint
from napari_vol3d.engine.feed import Case, PatchFeed, open_case
from napari_vol3d.engine.losses import supervised_deeply
from napari_vol3d.engine.messages import Epoch, Fit, Step

WARM_UP_SHARE = 0.03
STEPS_PER_REPORT = 5
CALIBRATION_PATCHES = 32
VALIDATION_VOXELS = 4_000_000  # of one patch; about 2 GB with 16 filters


class Trainer:
    """A network, its optimiser and its running average."""

    def __init__(self, job: Fit) -> None:
        design = UNetDesign(
            channels=job.channels, classes=len(job.class_ids), widths=job.widths, down=job.down,
            activation=job.activation, residual=job.residual, deep_supervision=job.deep_supervision,
        )  # fmt: skip
        keras.utils.set_random_seed(job.seed)
        self.job = job
        self.network = build_unet(design)
        # Inference runs in float32, so the average that is kept is a float32 network from the start.
        policy = keras.config.dtype_policy()
        keras.config.set_dtype_policy("float32")
        self.average = build_unet(design)
        keras.config.set_dtype_policy(policy)
        self.average.set_weights(self.network.get_weights())
        schedule = keras.optimizers.schedules.CosineDecay(
            job.learning_rate / 20, max(1, job.epochs * job.steps - self._warm_up), alpha=0.01,
            warmup_target=job.learning_rate, warmup_steps=self._warm_up,
        )  # fmt: skip
        self.optimizer: keras.optimizers.Optimizer = keras.optimizers.AdamW(
            schedule, weight_decay=job.weight_decay, global_clipnorm=12.0
        )
        if policy.name == "mixed_float16":
            self.optimizer = keras.optimizers.LossScaleOptimizer(self.optimizer)
        self.optimizer.build(self.network.trainable_variables)
        # Weight averaging makes the last digits of Dice; it starts short and reaches its full memory later.
        self.momentum = tf.Variable(0.0, trainable=False)
        self.step = tf.function(self._step, jit_compile=False)

    @property
    def _warm_up(self) -> int:
        return math.ceil(WARM_UP_SHARE * self.job.epochs * self.job.steps)

    def _step(self, image: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            outputs = self.network(image, training=True)
            loss = supervised_deeply(labels, outputs if isinstance(outputs, list) else [outputs])
            scaled = self.optimizer.scale_loss(loss)
        weights = self.network.trainable_variables
        self.optimizer.apply(tape.gradient(scaled, weights), weights)
        for kept, new in zip(self.average.variables, self.network.variables, strict=True):
            if kept.dtype == "float32":
                kept.assign(kept + (1 - self.momentum) * (tf.cast(new, tf.float32) - kept))
        return loss

    def remember(self, steps_done: int) -> None:
        """Set how much of the average survives a step."""
        self.momentum.assign(min(self.job.averaging, (1 + steps_done) / (10 + steps_done)))

    @property
    def arrays(self) -> dict[str, list[NDArray[np.float32]]]:
        """Everything that a resumed run needs, by group."""
        return {name: [np.asarray(v) for v in values] for name, values in self._groups.items()}

    def restore(self, arrays: dict[str, list[NDArray[np.float32]]]) -> None:
        """Put back what `arrays` gave.

        Raises
        ------
        ModelProblem
            If the arrays are those of another network.
        """
        mine = self._groups
        if {name: [v.shape for v in values] for name, values in arrays.items()} != {
            name: [tuple(v.shape) for v in values] for name, values in mine.items()
        }:
            raise ModelProblem(
                "The checkpoint is of another network than the settings describe.",
                hint="Resume with the settings of the first run, or start again in another folder.",
            )
        for name, variables in mine.items():
            for variable, value in zip(variables, arrays[name], strict=True):
                variable.assign(value)

    @property
    def _groups(self) -> dict[str, list[Any]]:
        return {
            "network": self.network.variables, "average": self.average.variables,
            "optimizer": self.optimizer.variables,
        }  # fmt: skip


def fit(job: Fit) -> Iterator[Epoch | Step]:
    """Train as `job` says.

    Yields
    ------
    Step or Epoch
        After each few batches, and after each epoch, with the checkpoint just written and, where the mean Dice of the
        validation scans has never been better, the network.
    """
    trainer, state = Trainer(job), TrainingState()
    if job.checkpoint:
        state, arrays = read_checkpoint(Path(job.checkpoint))
        trainer.restore(arrays)
    changes = Augmentation(
        flip_axes=job.flip_axes, rotation_deg=job.rotation_deg, scaling=job.scaling, elastic=job.elastic,
        intensity=job.intensity_changes,
    )  # fmt: skip
    feed = PatchFeed(
        cases=tuple(open_case(case) for case in job.train), patch_size=job.patch_size, classes=len(job.class_ids),
        foreground=job.foreground, augmentation=changes, seed=job.seed,
    )  # fmt: skip
    plain = replace(feed, augmentation=Augmentation(spatial=0.0, intensity=0.0))
    validation = tuple(open_case(case) for case in job.validation)
    for epoch in range(state.epoch, job.epochs):
        losses = []
        data = feed.dataset(epoch * job.steps * job.batch, job.steps * job.batch, job.batch)
        for number, (image, labels) in enumerate(data):
            trainer.remember(epoch * job.steps + number)
            losses.append(trainer.step(image, labels))
            if (number + 1) % STEPS_PER_REPORT == 0:
                done = epoch * job.steps + number + 1
                yield Step(done=done, total=job.epochs * job.steps, loss=float(losses[-1]))
        recalibrate(trainer.average, plain)
        figures = {"loss": float(np.mean(losses)), **validate(trainer.average, validation, job)}
        yield _close_epoch(trainer, state, epoch + 1, figures)


def recalibrate(network: keras.Model, feed: PatchFeed) -> None:
    """Measure the statistics of batch normalisation anew, on patches as they are.

    Those gathered in training belong to augmented patches and to other weights than the averaged ones; on the
    hippocampus scans this alone raises the mean Dice by 0.001 (Izmailov et al. 2018, "bn_update").
    """
    layers = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    momenta = [layer.momentum for layer in layers]
    means = [np.zeros(layer.moving_mean.shape) for layer in layers]
    squares = [np.zeros(layer.moving_mean.shape) for layer in layers]
    for layer in layers:
        layer.momentum = 0.0  # a pass leaves just its own statistics behind
    for number in range(CALIBRATION_PATCHES):
        network(feed.patch(number)[0][None], training=True)
        for index, layer in enumerate(layers):
            mean = np.asarray(layer.moving_mean)
            means[index] += mean / CALIBRATION_PATCHES
            squares[index] += (np.asarray(layer.moving_variance) + mean**2) / CALIBRATION_PATCHES
    for layer, momentum, mean, square in zip(layers, momenta, means, squares, strict=True):
        layer.momentum = momentum
        layer.moving_mean.assign(mean)
        layer.moving_variance.assign(np.maximum(square - mean**2, 0))


def predict(network: keras.Model, case: Case, multiple: int) -> NDArray[np.uint16]:
    """Give the class numbers (z, y, x) of a whole scan, tile by tile where it is large."""
    shape = Box.of(case.labels.shape).shape
    plan = plan_tiles(shape, multiple=multiple, halo=3 * multiple, most_voxels=VALIDATION_VOXELS)
    head, labels = main_head(network), np.zeros(shape, np.uint16)
    for tile in plan:
        patch = read_patch(lambda box: np.asarray(case.image[box.slices]), tile.patch, shape)
        numbers = np.argmax(head(patch[None], training=False)[0], axis=-1)
        z, y, x = tile.patch.start
        labels[tile.core.slices] = numbers[tile.core.shifted((-z, -y, -x)).slices]
    return labels


def validate(network: keras.Model, cases: tuple[Case, ...], job: Fit) -> dict[str, float]:
    """Give the mean Dice of each class, by "dice <id>", and their mean, over whole validation scans."""
    scores: dict[int, list[float]] = {class_id: [] for class_id in job.class_ids}
    for case in cases:
        labels = predict(network, case, 2 ** (len(job.widths) - 1))
        for index, class_id in enumerate(job.class_ids, start=1):
            value = dice(labels == index, np.asarray(case.labels) == index)
            if value is not None:
                scores[class_id].append(value)
    means = {f"dice {class_id}": float(np.mean(values)) for class_id, values in scores.items() if values}
    return {**means, "mean dice": float(np.mean(list(means.values())))} if means else {}


def _close_epoch(trainer: Trainer, state: TrainingState, epoch: int, figures: dict[str, float]) -> Epoch:
    folder = Path(trainer.job.folder)
    best = None
    score = figures.get("mean dice", -figures["loss"])
    if score > state.best:
        state.best, state.best_epoch = score, epoch
        best = str(folder / f"best-{epoch % 2}.keras")
        main_head(trainer.average).save(best)
    state.epoch = epoch
    state.history.append({"epoch": epoch, **figures})
    # Two names in turn: the parent may still be copying the last one.
    checkpoint = folder / f"checkpoint-{epoch % 2}.npz"
    write_checkpoint(checkpoint, state, trainer.arrays)
    return Epoch(epoch=epoch, epochs=trainer.job.epochs, figures=figures, checkpoint=str(checkpoint), best=best)
