"""What is known of Keras' layers and functions, by name: what a voxel of their result depends on.

By name, as `keras.ops` on symbolic tensors have classes of the same names; layers from elsewhere never count.
"""

from __future__ import annotations

IDLE = {  # at inference
    "Dropout", "SpatialDropout3D", "AlphaDropout", "GaussianDropout", "GaussianNoise", "Identity",
    "ActivityRegularization",
}  # fmt: skip
POINTWISE = IDLE | {
    "InputLayer", "BatchNormalization", "Normalization", "Rescaling", "Activation", "Dense", "Add", "Subtract",
    "Multiply", "Average", "Maximum", "Minimum", "Divide", "TrueDivide", "Negative", "Absolute", "Square", "Sqrt",
    "Exp", "Log", "Clip", "Cast", "ReLU", "Relu", "Relu6", "LeakyReLU", "LeakyRelu", "ELU", "Elu", "Selu", "Gelu",
    "Silu", "Sigmoid", "HardSigmoid", "HardSilu", "Softplus", "Softsign", "Tanh", "HardTanh", "Power", "Reciprocal",
    "Rsqrt", "Log1p", "Expm1", "Erf", "Sign", "Round", "Where", "Greater", "GreaterEqual", "Less",
    "LessEqual",
}  # fmt: skip
ALONG_AXIS = {
    "Softmax", "LogSoftmax", "LayerNormalization", "RMSNormalization", "UnitNormalization", "Normalize", "Concatenate",
}
OVER_AXIS = {"Mean", "Sum", "Max", "Min", "Amax", "Amin", "Std", "Var"}  # points, where they gather channels alone
WHOLE_PATCH = {
    "GroupNormalization", "GlobalAveragePooling3D", "GlobalMaxPooling3D", "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling3D", "Attention", "AdditiveAttention", "MultiHeadAttention", "GroupedQueryAttention",
}  # fmt: skip
