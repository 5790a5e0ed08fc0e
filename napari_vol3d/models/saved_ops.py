"""The TensorFlow ops of a SavedModel that `engine.saved_graph` can turn into Keras layers: plain names, no TensorFlow.

All of them compute numbers from numbers. None reads or writes a file, calls Python, opens a connection or makes a
loop; an op that is not listed here is a reason to refuse the file before TensorFlow sees it.
"""

from __future__ import annotations

CONVOLUTION_OPS = frozenset({
    "Conv3D", "Conv3DBackpropInputV2", "SpaceToBatchND", "BatchToSpaceND", "BiasAdd", "MatMul", "BatchMatMul",
    "BatchMatMulV2", "Einsum", "MaxPool3D", "AvgPool3D",
})  # fmt: skip
# In graphs that take volumes alone: of what is done to each slice.
SLICE_OPS = frozenset({"Conv2D", "Conv2DBackpropInput", "DepthwiseConv2dNative", "MaxPool", "AvgPool"})
ELEMENTWISE_OPS = frozenset({
    "Add", "AddV2", "AddN", "Sub", "Mul", "RealDiv", "DivNoNan", "Maximum", "Minimum", "Pow", "SquaredDifference",
    "Relu", "Relu6", "LeakyRelu", "Elu", "Selu", "Softplus", "Softsign", "Tanh", "Sigmoid", "Exp", "Expm1", "Log",
    "Log1p", "Neg", "Abs", "Square", "Sqrt", "Rsqrt", "Reciprocal", "Inv", "Erf", "Erfc", "Floor", "Ceil", "Round",
    "Rint", "Sign", "Softmax", "LogSoftmax", "ClipByValue", "FusedBatchNormV3", "FusedBatchNormV2", "FusedBatchNorm",
})  # fmt: skip
COMPARING_OPS = frozenset({
    "Greater", "GreaterEqual", "Less", "LessEqual", "Equal", "NotEqual", "LogicalAnd", "LogicalOr", "LogicalNot",
    "Select", "SelectV2", "IsNan",
})  # fmt: skip
REDUCING_OPS = frozenset({"Mean", "Max", "Min", "Sum", "Prod", "All", "Any", "ArgMax"})
ARRANGING_OPS = frozenset({
    "ConcatV2", "Split", "SplitV", "Pack", "Unpack", "Tile", "Reshape", "Transpose", "ExpandDims", "Squeeze", "Pad",
    "PadV2", "MirrorPad", "Slice", "StridedSlice", "GatherV2", "BroadcastTo", "ReverseV2",
    "ResizeNearestNeighbor",
})  # fmt: skip
SIZE_OPS = frozenset({  # on shapes and constants only
    "Shape", "ShapeN", "Size", "Rank", "Fill", "Range", "ZerosLike", "OnesLike", "FloorDiv", "FloorMod", "Mod",
    "TruncateDiv", "BroadcastArgs", "InvertPermutation", "ConcatOffset",
})  # fmt: skip
PASSING_OPS = frozenset({
    "Const", "Placeholder", "PlaceholderWithDefault", "Identity", "IdentityN", "StopGradient", "PreventGradient",
    "CheckNumerics", "EnsureShape", "NoOp", "Cast", "Snapshot",
})  # fmt: skip
# Freezing a SavedModel's graph replaces these before it is converted: its functions are put in line, its
# variables become constants, and of branches the one that is taken stays.
FROZEN_OPS = frozenset({
    "VarHandleOp", "ReadVariableOp", "PartitionedCall", "StatefulPartitionedCall", "Switch", "Merge", "VariableV2",
})  # fmt: skip
CONVERTED_OPS = (
    CONVOLUTION_OPS | ELEMENTWISE_OPS | COMPARING_OPS | REDUCING_OPS | ARRANGING_OPS | SIZE_OPS | PASSING_OPS
    | FROZEN_OPS
)  # fmt: skip
# What Keras stores besides the function that predicts, in those that train: drop-out and moving statistics. They are
# harmless, and never part of what is converted.
TRAINING_OPS = frozenset({
    "RandomUniform", "RandomStandardNormal", "StatelessRandomUniformV2", "StatelessRandomNormalV2",
    "StatelessRandomGetKeyCounter", "StatelessRandomGetAlg", "AssignVariableOp", "AssignAddVariableOp",
    "AssignSubVariableOp", "VarIsInitializedOp", "Assign", "AssignAdd", "AssignSub", "RefSwitch", "RefMerge",
    "IsVariableInitialized",
})  # fmt: skip
