"""Review sessions on the screen: a project's cases one after the other, each as it was left.

Read `session` first (which reading is open, and what becomes of it), then `loading` (a case from its files, in a
thread), `showing` (its layers), `ahead` (the next cases), `clerk` (writing into the project), `clock` (the time a
person works) and `place` (where they left).
"""
