"""What a latent means, asked of a running explorer: `python docs/examples/api.py http://localhost:8501 "a red car"`."""

from __future__ import annotations

import json
import sys
import urllib.parse
import urllib.request
from typing import Any


def ask(app: str, path: str, **query: object) -> Any:
    """One answer of the API, read as JSON."""
    address = f"{app.rstrip('/')}/api/{path}?{urllib.parse.urlencode(query, doseq=True)}"
    with urllib.request.urlopen(address, timeout=60) as answer:
        return json.load(answer)


def main(app: str, text: str) -> None:
    """Prints the three latents that fit the text best, and the pictures that activate the first two together."""
    store = ask(app, "store")
    print(f"{store['name']}: {store['n_images']:,} images, {store['n_latents']:,} latents")
    search = ask(app, "search", text=text, count=3)
    found = search["latents"]
    if not search["stands_out"]:
        print("meaningless strings of letters find as much")
    for latent in found:
        figures = ask(app, f"latents/{latent['latent']}")
        top = ask(app, f"latents/{latent['latent']}/gallery", count=3)["images"]
        pictures = [ask(app, f"images/{entry['image']}") for entry in top]
        captions = ", ".join(picture["caption"] or picture["source_key"] for picture in pictures)
        print(f"#{latent['latent']} {figures['name'] or 'unnamed'}, cosine {latent['cosine']:.3f}: {captions}")
    both = ask(app, "images", all_of=[latent["latent"] for latent in found[:2]], count=5)
    print(f"active together in {both['n']:,} images: {[entry['image'] for entry in both['images']]}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
