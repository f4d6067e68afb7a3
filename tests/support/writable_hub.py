"""A local server that speaks the hub's protocol for data sets, writing included: repositories, branches, preupload,
LFS objects, commits, trees and files with ranges. The client on the other side is the real one."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.serving import serving

_LARGE = 4096  # bytes from which a file goes by LFS
Files = dict[str, bytes]


@dataclass
class Repository:
    """Commits and branches; the first commit is empty."""

    private: bool
    commits: dict[str, Files] = field(default_factory=lambda: {"0" * 40: {}})
    branches: dict[str, str] = field(default_factory=lambda: {"main": "0" * 40})

    def at(self, revision: str) -> tuple[str, Files] | None:
        """A commit and its files."""
        commit = self.branches.get(revision, revision)
        return (commit, self.commits[commit]) if commit in self.commits else None


@dataclass
class Hub:
    """What the server holds, and what tests look at and break."""

    token: str = "hf_right"
    repositories: dict[str, Repository] = field(default_factory=dict)
    objects: Files = field(default_factory=dict)  # LFS, by hash
    gated: set[str] = field(default_factory=set)
    uploaded: list[str] = field(default_factory=list)  # hashes, in the order in which they came
    sent: list[str] = field(default_factory=list)  # paths of files that were sent, whole or in part
    fail_after: int | None = None  # uploads or downloads until the server breaks every connection
    endpoint: str = ""

    def files(self, repo: str, revision: str = "main") -> Files:
        """The files of a repository."""
        found = self.repositories[repo].at(revision)
        assert found
        return found[1]

    def breaks(self) -> bool:
        """Counts down to the moment at which nothing works any more."""
        if self.fail_after is None:
            return False
        self.fail_after -= 1
        return self.fail_after < 0


@contextmanager
def serve(hub: Hub) -> Iterator[Hub]:
    """Serves on a free port of this machine."""
    with serving(Starlette(routes=_routes(hub))) as address:
        hub.endpoint = address
        yield hub


def _routes(hub: Hub) -> list[Route]:
    handlers = _Handlers(hub)
    of = "/api/datasets/{org}/{name}"
    return [
        Route("/api/repos/create", handlers.create, methods=["POST"]),
        Route("/api/validate-yaml", handlers.valid, methods=["POST"]),
        Route(of, handlers.info),
        Route(of + "/revision/{revision}", handlers.info),
        Route(of + "/tree/{revision}", handlers.tree),
        Route(of + "/tree/{revision}/{path:path}", handlers.tree),
        Route(of + "/paths-info/{revision}", handlers.paths, methods=["POST"]),
        Route(of + "/branch/{branch}", handlers.branch, methods=["POST"]),
        Route(of + "/preupload/{revision}", handlers.preupload, methods=["POST"]),
        Route(of + "/commit/{revision}", handlers.commit, methods=["POST"]),
        Route("/datasets/{org}/{name}.git/info/lfs/objects/batch", handlers.batch, methods=["POST"]),
        Route("/objects/{oid}", handlers.store, methods=["PUT"]),
        Route("/datasets/{org}/{name}/resolve/{revision}/{path:path}", handlers.file, methods=["GET", "HEAD"]),
    ]


class _Handlers:
    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    async def create(self, request: Request) -> Response:
        if not self._known(request):
            return _refused(401, "Unauthorized")
        said = await request.json()
        repo = f"{said['organization']}/{said['name']}"
        answer = {"url": f"{self.hub.endpoint}/datasets/{repo}", "id": repo, "name": repo}
        if repo in self.hub.repositories:
            return JSONResponse(answer, 409)
        self.hub.repositories[repo] = Repository(
            private=bool(said.get("private")) or said.get("visibility") == "private"
        )
        return JSONResponse(answer)

    async def valid(self, _request: Request) -> Response:
        return JSONResponse({"errors": [], "warnings": []})

    async def info(self, request: Request) -> Response:
        found = self._found(request)
        if isinstance(found, Response):
            return found
        repo, commit, files = found
        siblings = [{"rfilename": name} for name in files]
        said = {"id": repo, "sha": commit, "siblings": siblings, "private": self.hub.repositories[repo].private}
        return JSONResponse({**said, "tags": [], "downloads": 0, "likes": 0, "disabled": False})

    async def tree(self, request: Request) -> Response:
        found = self._found(request)
        if isinstance(found, Response):
            return found
        folder = f"{request.path_params['path']}/" if request.path_params.get("path") else ""
        below = {name: data for name, data in found[2].items() if name.startswith(folder)}
        if request.query_params.get("recursive", "").lower() in ("1", "true"):
            return JSONResponse([_entry(name, data) for name, data in below.items()])
        folders = {folder + name[len(folder) :].split("/")[0] for name in below if "/" in name[len(folder) :]}
        listed: list[dict[str, Any]] = [
            {"type": "directory", "path": one, "oid": "0" * 40, "size": 0} for one in folders
        ]
        return JSONResponse(
            listed + [_entry(name, data) for name, data in below.items() if "/" not in name[len(folder) :]]
        )

    async def paths(self, request: Request) -> Response:
        found = self._found(request)
        if isinstance(found, Response):
            return found
        form = parse_qs((await request.body()).decode())
        asked = form["paths"] if form.get("paths") else (await request.json())["paths"]
        return JSONResponse([_entry(name, found[2][name]) for name in asked if name in found[2]])

    async def branch(self, request: Request) -> Response:
        repository = self.hub.repositories[_repo(request)]
        name = request.path_params["branch"]
        if name in repository.branches:
            return _refused(409, "Conflict")
        repository.branches[name] = repository.branches["main"]
        return JSONResponse({})

    async def preupload(self, request: Request) -> Response:
        found = self._found(request, writing=True)
        if isinstance(found, Response):
            return found
        files = [
            {
                "path": one["path"],
                "uploadMode": "lfs" if one["size"] >= _LARGE else "regular",
                "shouldIgnore": False,
                "oid": _oid(found[2][one["path"]]) if one["path"] in found[2] else None,
            }
            for one in (await request.json())["files"]
        ]
        return JSONResponse({"files": files})

    async def batch(self, request: Request) -> Response:
        objects = [
            {**one, "actions": {"upload": {"href": f"{self.hub.endpoint}/objects/{one['oid']}"}}}
            if one["oid"] not in self.hub.objects
            else one
            for one in (await request.json())["objects"]
        ]
        return JSONResponse({"transfer": "basic", "objects": objects})

    async def store(self, request: Request) -> Response:
        if self.hub.breaks():
            return _refused(400, "Broken")
        data, oid = await request.body(), request.path_params["oid"]
        assert hashlib.sha256(data).hexdigest() == oid
        self.hub.objects[oid] = data
        self.hub.uploaded.append(oid)
        return Response()

    async def commit(self, request: Request) -> Response:
        found = self._found(request, writing=True)
        if isinstance(found, Response):
            return found
        repo, parent, files = found
        lines = [json.loads(line) for line in (await request.body()).splitlines()]
        files = _changed(dict(files), lines, self.hub.objects)
        header = lines[0]["value"]
        if header.get("parentCommit") not in (None, parent):
            return _refused(412, "PreconditionFailed")
        oid = hashlib.sha1(repr((parent, sorted(files.items()))).encode()).hexdigest()
        repository = self.hub.repositories[repo]
        repository.commits[oid] = files
        repository.branches[request.path_params["revision"]] = oid
        url = f"{self.hub.endpoint}/datasets/{repo}/commit/{oid}"
        return JSONResponse({"commitOid": oid, "commitUrl": url, "pullRequestUrl": None, "success": True})

    async def file(self, request: Request) -> Response:
        found = self._found(request)
        if isinstance(found, Response):
            return found
        repo, commit, files = found
        if repo in self.hub.gated:
            return _refused(403, "GatedRepo")
        name = request.path_params["path"]
        if name not in files:
            return _refused(404, "EntryNotFound")
        return self._sent(request, name, files[name], commit)

    def _sent(self, request: Request, name: str, data: bytes, commit: str) -> Response:
        asked = request.headers.get("range", "bytes=0-").removeprefix("bytes=").split("-")
        start, end = int(asked[0]), min(int(asked[1] or len(data) - 1), len(data) - 1) + 1
        headers = {"ETag": f'"{_oid(data)}"', "X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
        if request.method == "HEAD":
            return Response(headers={**headers, "Content-Length": str(len(data))})
        self.hub.sent.append(name)
        if self.hub.breaks():
            return _refused(400, "Broken")
        if start or end < len(data):
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(data)}"
        return Response(data[start:end], 206 if "Content-Range" in headers else 200, headers)

    def _known(self, request: Request) -> bool:
        return request.headers.get("authorization") == f"Bearer {self.hub.token}"

    def _found(self, request: Request, writing: bool = False) -> Response | tuple[str, str, Files]:
        repo = _repo(request)
        repository = self.hub.repositories.get(repo)
        if repository is None or (repository.private and not self._known(request)):
            return _refused(401, "RepoNotFound")
        if writing and not self._known(request):
            return _refused(403, "Forbidden")
        found = repository.at(request.path_params.get("revision", "main"))
        return (repo, *found) if found else _refused(404, "RevisionNotFound")


def _changed(files: Files, lines: list[dict[str, Any]], objects: Files) -> Files:
    for line in lines[1:]:
        value = line["value"]
        if line["key"] == "file":
            files[value["path"]] = base64.b64decode(value["content"])
        elif line["key"] == "lfsFile":
            files[value["path"]] = objects[value["oid"]]
        elif line["key"] == "deletedFile":
            del files[value["path"]]
    return files


def _repo(request: Request) -> str:
    return f"{request.path_params['org']}/{request.path_params['name']}"


def _oid(data: bytes) -> str:
    """Git's hash of a small file, SHA-256 of a large one, as the hub has them."""
    if len(data) >= _LARGE:
        return hashlib.sha256(data).hexdigest()
    return hashlib.sha1(f"blob {len(data)}\0".encode() + data).hexdigest()


def _entry(name: str, data: bytes) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "path": name, "size": len(data), "oid": _oid(data)}
    if len(data) >= _LARGE:
        entry["lfs"] = {"oid": _oid(data), "size": len(data), "pointerSize": 130}
    return entry


def _refused(status: int, code: str) -> Response:
    return JSONResponse({"error": code}, status, {"X-Error-Code": code, "X-Error-Message": code})
