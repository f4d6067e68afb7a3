"""What a person types for an encoder, read into what open_clip loads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import open_clip

from sae_core.errors import EncoderError
from sae_core.references import PRESETS

READS = (
    f"an encoder is a preset ({', '.join(PRESETS)}), MODEL:TAG (ViT-B-32:laion2b_s34b_b79k), hf-hub:ORG/REPO, "
    "or local-dir:FOLDER"
)


@dataclass(frozen=True)
class EncoderReference:
    """An encoder named for open_clip."""

    model: str  # name, or hf-hub:… / local-dir:…
    pretrained: str | None = None  # tag or weights file; None where the model's schema carries the weights
    resize: int | None = None  # short side before the crop, where it differs from the crop

    @classmethod
    def parse(cls, text: str) -> EncoderReference:
        """Reads a preset, `MODEL:TAG`, `hf-hub:…`, `local-dir:…` or a folder. Raises EncoderError."""
        if preset := PRESETS.get(text):
            plain = cls.parse(preset.encoder)
            return cls(plain.model, plain.pretrained, preset.resize)
        if text.startswith("hf-hub:"):
            return cls(text)
        if text.startswith("local-dir:") or (text and Path(text).is_dir()):
            return cls(_folder(text.removeprefix("local-dir:")))
        model, _, pretrained = text.partition(":")
        if not pretrained:
            raise EncoderError(f"{text!r} names no encoder: {READS}")
        reference = cls(model, pretrained)
        reference._check()
        return reference

    def _check(self) -> None:
        """Refuses unknown names, unknown tags, and weights trained with another activation than the model's."""
        config = open_clip.get_model_config(self.model)
        if config is None:
            raise EncoderError(f"open_clip has no model {self.model!r}: {READS}")
        if self.pretrained is None or Path(self.pretrained).is_file():
            return
        tag = open_clip.get_pretrained_cfg(self.model, self.pretrained)
        if not tag:
            known = ", ".join(open_clip.list_pretrained_tags_by_model(self.model)) or "none"
            raise EncoderError(f"{self.model} has no weights {self.pretrained!r} (its tags: {known})")
        self._check_activation(bool(config.get("quick_gelu", False)), bool(tag.get("quick_gelu", False)))

    def _check_activation(self, model_quick: bool, weights_quick: bool) -> None:
        if model_quick == weights_quick:
            return
        plain = self.model.removesuffix("-quickgelu")
        twin = plain if model_quick and plain != self.model else f"{plain}-quickgelu"
        way_out = (
            f"take {twin}:{self.pretrained}" if twin in open_clip.list_models() else "open_clip has no model that fits"
        )
        names = {True: "QuickGELU", False: "GELU"}
        raise EncoderError(
            f"{self.pretrained} weights were trained with {names[weights_quick]} but {self.model} uses "
            f"{names[model_quick]}: {way_out}"
        )


def _folder(path: str) -> str:
    folder = Path(path).expanduser()
    if not (folder / "open_clip_config.json").is_file():
        raise EncoderError(f"{folder} holds no open_clip_config.json: {READS}")
    return f"local-dir:{folder}"
