"""Messages are counted on the bytes as protobuf counts the objects it makes of them."""

from __future__ import annotations

from collections import Counter

import pytest

from napari_vol3d.io.network_files.saved_model import message_class
from napari_vol3d.io.network_files.wire import TooManyError, count_messages
from tests.hostile_models import saved_model

INSIDE = {"List": {1: "List", 2: "Leaf"}, "Leaf": {}}


def count(message) -> Counter[str]:
    """Count what protobuf made, by its own listing."""
    counts: Counter[str] = Counter()
    for field, value in message.ListFields():
        items = value if field.is_repeated else [value]
        counts["fields"] += len(items)
        for item in items if field.message_type else ():
            counts[field.message_type.name] += 1
            counts += count(item)
    return counts


def test_all_messages_are_counted_as_protobuf_does(tmp_path):
    content = (saved_model(tmp_path) / "saved_model.pb").read_bytes()
    kind = message_class("SavedModel").DESCRIPTOR
    inside, waiting = {}, [kind]
    while waiting:
        kind = waiting.pop()
        inner = [field for field in kind.fields if field.message_type]
        inside[kind.name] = {field.number: field.message_type.name for field in inner}
        waiting += [field.message_type for field in inner if field.message_type.name not in inside]
    assert count_messages(content, "SavedModel", inside, most={}) == count(
        message_class("SavedModel").FromString(content)
    )


@pytest.mark.parametrize(
    ("content", "leaves", "fields"),
    [
        (b"", 0, 0), (b"\x12\x00" * 3, 3, 3), (b"\x0a\x04\x0a\x02\x12\x00\x12\x00", 2, 4),
        (b"\x08\x96\x01\x12\x00", 1, 2), (b"\x0d1234\x091234567\x12\x1a\x02\x12\x00", 0, 3),
        (b"\x92\x80\x00\x80\x00", 1, 1), (b"\x0a\x80\x80\x00", 0, 1),
    ],
)  # fmt: skip
def test_other_fields_are_skipped(content, leaves, fields):
    counts = count_messages(content, "List", INSIDE, most={})
    assert (counts["Leaf"], counts["fields"]) == (leaves, fields)


@pytest.mark.parametrize(
    "content", [b"\x0a", b"\x0a\x02\x12", b"\x0a\x05\x12\x00", b"\x0b", b"\x0c", b"\x0d123", b"\xff" * 11, b"\x08\x80"]
)
def test_damage_is_noticed(content):
    with pytest.raises(ValueError, match="a "):
        count_messages(content, "List", INSIDE, most={})


def test_it_stops_at_the_first_that_is_too_many():
    damaged = b"\x12\x00" * 4 + b"\xff" * 99
    with pytest.raises(TooManyError, match="more than 3 leafs"):
        count_messages(damaged, "List", INSIDE, most={"Leaf": 3})
    with pytest.raises(TooManyError, match="more than 2 fields"):
        count_messages(damaged, "List", INSIDE, most={"fields": 2})


def test_no_depth_is_too_deep():
    content = b""
    for _ in range(2000):
        length = len(content)
        content = b"\x0a" + bytes([length & 0x7F | 0x80, length >> 7 & 0x7F | 0x80, length >> 14]) + content
    assert count_messages(content, "List", INSIDE, most={})["List"] == 2000
