"""Panels: each joins forms, the viewer and a verb."""
