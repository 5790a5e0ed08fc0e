"""N files of a series dropped at once are one scan, one question, one refusal; dropped again, they are a second try."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image
from qtpy.QtWidgets import QMessageBox

from napari_vol3d.gui import hooks, siblings
from napari_vol3d.gui.consent import open_drops_here
from napari_vol3d.gui.part_choice import PartChoice
from napari_vol3d.gui.siblings import Siblings, siblings_of
from napari_vol3d.io.registry import read_volume
from tests.builders import phantom, save_nifti
from tests.gui.conftest import PLUGIN, drop
from tests.gui.test_drops import choose, complaints, settle, told
from tests.gui.test_hooks import Answer
from tests.io.dicom_phantom import series
