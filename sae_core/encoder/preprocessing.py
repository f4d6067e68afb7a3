"""Preprocessing as data: which crop of a picture an encoder sees, and how pixels become numbers.

The geometry is torchvision's `Resize` + `CenterCrop`, what open_clip builds, and so are the pixels, to one grey level.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Shaped, UInt8
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from sae_core.resizing import Interpolation, resized

if TYPE_CHECKING:
    from torch import Tensor

Triple = tuple[float, float, float]
Precision = Literal["fp32", "bf16", "fp16"]  # that a store's pictures were encoded in
# That JPEGs were decoded with: libjpeg, libjpeg no larger than needed, or nvJPEG.
Decoder = Literal["cpu", "reduced", "gpu"]
_MOST_BESIDE = 4  # times what is kept; of longer pictures nothing else is resampled
_FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


class Frame(NamedTuple):
    """What of a picture is resampled, and to what size."""

    box: tuple[float, float, float, float]  # left, top, right, bottom, in pixels of the source
    size: tuple[int, int]  # width, height of the result


class Preprocessing(BaseModel):
    """What happens between an RGB picture and the vision tower; the store records it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    resize: Annotated[int, Field(gt=0)]  # pixels: short side ("shortest"), both ("squash"), long side ("longest")
    crop: Annotated[int, Field(gt=0)]  # pixels: side of the square that the tower sees, from the centre
    mode: Literal["shortest", "squash", "longest"] = "shortest"
    interpolation: Interpolation = "bicubic"
    fill: Annotated[int, Field(ge=0, le=255)] = 0  # grey level around a picture smaller than the crop
    mean: Triple  # per channel, of pixels in [0, 1]
    std: Triple

    def crop_pixels(self, picture: Image.Image | UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "crop crop 3"]:
        """The square that the encoder sees, of an RGB picture."""
        middle = self._middle(picture)
        (top, height), (left, width) = (_centre(side, self.crop) for side in middle.shape[:2])
        return self._padded(middle[top : top + height, left : left + width])

    def middle(self, picture: Image.Image) -> Image.Image:
        """The part around the crop at the encoder's own scale: small, and `crop_pixels` sees the same pixels of it."""
        return Image.fromarray(self._middle(picture))

    def frame(self, width: int, height: int) -> Frame:
        """What of a picture of this size the encoder sees, without the border of one that is too narrow or too low."""
        resized_width, resized_height = self._resized(width, height)
        left, out_width = _centre(resized_width, self.crop)
        top, out_height = _centre(resized_height, self.crop)
        x_scale, y_scale = width / resized_width, height / resized_height
        box = (left * x_scale, top * y_scale, (left + out_width) * x_scale, (top + out_height) * y_scale)
        return Frame(box, (out_width, out_height))

    @property
    def mean_colour(self) -> UInt8[np.ndarray, "3"]:
        """The encoder's mean colour, to the nearest grey level: what stands for "nothing there"."""
        levels = np.clip(np.rint(np.array(self.mean) * 255), 0, 255)
        return np.asarray(levels, dtype=np.uint8)

    def normalise(self, pixels: Shaped[Tensor, "n crop crop 3"]) -> Float[Tensor, "n 3 crop crop"]:
        """What the vision tower takes, on the pixels' own device; pixels are 0 … 255, whole or not."""
        import torch  # a manifest names its preprocessing, and reading one should not take torch's seconds

        mean = torch.tensor(self.mean, device=pixels.device) * 255
        std = torch.tensor(self.std, device=pixels.device) * 255
        return ((pixels.float() - mean) / std).permute(0, 3, 1, 2)

    def _resized(self, width: int, height: int) -> tuple[int, int]:
        """Size after the resize; torchvision truncates the other side, open_clip's longest mode rounds it."""
        if self.mode == "squash":
            return self.resize, self.resize
        if self.mode == "longest":
            scale = self.resize / max(width, height)
            return max(1, round(width * scale)), max(1, round(height * scale))
        short = min(width, height)
        return int(self.resize * width / short), int(self.resize * height / short)

    def _middle(self, picture: Image.Image | UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "new_h new_w 3"]:
        width, height = picture.size if isinstance(picture, Image.Image) else picture.shape[1::-1]
        whole, most = self._resized(width, height), max(self.resize, self.crop)
        (left, out_width), (top, out_height) = (self._around_crop(side, most) for side in whole)
        if whole[0] * whole[1] > _MOST_BESIDE * out_width * out_height:
            x_scale, y_scale = width / whole[0], height / whole[1]
            box = (left * x_scale, top * y_scale, (left + out_width) * x_scale, (top + out_height) * y_scale)
            image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
            return np.array(image.resize((out_width, out_height), _FILTERS[self.interpolation], box=box))
        pixels = np.array(picture) if isinstance(picture, Image.Image) else picture
        return resized(pixels, whole, self.interpolation)[top : top + out_height, left : left + out_width]

    def _around_crop(self, side: int, most: int) -> tuple[int, int]:
        """Offset and length of at most `most` pixels whose own centre crop is the one of the whole side."""
        if side <= most:
            return 0, side
        return _centre(side, self.crop)[0] - _centre(most, self.crop)[0], most

    def _padded(self, seen: UInt8[np.ndarray, "height width 3"]) -> UInt8[np.ndarray, "crop crop 3"]:
        square = np.full((self.crop, self.crop, 3), self.fill, dtype=np.uint8)
        height, width = seen.shape[:2]
        top, left = (self.crop - height) // 2, (self.crop - width) // 2
        square[top : top + height, left : left + width] = seen
        return square


def _centre(side: int, crop: int) -> tuple[int, int]:
    """Offset and length of a centre crop along one side, rounded as torchvision's CenterCrop does."""
    return (round((side - crop) / 2.0), crop) if side > crop else (0, side)
