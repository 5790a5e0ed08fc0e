"""Files: the only room where voxels come from or go to disk, and where axes are turned.

Read `registry` first (which format reads what), then `gate` (what is proved before a voxel is shown), then one format:
`nifti` (with `nifti_geometry`, `label_table`), `tiff` (with `tiff_gate`, `tiff_codec`, `ome`), `npy` or
`ome_zarr`; then `safe_write`, and for what is larger than memory `label_store` (with `progress_file`) and `scratch`.
Imports core, and the format libraries of one family per format; loaded when needed.
"""
