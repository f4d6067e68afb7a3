"""assets/demo/NOTICE.md: where everything is from, in which version, under which licence."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from index_builder.demo.features import Pictures
from index_builder.demo.packages import PACKAGES, STAMPS, fetch
from index_builder.demo.uploads import PHOTOGRAPHS

_HEAD = """# What the embedded default is made of

Made by `python -m index_builder.demo`; docs/demo.md says how.

| package | version | what we take | licence |
|---|---|---|---|
"""
_FLUENT = """
## Fluent emoji (pictures `emoji_*`) and the weights trained on them

MIT License. Copyright (c) Microsoft Corporation.

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without
limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the
Software, and to permit persons to whom the Software is furnished to do so, subject to the following
conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions
of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED
TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL
THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF
CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER
DEALINGS IN THE SOFTWARE.

The same text holds for emojibase-data, Copyright (c) Miles Johnson, from which the emoji's captions are.

## Open clip art (pictures `clipart_*`)

Dedicated to the public domain by their authors (Open Clip Art Library, release 0.18, as Debian packages it).
Each picture's file is named in its sample's `source`.

## The encoder's trunk

EfficientNet-Lite0 weights from the package above, Apache License 2.0 (<https://www.apache.org/licenses/LICENSE-2.0>),
trained on ImageNet. We changed them: the classifier is replaced by a projection, numbers are
rounded to float16. Projection, text tower and SAE are ours, trained on the pictures above.

## Photographs in `uploads/`

From scikit-image, whose documentation states the rights:

| file | picture | licence |
|---|---|---|
"""


def write_notice(scratch: Path, assets: Path) -> Path:
    """Writes the notice for the assets that are there."""
    shipped = [package for package in PACKAGES if package is not STAMPS]
    rows = [f"| `{p.name}` ({p.client}) | {fetch(p, scratch)} | {p.use} | {p.license} |" for p in shipped]
    photographs = [f"| {Path(p.name).stem}.jpg | {p.title} | {p.license} |" for p in PHOTOGRAPHS]
    pictures = Pictures.read(assets / "pictures.tar")
    counts = Counter(key.split("_")[0] for key in pictures.keys)
    share = ", ".join(f"{count} `{kind}_*`" for kind, count in sorted(counts.items()))
    text = _HEAD + "\n".join(rows) + f"\n\n`pictures.tar` holds {len(pictures.keys)} pictures: {share}.\n" + _FLUENT
    out = assets / "NOTICE.md"
    out.write_text(text + "\n".join(photographs) + "\n")
    return out
