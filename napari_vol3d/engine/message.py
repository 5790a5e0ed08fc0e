"""What all messages on the engine's pipe have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

Triple = tuple[int, int, int]


class Message(BaseModel):
    """One line on the pipe: frozen, nothing unknown in it."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")
