"""A small server that speaks as much of the Hugging Face Hub's API as fetching a dataset and uploading a policy take.

    with serve({"lerobot/pusht": folder}) as hub:
        subprocess.run(…, env={**os.environ, **hub.environment(home)})

It can misbehave. A repository is a folder; models are in `hub.models`, and those that an upload makes are folders below
`hub.uploads`. Every file counts as a plain git blob, those of at least 1 MB as LFS. Misbehaviour is set by
repository: ``hub.faults["lerobot/pusht"] = "gated"``.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LFS_FROM = 1 << 20

Fault = Literal[
    "gated",  # 403 GatedRepo without a token
    "private",  # 401 RepoNotFound without a token, as the Hub answers
    "slow",  # never answers a file
    "trickle",  # takes three seconds for a file
    "cut",  # closes the connection in the middle of a file
    "wrong bytes",  # right length, other content
    "down",  # 503 for everything
    "busy",  # 503 for the first request of all
    "silent",  # never answers the API
    "no json",  # an HTML page where JSON belongs
]


@dataclass
class Hub:
    """A running server.

    Args:
        repos: id → folder.
        tags: id → version tags; default ["v3.0"]. An untagged repository has an empty list.
        faults: id, or id/file → how it misbehaves.
        requests: the paths asked for, in order.
        token: the token that opens gated and private repositories, and uploads.
        models: id → folder.
        uploads: the folder below which an upload makes a model; None takes no uploads.
        private: id → what the upload that made it asked for.
        role: what the token may do: `write` or `read`.
        user: whose token it is.
        parts: large files that were uploaded, by sha256.
    """

    repos: dict[str, Path]
    url: str = ""
    tags: dict[str, list[str]] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    token: str = "hf_test"
    models: dict[str, Path] = field(default_factory=dict)
    uploads: Path | None = None
    private: dict[str, bool | None] = field(default_factory=dict)
    role: str = "write"
    user: str = "me"
    parts: dict[str, bytes] = field(default_factory=dict)  # LFS files by their sha256

    def environment(self, home: Path) -> dict[str, str]:
        """The variables with which a process talks to this server, with an empty cache under ``home``."""
        return {
            "HF_ENDPOINT": self.url,
            "HF_HOME": str(home / "huggingface"),
            "HF_LEROBOT_HOME": str(home / "lerobot"),
            "HF_HUB_OFFLINE": "0",
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_TOKEN": "",
        }


@contextmanager
def serve(repos: dict[str, Path]) -> Iterator[Hub]:
    """Run the server on a free local port."""
    hub = Hub(dict(repos))

    class Handler(_Handler):
        pass

    Handler.hub = hub
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        return None

    def do_HEAD(self) -> None:
        self._answer(head=True)

    def do_GET(self) -> None:
        self._answer(head=False)

    def _answer(self, *, head: bool) -> None:
        url = urlsplit(self.path)
        path = unquote(url.path)
        self.hub.requests.append(path)
        if path == "/api/datasets":
            self._list(parse_qs(url.query))
        elif path.startswith("/api/datasets/"):
            self._api(path.removeprefix("/api/datasets/"))
        elif path.startswith("/datasets/") and "/resolve/" in path:
            repo, rest = path.removeprefix("/datasets/").split("/resolve/", 1)
            revision, name = rest.split("/", 1)
            if self._admit(repo) and self._known_revision(repo, revision):
                self._file(repo, name, head=head)
        elif path == "/api/whoami-v2":
            if self.headers.get("Authorization") == f"Bearer {self.hub.token}":
                auth = {"accessToken": {"role": self.hub.role, "displayName": "test"}}
                self._json({"type": "user", "name": self.hub.user, "orgs": [{"name": "lab"}], "auth": auth})
            else:
                self._error(401, "", "Invalid credentials")
        elif match := re.fullmatch(r"/(?:api/models/)?([^/]+/[^/]+)(?:/(.*))?", path):
            self._model(match[1], match[2] or "", head=head)
        else:
            self._error(404, "", "")

    # -- uploading a model -------------------------------------------------------------------------------------------

    def do_POST(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.requests.append(path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if path == "/api/validate-yaml":
            self._json({"errors": [], "warnings": []})
        elif self.headers.get("Authorization") != f"Bearer {self.hub.token}":
            self._error(401, "", "Invalid username or password.")
        elif self.hub.role == "read":
            self._error(403, "", "you do not have the rights to write")
        elif path == "/api/repos/create":
            self._create(json.loads(body))
        elif "/preupload/" in path:
            files = json.loads(body)["files"]
            modes = [
                {"path": f["path"], "uploadMode": "lfs" if f["size"] >= LFS_FROM else "regular", "shouldIgnore": False}
                for f in files
            ]
            self._json({"files": modes})
        elif path.endswith(".git/info/lfs/objects/batch"):
            objects = [
                {**o, "actions": {"upload": {"href": f"{self.hub.url}/lfs/{o['oid']}"}}}
                for o in json.loads(body)["objects"]
            ]
            self._json({"transfer": "basic", "objects": objects})
        elif "/commit/" in path:
            self._commit(path.removeprefix("/api/models/").partition("/commit/")[0], body)
        else:
            self._error(404, "", "")

    def do_PUT(self) -> None:
        sha = self.path.removeprefix("/lfs/")
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if hashlib.sha256(content).hexdigest() != sha:
            self._error(400, "", "wrong bytes")
            return
        self.hub.parts[sha] = content
        self._send(200, b"", {})

    def _create(self, asked: dict[str, object]) -> None:
        repo = f"{asked.get('organization') or self.hub.user}/{asked['name']}"
        if repo in self.hub.models:
            self._send(
                409, json.dumps({"url": f"{self.hub.url}/{repo}"}).encode(), {"Content-Type": "application/json"}
            )
            return
        assert self.hub.uploads is not None
        self.hub.models[repo] = self.hub.uploads / repo
        self.hub.models[repo].mkdir(parents=True)
        visibility = asked.get("visibility")
        self.hub.private[repo] = None if visibility is None else visibility == "private"
        self._json({"url": f"{self.hub.url}/{repo}", "id": repo})

    def _commit(self, repo: str, body: bytes) -> None:
        folder = self.hub.models[repo]
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                (folder / value["path"]).write_bytes(base64.b64decode(value["content"]))
            elif line["key"] == "lfsFile":
                (folder / value["path"]).write_bytes(self.hub.parts[value["oid"]])
        self._json({"success": True, "commitOid": COMMIT, "commitUrl": f"{self.hub.url}/{repo}/commit/{COMMIT}"})

    def _model(self, repo: str, rest: str, *, head: bool) -> None:
        """Answer about a model: its description, a list of its files, or one of them."""
        if repo not in self.hub.models:
            self._error(404, "RepoNotFound", "Repository not found")
            return
        root = self.hub.models[repo]
        names = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
        if rest.startswith("resolve/"):
            self._file(repo, rest.split("/", 2)[2], head=head, repos=self.hub.models)
        elif rest.startswith("tree/"):
            self._json([self._entry(root, name) for name in names])
        else:
            siblings = [{"rfilename": name} for name in names]
            self._json({"id": repo, "_id": repo, "sha": COMMIT, "private": False, "tags": [], "siblings": siblings})

    # -- fetching a dataset ------------------------------------------------------------------------------------------

    def _list(self, query: dict[str, list[str]]) -> None:
        search, author = query.get("search", [""])[0], query.get("author", [""])[0]
        found = [repo for repo in self.hub.repos if search in repo and repo.startswith(author)]
        self._json(
            [{"id": repo, "_id": repo, "private": False, "tags": [], "downloads": 0, "likes": 0} for repo in found]
        )

    def _api(self, rest: str) -> None:
        for word in ("/revision/", "/tree/", "/refs"):
            if word in rest:
                repo, _, tail = rest.partition(word)
                break
        else:
            repo, word, tail = rest, "", "main"
        if not self._admit(repo):
            return
        if word == "/refs":
            tags = [{"name": t, "ref": f"refs/tags/{t}", "targetCommit": COMMIT} for t in self._tags(repo)]
            branches = [{"name": "main", "ref": "refs/heads/main", "targetCommit": COMMIT}]
            self._json({"branches": branches, "tags": tags, "converts": []})
            return
        revision, _, under = tail.partition("/")
        if not self._known_revision(repo, revision):
            return
        if word == "/tree/":
            entries = [
                self._entry(self.hub.repos[repo], name)
                for name in self._names(repo)
                if name.startswith(f"{under}/" if under else "")
            ]
            if under and not entries:
                self._error(404, "EntryNotFound", "no such folder")
            else:
                self._json(entries)
        else:
            siblings = [{"rfilename": name} for name in self._names(repo)]
            self._json({"id": repo, "_id": repo, "sha": COMMIT, "private": False, "tags": [], "siblings": siblings})

    def _admit(self, repo: str) -> bool:
        fault = self.hub.faults.get(repo)
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if fault == "down":
            self._error(503, "", "down for maintenance")
        elif fault == "busy" and len(self.hub.requests) == 1:
            self._error(503, "", "try again")
        elif fault == "silent":
            time.sleep(30)
        elif repo not in self.hub.repos or (fault == "private" and token != self.hub.token):
            self._error(401, "RepoNotFound", "Repository not found")
        elif fault == "gated" and token != self.hub.token:
            self._error(403, "GatedRepo", "Access to this dataset is restricted")
        elif fault == "no json":
            self._send(200, b"<html>Welcome to the hotel's network</html>", {"Content-Type": "text/html"})
        else:
            return True
        return False

    def _known_revision(self, repo: str, revision: str) -> bool:
        if revision in ("main", COMMIT, *self._tags(repo)):
            return True
        self._error(404, "RevisionNotFound", "Invalid rev id")
        return False

    def _tags(self, repo: str) -> list[str]:
        return self.hub.tags.get(repo, ["v3.0"])

    def _names(self, repo: str) -> list[str]:
        root = self.hub.repos[repo]
        return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())

    def _entry(self, root: Path, name: str) -> dict[str, object]:
        content = (root / name).read_bytes()
        entry: dict[str, object] = {"type": "file", "path": name, "size": len(content), "oid": _blob_id(content)}
        if len(content) >= LFS_FROM:
            sha = hashlib.sha256(content).hexdigest()
            entry["lfs"] = {"oid": sha, "size": len(content), "pointerSize": 134}
        return entry

    def _file(self, repo: str, name: str, *, head: bool, repos: dict[str, Path] | None = None) -> None:
        path = (repos or self.hub.repos)[repo] / name
        if not path.is_file():
            self._error(404, "EntryNotFound", "Entry not found")
            return
        content = path.read_bytes()
        fault = self.hub.faults.get(f"{repo}/{name}") or self.hub.faults.get(repo)
        etag = hashlib.sha256(content).hexdigest() if len(content) >= LFS_FROM else _blob_id(content)
        headers = {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT, "Content-Type": "application/octet-stream"}
        if head:
            self._send(200, b"", {**headers, "Content-Length": str(len(content))})
            return
        if fault == "slow":
            time.sleep(30)
        if fault == "trickle":
            self.send_response(200)
            for key, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(key, value)
            self.end_headers()
            for part in range(3):
                self.wfile.write(content[len(content) * part // 3 : len(content) * (part + 1) // 3])
                self.wfile.flush()
                time.sleep(1)
            return
        if fault == "wrong bytes":
            content = bytes(byte ^ 1 for byte in content)
        if fault == "cut":
            self.send_response(200)
            for key, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(content[: len(content) // 2])
            self.wfile.flush()
            self.close_connection = True
            return
        self._send(200, content, headers)

    def _json(self, value: object) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _error(self, status: int, code: str, message: str) -> None:
        headers = {"Content-Type": "application/json"}
        if code:
            headers |= {"X-Error-Code": code, "X-Error-Message": message}
        self._send(status, json.dumps({"error": message}).encode(), headers)

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _blob_id(content: bytes) -> str:
    return hashlib.sha1(f"blob {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()
