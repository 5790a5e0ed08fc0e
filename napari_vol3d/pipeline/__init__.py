"""The verbs: `segment`, `train`, `evaluate`, as generators that yield `Progress` and return their result.

May import `core`, `io` and `models`, and of `engine` only its messages: the networks run in a child process that
`child` starts. Never Qt or napari. Read `segment` first, `child` for what happens to the process.
"""
