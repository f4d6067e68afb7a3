"""A local server that speaks enough of the hub's protocol for huggingface_hub and open_clip: resolve with ETags and
ranges, model info, and the hub's own error codes. The clients on the other side are the real ones."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "a" * 40


@contextmanager
def serve_hub(root: Path, gated: frozenset[str] = frozenset(), failing: bool = False) -> Iterator[str]:
    """Serves `root/ORG/REPO/files…`, or 503 to whatever is asked; yields the endpoint for HF_ENDPOINT."""
    handler = type("Handler", (_Handler,), {"root": root, "gated": gated, "failing": failing})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    root: Path
    gated: frozenset[str]
    failing: bool
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        if self.failing:
            return self._fail(503, "Unavailable")
        parts = self.path.split("?")[0].strip("/").split("/")
        if parts[:2] == ["api", "models"] and len(parts) >= 4:
            return self._info("/".join(parts[2:4]))
        if len(parts) >= 5 and parts[2] == "resolve":
            return self._file("/".join(parts[:2]), "/".join(parts[4:]))
        return self._fail(404, "RepoNotFound")

    def _info(self, repository: str) -> None:
        folder = self.root / repository
        if not folder.is_dir():
            return self._fail(401, "RepoNotFound")
        files = [{"rfilename": path.name} for path in sorted(folder.iterdir())]
        return self._send(json.dumps({"id": repository, "sha": COMMIT, "siblings": files}).encode(), "application/json")

    def _file(self, repository: str, name: str) -> None:
        if repository in self.gated:
            return self._fail(403, "GatedRepo")
        if not (self.root / repository).is_dir():
            return self._fail(401, "RepoNotFound")
        path = self.root / repository / name
        if not path.is_file():
            return self._fail(404, "EntryNotFound")
        return self._send(path.read_bytes(), "application/octet-stream")

    def _send(self, data: bytes, kind: str) -> None:
        etag = hashlib.sha256(data).hexdigest()
        start = 0
        if (wanted := self.headers.get("Range")) and self.command == "GET":
            start = int(wanted.removeprefix("bytes=").split("-")[0])
        self.send_response(206 if start else 200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data) - start))
        self.send_header("ETag", f'"{etag}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Accept-Ranges", "bytes")
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data[start:])

    def _fail(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Error-Message", code)
        self.send_header("Content-Length", "0")
        self.end_headers()
