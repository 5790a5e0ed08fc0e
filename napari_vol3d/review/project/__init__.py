"""A project: a worklist of cases in one SQLite file, with predictions, readings and accepted versions.

A project is a journal with more tables, so corrections of all its cases lie in the same file. Read `records` first
(what a case, a reading, a version is), then `tables`, `store` (the file), `accepting` (immutable versions), then what
is done with it: `gather` (finding cases), `agreement`, `export`, `figures` and `report`. It imports what review may:
core, io and SQLAlchemy; neither an engine nor a screen.
"""
