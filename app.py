"""The ASGI app: Streamlit, our own routes and the headers that Streamlit does not send. `streamlit run app.py`.

Streamlit's page script is explorer/main.py, not this file: a `pages/` folder beside the page script would switch on
Streamlit's old page discovery, and a cold deep link would then run without the frame.
"""

from __future__ import annotations

import gc
from importlib import import_module

import streamlit as st
from starlette.middleware import Middleware

from explorer.early import EarlyStyle
from explorer.login import LoginForRoutes
from explorer.middleware import AllowedHosts, SecurityHeaders, content_security_policy, hosts_from_environment
from explorer.routes import guarded_parts, routes
from explorer.threads import one_thread_for_products
from explorer.uploads import keep_uploads_in_memory

# Streamlit collects garbage after every script run. What the pages need is imported now and frozen, so that torch,
# FAISS and pandas stay out of that walk (5 ms instead of 50-80 ms a rerun) and nobody waits for them. torch goes
# first: FAISS lives with its libraries.
for name in (
    "torch",
    "faiss",
    "pandas",
    "pyarrow.parquet",
    "plotly.graph_objects",
    "open_clip",
    "sae_core.encoder.clip",
):
    import_module(name)
VIEWS = ("home", "latents", "latent", "map", "pictures", "inspection", "where", "compare", "energy", "neighbourhood")
for name in (*VIEWS, "heads", "collection", "notes", "quality"):
    import_module(f"explorer.views.{name}")

keep_uploads_in_memory()
one_thread_for_products()
app = st.App(
    "explorer/main.py",
    routes=routes(),
    middleware=[
        Middleware(AllowedHosts, hosts=hosts_from_environment()),
        Middleware(SecurityHeaders, policy=content_security_policy()),
        Middleware(LoginForRoutes, guarded=guarded_parts()),
        Middleware(EarlyStyle),
    ],
)

gc.collect()
gc.freeze()
