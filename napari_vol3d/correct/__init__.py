"""Corrections: one algorithm a file, arrays in, an `Edit` or the labels of a box out; imports `core` only.

Read `limits` first: what every tool leaves alone.
"""
