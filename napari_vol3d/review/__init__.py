"""What people do to labels, kept on the disk: no screen, no network of neurons; imports core, io and SQLAlchemy.

Read `journal` first (edits of label layers in a SQLite file), then `records` and `line` (what a row says, and how rows
become a history), `replay`, `writer` (the thread that makes each edit durable within a second) with `fallback`, then
`damage`, `lock` and `schema`. Loading this room takes a quarter of a second: import it when it is needed.
"""
