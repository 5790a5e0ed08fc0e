"""Forms: plain Qt editors with `value()`, `setValue()` and `valueChanged`; they know no viewer."""
