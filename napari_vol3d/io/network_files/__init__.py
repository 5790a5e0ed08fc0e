"""Files that hold networks, read as data: nothing in them is run, and TensorFlow is not needed.

`plain_json` and `plain_zip` (what is proved about JSON and archives), `tree` (about folders), then one module a
container: `keras_zip`, `keras_h5` (in a process of its own, by `h5_apart`), `saved_model`, `tfjs`. They say what is
stored; `models.gate` judges it. All raise `ModelProblem`. Imports core and io; never TensorFlow or Keras.
"""
