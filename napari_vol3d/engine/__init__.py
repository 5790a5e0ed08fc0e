"""The engine: the only room with TensorFlow and Keras, and it runs in a child process only.

May import `core` and `models`; never Qt, napari or files of scans. Read `messages` first (what is said to it and what
it says), then `__main__` and `process` (the child), `cage` (what it can't do), `kernel` (one function for every run),
and `fit`.
TensorFlow is loaded by `runtime.start` and by nothing else, so importing this package costs nothing.
"""
