"""Predict here again: the model runs once more in a box; what a person corrected stays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from napari.layers import Image
from qtpy.QtCore import Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QWidget

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import ScanMismatch, Vol3dError
from napari_vol3d.core.volume import Volume
from napari_vol3d.correct.limits import Held
from napari_vol3d.correct.naming import LETTERS
from napari_vol3d.gui.bench.planes import Axis
from napari_vol3d.gui.correct.again import Again, box_around, deepened, ids_in, maker_of, predict_again
from napari_vol3d.gui.correct.box_tool import hint
from napari_vol3d.gui.correct.channels import Asked, Channels, scan_for, seen_by
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tool import MouseTool, Place, Task, Verb
from napari_vol3d.gui.engines import EngineKeeper
from napari_vol3d.gui.forms.rows import narrow, small_form
from napari_vol3d.gui.layers import to_volume
from napari_vol3d.models.store import Model
from napari_vol3d.pipeline.settings import SegmentSettings

IN_VIEW, DRAWN = 0, 1  # places in the Where box
MOST = 2  # rectangles: a box has no more faces than two can tell
STEP = "Predict here again"  # in the history
HOW = "Or drag a rectangle in a view; a second one on another slice gives the depth."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rectangle:
    axis: Axis
    index: int
    box: Box  # one slice thick


class PredictHere(MouseTool):
    """Runs a model again where the labels are wrong.

    Parameters
    ----------
    keeper : EngineKeeper
        Of the window: the engine is shared with whole runs, one of which goes first.
    chosen : callable
        Gives the model that is chosen for whole runs.
    settings : callable
        Gives the settings of whole runs.
    channels : callable
        Gives the layers that are chosen as channels for whole runs.

    Attributes
    ----------
    box : Box or None
        What was drawn, as deep as it will be.
    """

    title = "Predict here"
    key = "P"
    tip = "Run the model again in a box; what you corrected and locked classes stay"
    by_model = True
    nothing = "The model predicts the same here. What you corrected, and locked classes, it leaves."

    boxChanged = Signal()

    def __init__(
        self, keeper: EngineKeeper, chosen: Callable[[], Model | None], settings: Callable[[], SegmentSettings],
        channels: Asked = Channels, parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._keeper, self._chosen, self._settings, self._channels = keeper, chosen, settings, channels
        self._rectangles: tuple[_Rectangle, ...] = ()
        self._from: Place | None = None  # where the rectangle that is drawn now began
        self._draft: _Rectangle | None = None
        self.box: Box | None = None
        self.where = narrow(QComboBox(), 8)  # the button beside it needs the room
        self.where.addItems(["What is in view", "The drawn box"])
        self.where.setToolTip("In view: around this slice, as deep as the model's field of view")
        self.model = QComboBox()
        self.model.setToolTip("The model that made these labels, or the one that is chosen in Segment")
        self.model.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.clear = QPushButton("Clear")
        self.clear.setToolTip("Take the drawn box away")
        self.words = hint(self)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.where, 1)
        row.addWidget(self.clear)
        layout = small_form(self)
        layout.addRow("Where", row)
        layout.addRow("Model", self.model)
        layout.addRow(self.words)
        self.where.currentIndexChanged.connect(self._on_where)
        self.model.currentIndexChanged.connect(self._fit)
        self.clear.clicked.connect(self.forget)
        self._tell()

    # ---- in hand ----------------------------------------------------------------------------------------------------

    def begun(self, desk: Desk) -> None:
        """Follow the desk, and wake the engine: TensorFlow takes seconds, and the person still looks for the place."""
        super().begun(desk)
        desk.recordChanged.connect(self._on_record)
        settings = self._settings()
        self._keeper.get(settings.device, settings.precision)
        self._on_record()

    def ended(self) -> None:
        """Take the box off the canvas."""
        if self.desk is not None:
            self.desk.recordChanged.disconnect(self._on_record)
        self.forget()
        super().ended()

    def forget(self) -> None:
        """Take back what was drawn."""
        self._rectangles, self._from, self._draft = (), None, None
        self.where.setCurrentIndex(IN_VIEW)
        self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        """List the models as they are now: another may have been chosen in Segment meanwhile."""
        super().showEvent(event)
        self.list_models()

    def list_models(self) -> None:
        """Offer the model that made the labels, then the one that is chosen in Segment."""
        record = self.desk.record if self.desk is not None else None
        made, chosen = None if record is None else maker_of(record.layer), self._chosen()
        offered = [] if made is None else [(f"{made.card.title}, as before", made)]
        if chosen is not None and chosen != made:
            offered.append((f"{chosen.card.title}, chosen in Segment", chosen))
        before = self.model.currentData()
        if [self.model.itemData(place) for place in range(self.model.count())] == [model for _, model in offered]:
            return
        self.model.blockSignals(True)
        self.model.clear()
        for title, model in offered:
            self.model.addItem(title, model)
        models = [model for _, model in offered]
        self.model.setCurrentIndex(models.index(before) if before in models else 0 if models else -1)
        self.model.blockSignals(False)
        self._fit()

    # ---- the mouse --------------------------------------------------------------------------------------------------

    def press(self, place: Place) -> None:
        """Begin a rectangle."""
        self._from = place

    def drag(self, places: Sequence[Place]) -> None:
        """Draw it up to the mouse."""
        if self._from is None or not places:
            return
        self._draft = _rectangle(self._from, places[-1])
        self._fit()

    def release(self) -> None:
        """Take it; one on the slice of another takes its place, a third one begins anew."""
        draft, self._draft, self._from = self._draft, None, None
        if draft is not None and min(draft.box.shape[axis] for axis in range(3) if axis != draft.axis) > 1:
            self._rectangles = self._with(draft)
            self.where.setCurrentIndex(DRAWN)
            self.optionsChanged.emit()
        self._fit()

    def cancel(self) -> None:
        """Drop the rectangle that is drawn now."""
        self._draft = self._from = None
        self._fit()

    # ---- work -------------------------------------------------------------------------------------------------------

    def verb(self, task: Task) -> Verb:
        """Give the run in the box.

        Raises
        ------
        Vol3dError
            If there is no scan, no model or no box, or the model's classes are not those of the labels.
        """
        self.list_models()
        record, model = self._record(), self._model()
        scan = seen_by(model.card, self._image(), self._channels()).frame(record.frame)
        made = maker_of(record.layer)
        ids = ids_in(model.card, record.classes(), same=made is not None and made == model)
        settings, box = self._settings(), self._box(task, scan, model)
        run = Again(scan=scan, model=model, settings=settings, box=box, ids=ids)
        held: Held = {**task.held, "guarded": task.corrected}
        engine = self._keeper.get(settings.device, settings.precision)
        return predict_again(task.labels, run, engine=engine, name=self._name(box, task), **held)

    def let_go(self) -> None:
        """Take the box off the canvas."""
        self.forget()

    # ---- within -----------------------------------------------------------------------------------------------------

    def _with(self, rectangle: _Rectangle) -> tuple[_Rectangle, ...]:
        kept = [old for old in self._rectangles if (old.axis, old.index) != (rectangle.axis, rectangle.index)]
        return (*(kept if len(kept) < MOST else []), rectangle)

    def _record(self) -> Record:
        record = self.desk.record if self.desk is not None else None
        if record is None:
            raise Vol3dError("There are no labels to correct.", hint="Run Segment, or open labels.")
        return record

    def _model(self) -> Model:
        model = self.model.currentData()
        if model is None:
            raise Vol3dError("There is no model.", hint="Choose one in Segment.")
        return model

    def _scan(self) -> Volume:
        """Give the scan whose grid the labels have, whatever else the model sees."""
        return to_volume(self._image()).frame(self._record().frame)

    def _image(self) -> Image:
        image = None if self.desk is None else scan_for(self.desk, self.model.currentData())
        if image is None:
            raise ScanMismatch("There is no scan on the grid of these labels.", hint="Open the scan that they are of.")
        return image

    def _box(self, task: Task, scan: Volume, model: Model) -> Box:
        if self.where.currentIndex() == IN_VIEW:
            box = deepened(task.in_view, task.axis, task.index, scan, model.card)
        elif self._rectangles:
            box = box_around([each.box for each in self._rectangles], scan, model.card)
        else:
            raise Vol3dError("No box is drawn yet.", hint="Drag a rectangle in a view.")
        if not box.size:
            raise Vol3dError("The box lies beside the scan.", hint="Draw it over the scan, or bring the scan in view.")
        return box

    def _name(self, box: Box, task: Task) -> str:
        drawn = self.where.currentIndex() == DRAWN
        axis = self._rectangles[-1].axis if drawn else task.axis
        first, last = box.start[axis], box.stop[axis] - 1
        return f"{STEP}, {LETTERS[axis]} {first}" + f"-{last}" * (last > first)

    def _on_record(self) -> None:
        self.forget()
        self.list_models()

    def _on_where(self) -> None:
        self._fit()
        self.optionsChanged.emit()

    def _fit(self, *_: object) -> None:
        """Bring the box to what was drawn; where scan or model are missing it is as flat as it was drawn."""
        drawn = self._rectangles if self.where.currentIndex() == DRAWN else ()
        box = self._around(drawn if self._draft is None else self._with(self._draft))
        if box != self.box:
            self.box = box
            self.boxChanged.emit()
        self._tell()

    def _around(self, drawn: Sequence[_Rectangle]) -> Box | None:
        if not drawn:
            return None
        try:
            return box_around([each.box for each in drawn], self._scan(), self._model().card)
        except Vol3dError:
            return drawn[-1].box

    def _tell(self) -> None:
        self.clear.setEnabled(bool(self._rectangles))
        record = self.desk.record if self.desk is not None else None
        self.words.setText(HOW if self.box is None or record is None else _say(self.box, record))


def _rectangle(first: Place, last: Place) -> _Rectangle:
    """Give the voxels between two places, on the slice of the first."""
    box = _voxel(first, first).joined(_voxel(last, first))
    return _Rectangle(axis=first.axis, index=first.index, box=box)


def _voxel(place: Place, on: Place) -> Box:
    z, y, x = (on.index if axis == on.axis else round(v) for axis, v in enumerate(place.voxel))
    return Box(start=(z, y, x), stop=(z + 1, y + 1, x + 1))


def _say(box: Box, record: Record) -> str:
    spans = zip(LETTERS, box.start, box.stop, strict=True)
    size = " x ".join(f"{n * edge:.3g}" for n, edge in zip(box.shape, record.spacing, strict=True))
    return f"{', '.join(f'{letter} {a}-{b - 1}' for letter, a, b in spans)}: {size} {record.unit}"
