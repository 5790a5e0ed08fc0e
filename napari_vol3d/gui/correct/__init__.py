"""The correcting desk: labels under correction, their history, and the tools in hand; read `desk` first."""
