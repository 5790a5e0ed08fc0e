"""The training loop: a generator that reports each batch and each epoch and can be stopped at any of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.core.metrics import dice
from napari_vol3d.engine.architectures import UNetDesign, build_unet, main_head
from napari_vol3d.engine.augment import Augmentation
from napari_vol3d.engine.checkpoint import TrainingState, read_checkpoint, write_checkpoint
from napari_vol3d.engine.feed import Case, PatchFeed, open_case
from napari_vol3d.engine.kernel import pad_to_multiple
from napari_vol3d.engine.losses import supervised_deeply
from napari_vol3d.engine.messages import Epoch, Fit, Step

WARM_UP_SHARE = 0.03
STEPS_PER_REPORT = 5


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
    feed = PatchFeed(
        cases=tuple(open_case(case) for case in job.train), patch_size=job.patch_size, classes=len(job.class_ids),
        foreground=job.foreground, augmentation=Augmentation(flip_axes=job.flip_axes), seed=job.seed,
    )  # fmt: skip
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
        figures = {"loss": float(np.mean(losses)), **validate(trainer.average, validation, job)}
        yield _close_epoch(trainer, state, epoch + 1, figures)


def validate(network: keras.Model, cases: tuple[Case, ...], job: Fit) -> dict[str, float]:
    """Give the mean Dice of each class, by "dice <id>", and their mean, over whole validation scans."""
    head = main_head(network)
    scores: dict[int, list[float]] = {class_id: [] for class_id in job.class_ids}
    for case in cases:
        padded = pad_to_multiple(np.asarray(case.image), 2 ** (len(job.widths) - 1))
        logits = head(padded[None], training=False)[0]
        labels = np.argmax(logits, axis=-1)[Box.of(case.labels.shape).slices]
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
