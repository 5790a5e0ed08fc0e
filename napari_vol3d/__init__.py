"""napari-vol3d: 3D scans segmented by Conv3D networks, corrected by people.

Read the house top down: `core` (nouns), `io` (files), `models` (what a model is), `engine` (TensorFlow, in a child
process only), `pipeline` (verbs), then `gui` and `cli`.
"""

__version__ = "0.1.0"
