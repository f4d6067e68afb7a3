"""Login by OIDC, where SPARSIGHT_LOGIN asks for it: Streamlit's own for the pages, its cookie for our routes.

Streamlit guards nothing by itself: it says who the visitor is. Our routes have no session, so they read the signed
cookie that Streamlit sets, with the functions that its own logout reads it with.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

import streamlit as st
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.web.server.starlette import starlette_auth_routes as auth
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

LOGIN_VARIABLE = "SPARSIGHT_LOGIN"


def login_required() -> bool:
    """Whether visitors have to log in."""
    return bool(os.environ.get(LOGIN_VARIABLE, "").strip())


def admitted(user: Mapping[str, Any]) -> bool:
    """Whether somebody who is logged in may come in: `1` admits everybody whom the provider knows, anything else is a
    comma-separated list of e-mail addresses and patterns (`*@example.org`), which the provider must have verified.
    """
    if user.get("is_logged_in") is not True:
        return False
    said = os.environ.get(LOGIN_VARIABLE, "").strip().lower()
    if said == "1":
        return True
    address = str(user.get("email") or "").lower()
    verified = user.get("email_verified", True) in (True, "true")  # many providers leave it out
    return bool(address) and verified and any(fnmatchcase(address, part.strip()) for part in said.split(","))


def gate() -> bool:
    """Draws the way in where the visitor is not in yet; True where the page may be shown."""
    if not login_required():
        return True
    user = st.user.to_dict()
    if admitted(user):
        return True
    with st.container(key="way-in"):
        _way_in(user)
    return False


def _way_in(user: Mapping[str, Any]) -> None:
    """What can be done from outside: configure it, log in, or log out again."""
    st.html('<div class="sp-brand"><span class="sp-mark"></span>Sparsight</div>')
    if not st.secrets.get("auth"):
        st.error(
            f"{LOGIN_VARIABLE} is set, but there is no [auth] section in Streamlit's secrets, so nobody can log in."
        )
    elif user.get("is_logged_in"):
        st.markdown("### This explorer is not open to you")
        st.text(f"You are logged in as {user.get('email') or 'somebody without an e-mail address'}.")
        st.button("Log out", on_click=st.logout)
    else:
        st.markdown("### Log in to see this explorer")
        st.caption("It is open to those whom its host has invited.")
        st.button("Log in", on_click=st.login, type="primary")


class LoginForRoutes:
    """Answers 401 on our own routes to whoever is not admitted; Streamlit's own, which log in, pass through."""

    def __init__(self, app: ASGIApp, guarded: Iterable[str]) -> None:
        self._app, self._guarded = app, frozenset(guarded)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Looks at the first part of a path; a base path may stand before it."""
        ours = scope["type"] == "http" and not self._guarded.isdisjoint(scope["path"].split("/"))
        if ours and login_required() and not admitted(_user_of(Request(scope))):
            await PlainTextResponse("log in first\n", 401, {"Cache-Control": "no-store"})(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _user_of(request: Request) -> Mapping[str, Any]:
    """What the signed cookie says; nothing where there is none, or it was made for another origin."""
    said = auth._get_cookie_value_from_request(request, USER_COOKIE_NAME)
    user = json.loads(said) if said else {}
    return user if user and user.get("origin") == auth._get_origin_from_secrets() else {}
