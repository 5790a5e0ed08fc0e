"""DICOM: image series and label objects.

Read `door` first; then `images` for series (`scan` finds files, `header` and `planes` say what each holds, `groups`
tells volumes apart, `stack` and `geometry` order and place slices, `pixels` with `decode` and `fragments` reads them);
then `labels` for DICOM-SEG and RTSTRUCT (`seg_read`, `frames`, `segments`, `rtstruct`, `reference`), and `seg`,
which writes (with `sources`). Nothing here ever repeats what a file says of the patient.
"""
