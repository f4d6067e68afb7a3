"""What an SAE left unexplained of embeddings that it was trained on, and of those held out: kept beside its weights."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

NAME = "training.json"


class TrainingRecord(BaseModel):
    """FVU about the mean of all embeddings (sae_core.metrics)."""

    model_config = ConfigDict(extra="ignore")

    n_embeddings: int = Field(ge=1)  # trained on
    n_held_out: int = Field(ge=1)
    fvu: float = Field(ge=0, allow_inf_nan=False)
    fvu_held_out: float = Field(ge=0, allow_inf_nan=False)

    def save(self, folder: Path) -> None:
        """Writes it into an SAE's folder."""
        (folder / NAME).write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")


def recorded(folder: Path) -> TrainingRecord | None:
    """That of an SAE's folder; None where there is none, or none that can be read."""
    try:
        return TrainingRecord.model_validate_json((folder / NAME).read_bytes())
    except (OSError, ValidationError):
        return None
