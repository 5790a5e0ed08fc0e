"""The screen: the only room with napari and Qt, and the owner of the annotations.

May import everything but `engine`; TensorFlow never comes into this process. Read `hooks` first (what the manifest
names), then `workbench` (the dock), `panels/segment`, and `jobs` for how a verb runs without freezing the window.
"""
