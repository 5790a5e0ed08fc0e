"""What a model is, without TensorFlow: `card` (the description), `store` (where models are), `bundled/` (ours).

May import `core` and `io`; never TensorFlow or Keras.
"""
