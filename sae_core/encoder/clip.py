"""Images and texts to unit-norm CLIP embeddings, through open_clip (arXiv 2103.00020, arXiv 2212.07143)."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import open_clip
import torch
from jaxtyping import Float, Shaped, UInt8
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from sae_core.encoder.attached_preprocessing import preprocessing_of
from sae_core.encoder.attention import project_at_once
from sae_core.encoder.compiled import padded_to, recorded
from sae_core.encoder.last_block import pool_alone
from sae_core.encoder.preprocessing import Precision, Preprocessing
from sae_core.encoder.reference import EncoderReference
from sae_core.encoder.texts import Tokenizer, characters_read, encode_tokens
from sae_core.errors import EncoderError, first_line
from sae_core.hub_calls import one_line_of_retries

# On a CPU small batches are as fast, and their layers' outputs fit the cache and the allocator's reuse (32 MB).
_CPU_BATCH = 16
_HALVES = {"bf16": torch.bfloat16, "fp16": torch.float16}
log = logging.getLogger("sparsight")


class ClipEncoder:
    """A CLIP model with its preprocessing; embeddings are unit-norm float32 on the CPU."""

    def __init__(
        self,
        model: torch.nn.Module,
        tokenizer: Tokenizer,
        preprocessing: Preprocessing,
        *,
        reference: str,
        architecture: dict[str, Any],
        precision: Precision = "fp32",
    ) -> None:
        self.model: Any = model.eval().requires_grad_(False)
        self.tokenizer = tokenizer
        self.preprocessing = preprocessing
        self.reference = reference
        self.architecture = architecture
        self.d_embed = int(architecture["embed_dim"])
        self.device = next(model.parameters()).device
        self.precision = precision  # of whole batches of pictures; texts and gradients stay in fp32
        self._compiled: tuple[Callable[[Tensor], Tensor], int] | None = None  # and the size of its batches
        pool_alone(getattr(model, "visual", model))
        if precision != "fp32":
            project_at_once(model.get_submodule("visual"))

    @classmethod
    def load(cls, reference: str, device: str | torch.device = "cpu", precision: Precision = "fp32") -> ClipEncoder:
        """Loads `demo`, a preset, `MODEL:TAG`, `hf-hub:…`, `local-dir:…` or a folder. Raises EncoderError."""
        parsed = EncoderReference.parse(reference)
        try:
            # open_clip only logs when weights are missing; require_pretrained makes that an error.
            with one_line_of_retries():
                model = open_clip.create_model(
                    parsed.model, pretrained=parsed.pretrained, device=device, require_pretrained=True
                )
                tokenizer = open_clip.get_tokenizer(parsed.model)
        except Exception as error:  # open_clip raises many types, network errors among them
            raise EncoderError(f"the encoder {reference} cannot be loaded: {first_line(error)}") from error
        architecture = open_clip.get_model_config(parsed.model)
        preprocessing = preprocessing_of(model, parsed.resize)
        return cls(model, tokenizer, preprocessing, reference=reference, architecture=architecture, precision=precision)

    def encode_images(self, images: Sequence[Image.Image], batch_size: int = 64) -> Float[Tensor, "n d_embed"]:
        """Unit embeddings of RGB pictures, preprocessed as this encoder's store was."""
        pixels = [self.preprocessing.crop_pixels(image.convert("RGB")) for image in images]
        batches = [pixels[start : start + batch_size] for start in range(0, len(pixels), batch_size)]
        encoded = [self.encode_pixels(torch.from_numpy(np.stack(batch))) for batch in batches]
        return torch.cat(encoded) if encoded else torch.zeros(0, self.d_embed)

    def encode_pixels(self, pixels: UInt8[Tensor, "n crop crop 3"]) -> Float[Tensor, "n d_embed"]:
        """Unit embeddings of already cropped pixels."""
        return self.embed_pixels(pixels).cpu()

    @torch.no_grad()
    def embed_pixels(self, pixels: UInt8[Tensor, "n crop crop 3"]) -> Float[Tensor, "n d_embed"]:
        """The same, still on the encoder's device, where they may not be ready yet."""
        step = _CPU_BATCH if self.device.type == "cpu" else max(len(pixels), 1)
        run: Callable[[Tensor], Tensor] = self._in_precision
        if self._compiled is not None:
            compiled, step = self._compiled
            run = padded_to(compiled, step)
        encoded = [run(part.to(self.device, non_blocking=True)) for part in pixels.split(step) if len(part)]
        return torch.cat(encoded) if encoded else torch.zeros(0, self.d_embed, device=self.device)

    def compile(self, batch_size: int) -> bool:
        """Compiles the tower for batches of one size, to which shorter ones are padded; says whether that worked.

        It takes about ten seconds. Where there is no compiler, or it fails, a warning is logged and all stays as it is.
        """
        # Deterministic: kernels are not chosen by timing them, so that a resumed build makes the same bytes.
        compiled = torch.compile(self._in_precision, dynamic=False, options={"deterministic": True})
        crop = self.preprocessing.crop
        pixels = torch.zeros(batch_size, crop, crop, 3, dtype=torch.uint8, device=self.device)
        try:
            with torch.no_grad():
                compiled(pixels)
                self._compiled = recorded(compiled, pixels) if pixels.is_cuda else compiled, batch_size
        except Exception as error:  # whatever a compiler raises, the plain way is there
            log.warning("WARNING: the encoder cannot be compiled and runs slower (%s)", first_line(error))
            return False
        return True

    @property
    def compiled(self) -> bool:
        """Whether it is."""
        return self._compiled is not None

    def embed(self, pixels: Shaped[Tensor, "n crop crop 3"]) -> Float[Tensor, "n d_embed"]:
        """The same in one batch and differentiable: pixels, 0 … 255, may be floats that require gradients."""
        return self._embedded(pixels.to(self.device, non_blocking=True)).cpu()

    def _in_precision(self, pixels: Tensor) -> Tensor:
        half = _HALVES.get(self.precision)
        with torch.autocast(self.device.type, half or torch.bfloat16, enabled=half is not None):
            return self._embedded(pixels)

    def _embedded(self, pixels: Tensor) -> Tensor:
        return F.normalize(self.model.encode_image(self.preprocessing.normalise(pixels)).float(), dim=-1)

    @torch.no_grad()
    def encode_texts(self, texts: Sequence[str], batch_size: int = 256) -> Float[Tensor, "n d_embed"]:
        """Unit embeddings of texts; longer ones are cut at the model's context length (`characters_read`)."""
        if not texts:
            return torch.zeros(0, self.d_embed)
        tokens = self.tokenizer(list(texts)).to(self.device)
        return F.normalize(encode_tokens(self.model, tokens, batch_size), dim=-1)

    def characters_read(self, texts: Sequence[str]) -> list[int]:
        """How many characters of each text, from its start, are encoded; all of one that is not cut."""
        return characters_read(self.tokenizer, texts)

    @cached_property
    def context_length(self) -> int:
        """Tokens that are read of a text, marks of its start and end among them."""
        return int(self.tokenizer([""]).shape[1])

    @cached_property
    def weights_sha256(self) -> str:
        """Hash over all weights, by name."""
        digest = hashlib.sha256()
        for name, value in sorted(self.model.state_dict().items()):
            digest.update(
                name.encode() + value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes()
            )
        return digest.hexdigest()

    @cached_property
    def fingerprint(self) -> str:
        """Hash over weights, architecture and preprocessing: equal exactly where embeddings are comparable."""
        parts = [
            self.weights_sha256,
            json.dumps(self.architecture, sort_keys=True),
            self.preprocessing.model_dump_json(),
        ]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()
