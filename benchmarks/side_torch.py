"""The PyTorch side of `inference.py`, in a process of its own: the same network, and MONAI around it."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from common import cores
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from napari_vol3d.core.intensity import IntensityMap

NORM_EPSILON = 1e-3  # Keras' default
Arrays = list[NDArray[np.float32]]
_held: dict[str, nn.Module] = {}


class UNet(nn.Module):
    """The U-Net of `napari_vol3d.engine.architectures`, channels first, with the weights of a Keras one.

    Parameters
    ----------
    weights : mapping of str to list of ndarray
        By the name of the Keras layer, as `get_weights` gives them.
    leak : float
        Slope of the rectifiers below 0.
    """

    def __init__(self, weights: dict[str, Arrays], leak: float) -> None:
        super().__init__()
        self.levels = sum(name.startswith("up") for name in weights)
        self.parts = nn.ModuleDict({name: _layer(name, arrays) for name, arrays in weights.items()})
        self.leak = leak

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Give logits (batch, K, z, y, x) for (batch, C, z, y, x)."""
        skips = []
        for level in range(self.levels):
            batch = self._block(batch, f"encode{level}")
            skips.append(batch)
            batch = functional.max_pool3d(batch, 2)
        batch = self._block(batch, "bottom")
        for level in reversed(range(self.levels)):
            batch = torch.cat([self.parts[f"up{level}"](batch), skips.pop()], dim=1)
            batch = self._block(batch, f"decode{level}")
        return self.parts["logits0"](batch)

    def _block(self, batch: torch.Tensor, name: str) -> torch.Tensor:
        first = self._activate(self.parts[f"{name}_1_norm"](self.parts[f"{name}_1"](batch)))
        second = self.parts[f"{name}_2_norm"](self.parts[f"{name}_2"](first))
        if f"{name}_match" in self.parts:  # residual
            second = second + self.parts[f"{name}_match"](batch)
        return self._activate(second)

    def _activate(self, batch: torch.Tensor) -> torch.Tensor:
        if self.leak:
            return functional.leaky_relu(batch, self.leak, inplace=True)
        return functional.relu(batch, inplace=True)


def _layer(name: str, arrays: Arrays) -> nn.Module:
    if name.endswith("_norm"):
        gamma, beta, mean, variance = (torch.from_numpy(array.copy()) for array in arrays)
        norm = nn.BatchNorm3d(len(gamma), eps=NORM_EPSILON)
        state = {"weight": gamma, "bias": beta, "running_mean": mean, "running_var": variance}
        norm.load_state_dict(state, strict=False)  # it also counts batches
        return norm
    kernel, *bias = arrays
    # Keras: (z, y, x, in, out), transposed (z, y, x, out, in). PyTorch: (out, in, z, y, x), transposed (in, out, ...).
    turned = torch.from_numpy(np.ascontiguousarray(kernel.transpose(4, 3, 0, 1, 2)))
    if name.startswith("up"):
        layer: nn.Module = nn.ConvTranspose3d(*turned.shape[:2], kernel_size=2, stride=2, bias=bool(bias))
    else:
        edge = kernel.shape[0]
        layer = nn.Conv3d(turned.shape[1], turned.shape[0], edge, padding=edge // 2, bias=bool(bias))
    layer.load_state_dict({"weight": turned} | ({"bias": torch.from_numpy(bias[0].copy())} if bias else {}))
    return layer


def hold(name: str, weights: dict[str, Arrays], leak: float) -> None:
    """Build the network and keep it under `name`."""
    torch.set_num_threads(cores())
    _held[name] = UNet(weights, leak).eval()


def scores(name: str, patch: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give the logits (z, y, x, K) of a normalised patch (z, y, x)."""
    with torch.inference_mode():
        return _held[name](torch.from_numpy(patch)[None, None])[0].permute(1, 2, 3, 0).numpy()


def monai(
    name: str, volume: NDArray[Any], intensity: IntensityMap, roi: int, batch: int
) -> tuple[float, NDArray[np.uint8]]:
    """Segment with MONAI's sliding window: overlap 0.25, Gaussian; give seconds too."""
    from monai.inferers import sliding_window_inference

    began = time.perf_counter()
    with torch.inference_mode():
        scan = torch.from_numpy(intensity.apply(volume))[None, None]
        blended = sliding_window_inference(scan, (roi,) * 3, batch, _held[name], overlap=0.25, mode="gaussian")
        labels = blended.argmax(dim=1)[0].to(torch.uint8).numpy()
    return time.perf_counter() - began, labels
