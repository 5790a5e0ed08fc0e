"""Files: the only room where voxels come from or go to disk, and where axes are turned.

Read `registry` first (which format reads what; `folder_kind`, `parts` and `series` where a name is not enough), then
`gate` and `magic` (what is proved before a voxel is shown), then one family of formats:
`nifti` (with `nifti_geometry`, `nifti_time`, `label_table`), the folder `dicom`, `nrrd` and `metaimage` (with
`itk_streams`, `data_files`, `seg_nrrd`), `tiff` (with `tiff_gate`, `tiff_codec`, `ome`), `ome_zarr` (with `ngff`,
`zarr_store`), `hdf5`, `mgh`, `npy`, `slices` (with `png`); then what goes out: `safe_write`, `label_image`, `mesh`,
`volumes_csv`, and for what is larger than memory `label_store` (with `progress_file`) and `scratch`.
Imports core, and the format libraries of one family per format; loaded when needed.
"""
