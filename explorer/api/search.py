"""What needs the encoder: words, and a picture of one's own where the server allows it."""

from __future__ import annotations

import os
from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.concurrency import run_in_threadpool

from explorer.api.answers import FoundLatent, SearchAnswer
from explorer.api.image_answers import UploadAnswer
from explorer.api.images import code_answer, similar_images
from explorer.api.latents import similar_latent
from explorer.api.queue import admitted, search_control
from explorer.models import cut_texts, embed_texts, encoder
from explorer.stores import current_store
from explorer.uploads import MAX_MEGABYTES, reduced
from explorer.views.cells import number_or_none
from explorer.views.latents_query import LatentsQuery
from explorer.views.rankings import text_ranking
from explorer.waiting import ENCODER
from sae_core.store.records import SparseCode

UPLOADS_VARIABLE = "SPARSIGHT_API_UPLOADS"
N_NEAREST = 12
router = APIRouter(tags=["search"])


@router.get("/search")
def search(
    text: Annotated[str, Query(min_length=1, max_length=300)],
    count: Annotated[int, Query(ge=1, le=200)] = 20,
    against: Literal["centroids", "directions"] = "centroids",
) -> SearchAnswer:
    """Latents for a text: cosine of its CLIP embedding with each latent's gallery centroid, or with its direction."""
    store = current_store()
    query = LatentsQuery(text=text, by="" if against == "centroids" else against)
    with admitted():
        ranking = text_ranking(store, query, lambda texts: embed_texts(store, texts))
    cut, scores, z = cut_texts(store, [text]), ranking.scores, ranking.z_scores
    best = np.argsort(-np.nan_to_num(scores, nan=-2), kind="stable")[:count]
    return SearchAnswer(
        n_characters=cut[0].n_read if cut else len(text),
        control=search_control(ranking.chance),
        stands_out=ranking.stands_out,
        latents=[
            FoundLatent(
                **similar_latent(store, latent, float(scores[latent])).model_dump(), z=number_or_none(z[latent])
            )
            for latent in best.tolist()
            if np.isfinite(scores[latent])
        ],
    )


@router.post("/encode", openapi_extra={"requestBody": {"required": True, "content": {"image/*": {}}}})
async def encode_upload(request: Request) -> UploadAnswer:
    """The sparse code of the picture in the body. 403 unless the server was started with SPARSIGHT_API_UPLOADS=1."""
    if os.environ.get(UPLOADS_VARIABLE) != "1":
        raise HTTPException(403, f"uploads are switched off here ({UPLOADS_VARIABLE}=1 allows them)")
    data = await _body(request)
    with admitted():
        return await run_in_threadpool(_encoded, data)


async def _body(request: Request) -> bytes:
    """The body, in memory only. Raises 413 as soon as it is too long, whatever the header said."""
    limit = MAX_MEGABYTES * 2**20
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise HTTPException(413, f"a picture may have {MAX_MEGABYTES} MB")
        parts.append(part)
    return b"".join(parts)


def _encoded(data: bytes) -> UploadAnswer:
    store = current_store()
    picture = reduced(store.manifest.encoder.preprocessing, data)
    with ENCODER.turn():  # behind and before the visitors of the pages
        embedding = encoder(store).encode_images([picture.middle])[0].numpy()
    kept = store.encode(embedding)
    rebuilt = kept.activations @ store.decoder_rows[kept.latents] + store.decoder_bias
    active = kept.activations > 0
    return UploadAnswer(
        code=code_answer(store, SparseCode(kept.latents[active], kept.activations[active])),
        cosine=float(embedding @ rebuilt / max(float(np.linalg.norm(rebuilt)), 1e-12)),
        notes=list(picture.notes),
        nearest=similar_images(store, embedding, N_NEAREST),
    )
