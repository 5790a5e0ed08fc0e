"""TensorFlow's SavedModel, read as protocol buffers: which ops are in it, and where file names come from.

Only the fields that a judgement needs are declared here; everything else is skipped. TensorFlow is not imported.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.io.network_files.plain_json import AGAIN
from napari_vol3d.io.network_files.wire import TooManyError, count_messages

MOST = {"Node": 200_000, "Function": 20_000, "Object": 200_000, "fields": 2_000_000}
SMALLER = "Ask its maker for the network alone, as .keras."
MOST_AXES = 32
MOST_NUMBERS = 1 << 62  # of one array: nothing stores so many

# Field number, name, type ("*": repeated). Names are bytes: not all that TensorFlow reads is UTF-8. Maps are repeated
# entries, so that a key that comes twice is seen twice.
_MESSAGES: dict[str, tuple[tuple[int, str, str], ...]] = {
    "SavedModel": ((2, "graphs", "*MetaGraph"),),
    "MetaGraph": (
        (2, "graph", "Graph"), (3, "saver", "Saver"), (6, "assets", "*Asset"), (7, "objects", "Objects"),
    ),
    "Graph": ((1, "node", "*Node"), (2, "library", "Library")),
    "Library": ((1, "function", "*Function"),),
    "Function": ((1, "signature", "OpDef"), (3, "node", "*Node")),
    "OpDef": ((1, "name", "bytes"), (2, "argument", "*Argument")),
    "Argument": ((1, "name", "bytes"),),
    "Node": ((1, "name", "bytes"), (2, "op", "bytes"), (3, "input", "*bytes"), (5, "attr", "*AttrEntry")),
    "AttrEntry": ((1, "key", "bytes"), (2, "value", "Attr")),
    "Attr": ((7, "shape", "Shape"), (8, "tensor", "Tensor"), (10, "func", "Func"), (1, "list", "AttrList")),
    "AttrList": ((8, "tensor", "*Tensor"), (9, "func", "*Func")),
    "Func": ((1, "name", "bytes"), (2, "attr", "*AttrEntry")),
    "Tensor": ((2, "shape", "Shape"), (4, "content", "bytes"), (8, "strings", "*bytes")),
    "Shape": ((2, "dim", "*Dim"),),
    "Dim": ((1, "size", "int"),),
    "Saver": ((1, "filename", "bytes"), (2, "save", "bytes"), (3, "restore", "bytes")),
    "Asset": ((2, "filename", "bytes"),),
    "Objects": ((1, "node", "*Object"), (2, "function", "*FunctionEntry")),
    "FunctionEntry": ((1, "key", "bytes"),),
    "Object": (
        (5, "asset", "Empty"), (7, "variable", "Variable"), (10, "resource", "Empty"), (16, "saver", "bytes"),
    ),
    "Variable": ((2, "shape", "Shape"), (6, "name", "bytes")),
    "Empty": (),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One op: the names of its inputs, of the functions it calls, what it holds as a constant, and how many axes."""

    name: str
    op: str
    inputs: tuple[str, ...]
    calls: tuple[str, ...]
    strings: tuple[str, ...] = ()
    elements: int = 0
    content: int = 0
    axes: int = 0  # of what it gives, where that is said


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Nodes by name that belong together: a function with its arguments, or what lies outside of all functions."""

    name: str
    arguments: tuple[str, ...]
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """One graph of a SavedModel.

    Attributes
    ----------
    saver : tuple of str
        Names of the nodes that take the file name, save, and restore.
    reachable : tuple of str
        Functions that the object graph hands out: they can be called at load, or by name.
    objects : tuple of str
        Kinds of objects that bring more than numbers: "asset", "resource", "saver".
    assets : tuple of str
    variables : tuple of (str, int)
        Names of the variables, and the numbers that each declares. Keras' `export` stores each twice.
    """

    top: Part
    functions: tuple[Part, ...]
    saver: tuple[str, str, str]
    reachable: tuple[str, ...]
    objects: tuple[str, ...]
    assets: tuple[str, ...]
    variables: tuple[tuple[str, int], ...]


def read_saved_model(content: bytes, name: str) -> tuple[Graph, ...]:
    """Read the graphs of a `saved_model.pb`.

    Raises
    ------
    ModelProblem
        If it is none, or holds more than any network needs.
    """
    try:
        count_messages(content, "SavedModel", _inside(), most=MOST)
        model = message_class("SavedModel").FromString(content)
    except TooManyError as error:
        raise ModelProblem(f"Too large a graph: {name} has {error}.", hint=SMALLER) from error
    except (message.DecodeError, ValueError) as error:
        raise ModelProblem(f"Damaged SavedModel: {name} can't be read.", hint=AGAIN) from error
    graphs = tuple(_graph(graph) for graph in model.graphs)
    if not any(graph.top.nodes or graph.functions for graph in graphs):
        raise ModelProblem(f"Empty SavedModel: there is no graph in {name}.", hint=AGAIN)
    return graphs


def _graph(stored: Any) -> Graph:
    saver = stored.saver
    found = stored.objects.node
    kinds = [kind for kind in ("asset", "resource", "saver") if any(item.HasField(kind) for item in found)]
    return Graph(
        top=Part(name="", arguments=(), nodes=tuple(_node(node) for node in stored.graph.node)),
        functions=tuple(_function(function) for function in stored.graph.library.function),
        saver=(_word(saver.filename), _word(saver.save), _word(saver.restore)),
        reachable=tuple(_word(entry.key) for entry in stored.objects.function),
        objects=tuple(kinds),
        assets=tuple(_word(asset.filename) for asset in stored.assets),
        variables=tuple(
            (_word(item.variable.name), _elements(item.variable.shape)) for item in found if item.HasField("variable")
        ),
    )


def _function(stored: Any) -> Part:
    signature = stored.signature
    return Part(
        name=_word(signature.name), arguments=tuple(_word(argument.name) for argument in signature.argument),
        nodes=tuple(_node(node) for node in stored.node),
    )  # fmt: skip


def _node(stored: Any) -> Node:
    tensors, calls = _attributes(stored.attr)
    return Node(
        name=_word(stored.name), op=_word(stored.op), inputs=tuple(_word(x) for x in stored.input), calls=calls,
        strings=tuple(_word(text) for tensor in tensors for text in tensor.strings),
        elements=sum(_elements(tensor.shape) for tensor in tensors),
        content=sum(len(tensor.content) for tensor in tensors),
        axes=max((len(entry.value.shape.dim) for entry in stored.attr if entry.key == b"shape"), default=0),
    )  # fmt: skip


def _attributes(attributes: Any) -> tuple[list[Any], tuple[str, ...]]:
    """Give the tensors and the names of functions in attributes, and in those of functions."""
    tensors: list[Any] = []
    calls: list[str] = []
    waiting = [entry.value for entry in attributes]
    while waiting:
        value = waiting.pop()
        functions = [*([value.func] if value.HasField("func") else []), *value.list.func]
        tensors += [*([value.tensor] if value.HasField("tensor") else []), *value.list.tensor]
        calls += [_word(function.name) for function in functions]
        waiting += [entry.value for function in functions for entry in function.attr]
    return tensors, tuple(calls)


def _elements(shape: Any) -> int:
    if len(shape.dim) > MOST_AXES:
        return MOST_NUMBERS
    return min(math.prod(max(int(dim.size), 0) for dim in shape.dim), MOST_NUMBERS)


def _word(text: bytes) -> str:
    return text.decode("utf-8", "replace")


def message_class(name: str) -> Any:
    """Give the class of a message: "SavedModel", "Node" ...; only the fields above are known to it."""
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"vol3d.{name}"))


@cache
def _inside() -> dict[str, dict[int, str]]:
    """Give the kinds of messages in each kind of message, by their field numbers."""
    return {
        kind: {number: plain for number, _, stored in fields if (plain := stored.lstrip("*")) in _MESSAGES}
        for kind, fields in _MESSAGES.items()
    }


@cache
def _pool() -> Any:
    """Describe the messages, in a pool of their own: TensorFlow's may be in the process too."""
    file = descriptor_pb2.FileDescriptorProto(name="vol3d_saved_model.proto", package="vol3d", syntax="proto2")
    for kind, fields in _MESSAGES.items():
        described = file.message_type.add(name=kind)
        for number, field, type_name in fields:
            _describe(described.field.add(name=field, number=number), type_name)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


def _describe(field: Any, type_name: str) -> None:
    kinds = {"bytes": field.TYPE_BYTES, "int": field.TYPE_INT64}
    field.label = field.LABEL_REPEATED if type_name.startswith("*") else field.LABEL_OPTIONAL
    plain = type_name.lstrip("*")
    field.type = kinds.get(plain, field.TYPE_MESSAGE)
    if plain not in kinds:
        field.type_name = f".vol3d.{plain}"
