"""Rows of a small form, shown and hidden with what stands before them."""

from __future__ import annotations

from qtpy.QtWidgets import QComboBox, QFormLayout, QWidget

LETTERS = 12  # of a choice that are seen in any case


def small_form(parent: QWidget) -> QFormLayout:
    """Lay out the options of a tool, close together: the dock is narrow."""
    layout = QFormLayout(parent)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setVerticalSpacing(4)
    # Some styles leave fields as narrow as their content.
    layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return layout


def show_row(layout: QFormLayout, field: QWidget, shown: bool) -> None:
    """Show or hide a row; Qt 5 has no function for it."""
    field.setVisible(shown)
    label = layout.labelForField(field)
    if label is not None:
        label.setVisible(shown)


def narrow(box: QComboBox, letters: int = LETTERS) -> QComboBox:
    """Let a box be narrower than its longest choice; its list is as wide as it has to be."""
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(letters)
    return box
