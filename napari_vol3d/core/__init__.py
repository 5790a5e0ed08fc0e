"""The nouns, and functions of arrays: no files, no threads, no screen, no networks.

Imports numpy, scipy and scikit-image only. Read `box` and `volume` first (where voxels lie), then `tiles` (how a volume
is cut), `progress` and `errors` (what a verb says); `intensity`, `resample`, `labels`, `metrics` and `amounts` are
functions of arrays, `phantom` makes a stack to try them on. Inside the house every array is (Z, Y, X), channels last.
"""
