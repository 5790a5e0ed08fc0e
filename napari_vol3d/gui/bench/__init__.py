"""The reading bench: linked views of the same layers, and what is drawn and done in them; read `bench` first."""
