"""What a network may be made of: the names that pass the gate. Whatever is not here is refused by its name."""

from __future__ import annotations

from napari_vol3d.models.saved_ops import CONVERTED_OPS, TRAINING_OPS

MODELS = frozenset({"Functional", "Model", "Sequential"})
LAYERS = frozenset({
    "InputLayer", "Conv3D", "Convolution3D", "Conv3DTranspose", "Convolution3DTranspose", "Deconvolution3D", "Conv1D",
    "MaxPooling3D", "MaxPool3D", "AveragePooling3D", "AvgPool3D", "GlobalAveragePooling3D", "GlobalAvgPool3D",
    "GlobalMaxPooling3D", "GlobalMaxPool3D", "AdaptiveAveragePooling3D", "AdaptiveMaxPooling3D", "UpSampling3D",
    "ZeroPadding3D", "Cropping3D", "Dropout", "SpatialDropout3D", "AlphaDropout", "GaussianDropout", "GaussianNoise",
    "Activation", "ReLU", "LeakyReLU", "ELU", "PReLU", "Softmax", "BatchNormalization", "BatchNormalizationV1",
    "SyncBatchNormalization", "LayerNormalization", "GroupNormalization", "RMSNormalization", "UnitNormalization",
    "SpectralNormalization", "Normalization", "Rescaling", "Add", "Subtract", "Multiply", "Average", "Maximum",
    "Minimum", "Concatenate", "Dot", "Dense", "EinsumDense", "Flatten", "Reshape", "Permute", "RepeatVector",
    "Identity", "ActivityRegularization", "Attention", "MultiHeadAttention", "TimeDistributed",
})  # fmt: skip
# What TimeDistributed may call for each slice of a volume; nowhere else.
BY_SLICE = "TimeDistributed"
SLICE_LAYERS = frozenset({
    "Conv2D", "Convolution2D", "Conv2DTranspose", "Convolution2DTranspose", "DepthwiseConv2D", "SeparableConv2D",
    "SeparableConvolution2D", "MaxPooling2D", "MaxPool2D", "AveragePooling2D", "AvgPool2D", "UpSampling2D",
    "ZeroPadding2D", "Cropping2D", "SpatialDropout2D", "GlobalAveragePooling2D", "GlobalMaxPooling2D",
})  # fmt: skip
# Layers that are not Keras' own, but so common in 3D networks that `engine.stand_ins` has an equal of each.
STAND_INS = frozenset({
    "InstanceNormalization", "Swish", "Mish", "Addons>InstanceNormalization", "Addons>GroupNormalization",
    "Addons>Mish", "Addons>GELU", "Addons>WeightNormalization", "ThresholdedReLU",
})  # fmt: skip
FUNCTION_LAYERS = frozenset({"TFOpLambda", "Custom>TFOpLambda", "SlicingOpLambda"})
INITIALIZERS = frozenset({
    "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform", "Ones",
    "Zeros", "Orthogonal", "OrthogonalInitializer", "RandomNormal", "RandomUniform", "TruncatedNormal",
    "VarianceScaling", "IdentityInitializer",
})  # fmt: skip
REGULARIZERS = frozenset({"L1", "L2", "L1L2", "OrthogonalRegularizer"})
CONSTRAINTS = frozenset({"MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm"})
POLICIES = frozenset({"DTypePolicy", "FloatDTypePolicy", "DTypePolicyMap", "Policy"})
VALUES = frozenset({
    "__keras_tensor__", "__numpy__", "__tensor__", "__tuple__", "__slice__", "__ellipsis__", "__complex__",
})  # fmt: skip
ACTIVATIONS = frozenset({
    "celu", "elu", "exponential", "gelu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh",
    "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu",
    "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus",
    "swish", "tanh", "tanh_shrink", "threshold",
})  # fmt: skip

# Keras 3 stores a call of one of its functions as an object of these classes, of modules below keras.src.ops.
OPS = frozenset({
    "Absolute", "Abs", "Add", "Amax", "Amin", "Any", "All", "Argmax", "Average", "BroadcastTo", "Cast", "Ceil", "Clip",
    "Concatenate", "Divide", "DivideNoNan", "Dot", "Einsum", "Elu", "Equal", "Erf", "Exp", "ExpandDims", "Expm1",
    "Flip", "Floor", "FloorDivide", "Gelu", "GetItem", "Greater", "GreaterEqual", "HardSigmoid", "HardSilu", "HardTanh",
    "LayerNorm", "LeakyRelu", "Less", "LessEqual", "Log", "Log1p", "LogSigmoid", "LogSoftmax", "LogicalAnd",
    "LogicalNot", "LogicalOr", "Logsumexp", "Matmul", "Max", "Maximum", "Mean", "Min", "Minimum", "Mod", "Moments",
    "Moveaxis", "Multiply", "Negative", "Normalize", "NotEqual", "OnesLike", "Pad", "Power", "Prod", "Reciprocal",
    "Relu", "Relu6", "Repeat", "Reshape", "RMSNorm", "Roll", "Round", "Rsqrt", "Selu", "Sigmoid", "Sign", "Silu",
    "Slice", "Softmax", "Softplus", "Softsign", "Split", "Sqrt", "Square", "SquaredDifference", "Squeeze", "Stack",
    "Std", "StopGradient", "Subtract", "Sum", "Swapaxes", "Take", "Tanh", "Tile", "Transpose", "TrueDivide", "Unstack",
    "Var", "Where", "ZerosLike", "Conv", "ConvTranspose", "MaxPool", "AveragePool", "BatchNorm",
})  # fmt: skip
# Keras 2 stores a call of one of TensorFlow's functions in a TFOpLambda or SlicingOpLambda, by these names.
FUNCTIONS = frozenset({
    "__operators__.add", "__operators__.getitem", "abs", "add", "add_n", "cast", "clip_by_value",
    "compat.v1.ones_like", "compat.v1.pad", "compat.v1.squeeze", "compat.v1.transpose", "compat.v1.zeros_like",
    "concat", "divide", "exp", "expand_dims", "greater", "greater_equal", "identity",
    "keras.activations.hard_sigmoid", "keras.activations.relu", "keras.backend.hard_sigmoid", "keras.backend.relu",
    "less", "less_equal", "linalg.matmul", "math.abs", "math.add", "math.add_n", "math.divide", "math.divide_no_nan",
    "math.erf", "math.exp", "math.greater", "math.greater_equal", "math.less", "math.less_equal", "math.log",
    "math.log1p", "math.log_sigmoid", "math.maximum", "math.minimum", "math.multiply", "math.negative", "math.pow",
    "math.reciprocal", "math.reduce_max", "math.reduce_mean", "math.reduce_min", "math.reduce_std", "math.reduce_sum",
    "math.reduce_variance", "math.rsqrt", "math.sigmoid", "math.softplus", "math.sqrt", "math.square",
    "math.squared_difference", "math.subtract", "math.tanh", "math.truediv", "maximum", "minimum", "multiply",
    "negative", "nn.avg_pool3d", "nn.batch_normalization", "nn.elu", "nn.gelu", "nn.leaky_relu", "nn.log_softmax",
    "nn.max_pool3d", "nn.relu", "nn.relu6", "nn.selu", "nn.sigmoid", "nn.silu", "nn.softmax", "nn.softplus",
    "nn.softsign", "nn.swish", "nn.tanh", "ones_like", "pad", "pow", "reduce_max", "reduce_mean", "reduce_min",
    "reduce_sum", "repeat", "reshape", "sigmoid", "split", "sqrt", "square", "squeeze", "stack", "stop_gradient",
    "subtract", "tanh", "tile", "transpose", "truediv", "unstack", "where", "zeros_like",
})  # fmt: skip

# Of the saver that TensorFlow adds to each SavedModel; allowed there and nowhere else.
FILE_OPS = frozenset({"RestoreV2", "SaveV2", "MergeV2Checkpoints"})
NAME_OPS = frozenset({"ShardedFilename", "StringJoin", "StaticRegexFullMatch"})
SAVER_OPS = FILE_OPS | NAME_OPS
# Beyond what can be converted: what else Keras stores around a network. All compute numbers from numbers.
AROUND_OPS = frozenset({
    "DisableCopyOnRead", "Assert", "If", "StatelessIf", "Erfinv", "RandomUniformInt", "StatelessRandomUniform",
    "StatelessRandomNormal", "StatelessRandomUniformFullIntV2", "StatelessTruncatedNormalV2", "TruncatedNormal",
    "Bitcast", "OneHot", "Cumsum", "BroadcastGradientArgs", "ReluGrad", "SigmoidGrad", "TanhGrad", "EluGrad",
    "SoftplusGrad", "LeakyReluGrad", "BiasAddGrad",
})  # fmt: skip
ALLOWED_OPS = CONVERTED_OPS | TRAINING_OPS | AROUND_OPS | SAVER_OPS
