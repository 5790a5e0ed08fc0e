"""Files: the only room where voxels come from or go to disk, and where axes are turned.

Read `registry` first (which format reads what), then `gate` (what is proved before a voxel is shown), then one
format module, then `safe_write`. Imports core, and one format library per format module; loaded when needed.
"""
