"""A stranger's repository: what is graded comes over https, and nothing of it is ever run."""

from __future__ import annotations

import datetime
import ipaddress
import os
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import sleep

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from headwater_workshop.cohort import fetching
from headwater_workshop.cohort.fetching import fetch
from headwater_workshop.grader.grader import FILE_BYTES_AT_MOST
from headwater_workshop.kit import KitError
from tests.scenarios.server_process import wait_for

FOLDERS = ("backend", "tests")
GIT = shutil.which("git") or "git"


class GitHandler(BaseHTTPRequestHandler):
    """Git's own HTTP backend, as any web server calls it."""

    root: Path
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """What a fetch begins with."""
        self.answer(b"")

    def do_POST(self) -> None:
        """What a fetch goes on with."""
        self.answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def answer(self, body: bytes) -> None:
        """Run the backend for this request and give what it says."""
        path, _, query = self.path.partition("?")
        if path.startswith("/drip/"):
            self.drip()
            return
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
        }
        ended = subprocess.run(
            [GIT, "http-backend"], input=body, env=environment, capture_output=True, check=False
        )
        head, _, content = ended.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines() if ": " in line)
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def drip(self) -> None:
        """A piece now and then, without end."""
        self.send_response(200)
        self.send_header("Content-Type", "application/x-git-upload-pack-advertisement")
        self.send_header("Content-Length", str(2**40))
        self.end_headers()
        with suppress(OSError):  # who asked has gone
            while True:
                self.wfile.write(b"001e# service=git-upload-pack\n")
                sleep(0.05)

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


@dataclass
class Forge:
    """A host of repositories over https; its certificate is known to who takes `extra`."""

    root: Path
    url: str
    extra: dict[str, str]

    def repository(self, name: str, work: Path) -> str:
        """Commit a folder as it is, links too; gives the repository's URL."""
        quiet = {"capture_output": True, "check": True}
        say = [
            GIT,
            "-C",
            str(work),
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b",
            "-c",
            "core.symlinks=true",
        ]
        subprocess.run([GIT, "init", "-q", str(work)], **quiet)  # type: ignore[call-overload]
        subprocess.run([*say, "add", "-A", "-f"], **quiet)  # type: ignore[call-overload]
        subprocess.run([*say, "commit", "-qm", "work"], **quiet)  # type: ignore[call-overload]
        subprocess.run([GIT, "clone", "-q", "--bare", str(work), str(self.root / name)], **quiet)  # type: ignore[call-overload]
        return f"{self.url}/{name}"


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    """One host for all tests here."""
    folder = tmp_path_factory.mktemp("forge")
    certificate = self_signed(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    (folder / "git").mkdir()
    handler = type("Handler", (GitHandler,), {"root": folder / "git"})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        url = f"https://127.0.0.1:{server.server_address[1]}"
        yield Forge(folder / "git", url, {"GIT_SSL_CAINFO": str(certificate), "NO_PROXY": "*"})
        server.shutdown()
        thread.join()


def self_signed(folder: Path) -> Path:
    """A key and a certificate for 127.0.0.1, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(alternative, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = folder / "host.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


def files(folder: Path) -> dict[str, str]:
    """What lies in a folder."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in found}


def test_the_graded_files_of_the_newest_commit_come(forge: Forge, tmp_path: Path) -> None:
    """Also where the project is one folder down; nothing else is laid anywhere."""
    work = tmp_path / "work"
    (work / "my-app" / "backend" / "sub").mkdir(parents=True)
    (work / "my-app" / "backend" / "tasks.py").write_text("a = 1\n")
    (work / "my-app" / "backend" / "sub" / "x.py").write_text("b = 2\n")
    (work / "my-app" / "Makefile").write_text("all:\n\trm -rf /\n")
    out = tmp_path / "out"
    out.mkdir()
    commit = fetch(forge.repository("plain", work), out, FOLDERS, extra=forge.extra)
    assert len(commit) == 40
    assert files(out) == {"backend/tasks.py": "a = 1\n", "backend/sub/x.py": "b = 2\n"}


def test_only_the_folders_that_are_graded_come(forge: Forge, tmp_path: Path) -> None:
    """Those that a lesson reads, whichever they are."""
    work = tmp_path / "work"
    for name in ("backend", "api", "apiary"):
        (work / name).mkdir(parents=True)
        (work / name / "x.py").write_text(f"# {name}\n")
    out = tmp_path / "out"
    out.mkdir()
    fetch(forge.repository("folders", work), out, ("backend", "api"), extra=forge.extra)
    assert files(out) == {"backend/x.py": "# backend\n", "api/x.py": "# api\n"}


def test_links_hooks_filters_and_submodules_do_nothing(forge: Forge, tmp_path: Path) -> None:
    """A symbolic link is no file, a submodule is not fetched, an LFS pointer stays text."""
    work, mark = tmp_path / "work", tmp_path / "ran"
    (work / "backend").mkdir(parents=True)
    (work / "backend" / "passwd.py").symlink_to("/etc/passwd")
    (work / "backend" / "big.py").write_text("#" * (FILE_BYTES_AT_MOST + 1))
    (work / "backend" / "lfs.py").write_text("version https://git-lfs.github.com/spec/v1\n")
    (work / ".gitattributes").write_text("*.py filter=evil\n")
    (work / ".gitconfig").write_text(f'[filter "evil"]\n\tsmudge = touch {mark}\n')
    (work / ".gitmodules").write_text(
        '[submodule "x"]\n\tpath = x\n\turl = https://127.0.0.1:1/never\n'
    )
    out = tmp_path / "out"
    out.mkdir()
    fetch(forge.repository("evil", work), out, FOLDERS, extra=forge.extra)
    assert files(out) == {"backend/lfs.py": "version https://git-lfs.github.com/spec/v1\n"}
    assert not mark.exists()


def test_a_repository_that_is_too_large_is_given_up(
    forge: Forge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what has arrived, not by what it says of itself."""
    work = tmp_path / "work"
    (work / "backend").mkdir(parents=True)
    (work / "backend" / "a.py").write_text("")
    (work / "noise.bin").write_bytes(os.urandom(300_000))
    monkeypatch.setattr(fetching, "FETCH_BYTES", 100_000)
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(KitError, match="larger than"):
        fetch(forge.repository("large", work), out, FOLDERS, extra=forge.extra)


def test_few_trees_that_list_a_billion_files_are_given_up(forge: Forge, tmp_path: Path) -> None:
    """A folder that holds itself ten times over, ten deep, is a small repository."""
    forge.repository("bomb", _with_file(tmp_path / "work", "backend/a.py"))
    bare, entry = (
        forge.root / "bomb",
        ("100644 blob", _git(forge.root / "bomb", "HEAD:backend/a.py")),
    )
    for _ in range(10):
        listed = "".join(f"{entry[0]} {entry[1]}\t{name}\n" for name in "0123456789")
        entry = ("040000 tree", _git(bare, command="mktree", said=listed))
    author = ("-c", "user.name=a", "-c", "user.email=a@b")
    commit = _git(bare, entry[1], command=(*author, "commit-tree", "-m", "bomb"))
    _git(bare, "HEAD", commit, command="update-ref")
    (tmp_path / "out").mkdir()
    with pytest.raises(KitError, match="more files than a project has"):
        fetch(f"{forge.url}/bomb", tmp_path / "out", FOLDERS, extra=forge.extra)


def _with_file(work: Path, name: str) -> Path:
    (work / name).parent.mkdir(parents=True)
    (work / name).write_text("")
    return work


def _git(
    bare: Path, *words: str, command: str | tuple[str, ...] = "rev-parse", said: str = ""
) -> str:
    """What a command says in a repository."""
    before = (command,) if isinstance(command, str) else command
    line = [GIT, "--git-dir", str(bare), *before, *words]
    return subprocess.run(
        line, input=said, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_a_file_that_lies_too_deep_is_not_graded(forge: Forge, tmp_path: Path) -> None:
    """Neither are its folders made: a thousand of them could not be taken away again."""
    work = _with_file(tmp_path / "work", f"backend/{'d/' * 300}x.py")
    (work / "backend" / "y.py").write_text("")
    (tmp_path / "out").mkdir()
    fetch(forge.repository("deep", work), tmp_path / "out", FOLDERS, extra=forge.extra)
    assert list(files(tmp_path / "out")) == ["backend/y.py"]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="processes are looked up in /proc")
def test_nothing_goes_on_after_a_fetch_that_was_given_up(
    forge: Forge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git's helpers, which do the bringing, end with it: a host that never ends fills no disk."""
    monkeypatch.setattr(fetching, "FETCH_S", 0.5)
    (tmp_path / "out").mkdir()
    url = f"{forge.url}/drip/{tmp_path.name}"
    with pytest.raises(KitError, match="did not come within"):
        fetch(url, tmp_path / "out", FOLDERS, extra=forge.extra)
    wait_for(lambda: not _processes_of(url), "the end of git's helpers")


def _processes_of(word: str) -> list[str]:
    """Those that have a word in their command line; a killed one is there for a moment more."""
    lines = [_read(each) for each in Path("/proc").glob("[0-9]*/cmdline")]
    return [line for line in lines if word in line]


def _read(path: Path) -> str:
    with suppress(OSError):  # the process has ended
        return path.read_text(errors="replace")
    return ""


@pytest.mark.parametrize(
    "url", ["{forge}/nothing-here", "http://127.0.0.1:1/x", "ext::touch {mark}"]
)
def test_what_cannot_be_had_is_said(url: str, forge: Forge, tmp_path: Path) -> None:
    """With git's own reason; a protocol other than https is never spoken."""
    mark = tmp_path / "ran"
    (tmp_path / "out").mkdir()
    with pytest.raises(KitError, match="Git could not get it"):
        fetch(url.format(forge=forge.url, mark=mark), tmp_path / "out", FOLDERS, extra=forge.extra)
    assert not mark.exists()


def test_a_certificate_that_nobody_knows_is_refused(forge: Forge, tmp_path: Path) -> None:
    """A submission is what its author's host says it is."""
    (tmp_path / "out").mkdir()
    with pytest.raises(KitError, match="Git could not get it"):
        fetch(f"{forge.url}/plain", tmp_path / "out", FOLDERS, extra={"NO_PROXY": "*"})
