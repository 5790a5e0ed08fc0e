"""The command line: `napari-vol3d segment | train | evaluate | models | info | demo`.

One file a command, each with `add` (its arguments) and `run`. `main` parses, and reports errors once. The verbs
themselves live in `pipeline`; nothing here computes.
"""
