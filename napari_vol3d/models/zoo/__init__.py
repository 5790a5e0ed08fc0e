"""BioImage Model Zoo packages, in parts: `description` (rdf.yaml), `tensors`, `steps`, `told`, `example`; `write`.

Read first: `napari_vol3d.models.bioimageio`. Nothing here runs what a package names; no library of the zoo is needed.
"""
