"""DICOM: image series and label objects.

Read `images` first, the door to series (`scan` finds files, `header` and `planes` say what each holds, `groups` tells
volumes apart, `stack` and `geometry` order and place slices, `pixels` with `decode` and `fragments` reads them); then
`labels`, the door to DICOM-SEG and RTSTRUCT (`seg_read`, `frames`, `segments`, `rtstruct`, `reference`), and `seg`,
which writes (with `sources`). Nothing here ever repeats what a file says of the patient.
"""
