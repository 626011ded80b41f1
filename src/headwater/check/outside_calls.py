"""What reaches the outside world: names of calls that are I/O, told apart from pure neighbours.

Only names that are I/O whenever they are called stand here. `gzip.open` does not: it also unpacks
bytes held in memory.
"""

from __future__ import annotations

import re

_HTTP = "get post put patch delete head options request"
_OS = (
    "open read write remove unlink rename renames replace mkdir makedirs rmdir removedirs listdir "
    "scandir walk stat lstat access chmod chown link symlink readlink truncate utime system popen "
    "fork execv execve execvp execl execlp spawnv spawnl posix_spawn kill"
)
_FILES = (
    "read_text read_bytes write_text write_bytes open exists is_file is_dir is_symlink mkdir "
    "touch unlink rename replace rmdir stat lstat iterdir glob rglob chmod readlink"
)

_CALLS = {
    "builtins": "open input",
    "io": "open open_code",
    "codecs": "open",
    "os": _OS,
    "os.path": "exists lexists isfile isdir islink getsize getmtime getatime getctime samefile",
    "shutil": "copy copy2 copyfile copytree move rmtree disk_usage which make_archive",
    "tempfile": "NamedTemporaryFile TemporaryFile TemporaryDirectory mkdtemp mkstemp",
    "glob": "glob iglob",
    "subprocess": "run Popen call check_call check_output getoutput getstatusoutput",
    "asyncio": "create_subprocess_exec create_subprocess_shell open_connection start_server",
    "socket": "socket create_connection create_server getaddrinfo gethostbyname gethostbyaddr",
    "urllib.request": "urlopen urlretrieve",
    "httpx": f"{_HTTP} stream",
    "requests": _HTTP,
    "urllib3": "request",
    "aiohttp": "request",
    "aiofiles": "open",
    "anyio": "open_file run_process open_process connect_tcp",
    "websockets": "connect",
    "aiosmtplib": "send",
    "webbrowser": "open",
}

_DATABASES = {
    "sqlite3": "connect",
    "aiosqlite": "connect",
    "psycopg": "connect",
    "psycopg2": "connect",
    "asyncpg": "connect create_pool",
    "pymysql": "connect",
    "MySQLdb": "connect",
    "mysql.connector": "connect",
    "duckdb": "connect",
    "pymongo": "MongoClient AsyncMongoClient",
    "motor.motor_asyncio": "AsyncIOMotorClient",
    "redis": "Redis StrictRedis from_url",
    "redis.asyncio": "Redis from_url",
    "sqlalchemy": "create_engine",
    "sqlalchemy.ext.asyncio": "create_async_engine",
    "psycopg.AsyncConnection": "connect",
}

_CLIENTS = {
    "httpx": "Client AsyncClient",
    "requests": "Session session",
    "aiohttp": "ClientSession",
    "urllib3": "PoolManager",
    "http.client": "HTTPConnection HTTPSConnection",
    "smtplib": "SMTP SMTP_SSL",
    "ftplib": "FTP FTP_TLS",
    "imaplib": "IMAP4 IMAP4_SSL",
    "openai": "OpenAI AsyncOpenAI AzureOpenAI AsyncAzureOpenAI",
    "anthropic": "Anthropic AsyncAnthropic",
    "boto3": "client resource Session",
    "twilio.rest": "Client",
    "sendgrid": "SendGridAPIClient",
    "slack_sdk": "WebClient",
    "slack_sdk.web.async_client": "AsyncWebClient",
    "paramiko": "SSHClient",
    "google.genai": "Client",
    "mistralai": "Mistral",
}


def _dotted(table: dict[str, str]) -> frozenset[str]:
    return frozenset(
        f"{module}.{name}" for module, names in table.items() for name in names.split()
    )


_DATABASE_NAMES = _dotted(_DATABASES)
_CLIENT_NAMES = _dotted(_CLIENTS) | _DATABASE_NAMES
_CALL_NAMES = _dotted(_CALLS) | _CLIENT_NAMES

_PATH = re.compile(
    r"pathlib\.(Posix|Windows)?Path(\.home|\.cwd)?\(\)"
    r"(\.parent|\.(joinpath|resolve|absolute|expanduser|with_suffix|with_name|with_stem)\(\))*"
    rf"\.({_FILES.replace(' ', '|')})"
)
_STRIPE = re.compile(
    r"stripe\.([a-z_]+\.)?[A-Z]\w+\."
    r"(create|retrieve|modify|list|search|cancel|capture|confirm|delete)(_async)?"
)
_IN_MEMORY = {
    "build_request",
    "headers",
    "cookies",
    "params",
    "with_options",
    "timeout",
    "base_url",
}


def is_outside(origin: str) -> bool:
    """True when a call of this name leaves the process."""
    if origin in _CALL_NAMES:
        return True
    if origin.startswith("pathlib."):
        return _PATH.fullmatch(origin) is not None
    if origin.startswith("stripe."):
        return _STRIPE.fullmatch(origin) is not None
    return uses_client(origin)


def uses_client(origin: str) -> bool:
    """True for a method of a client or connection: `httpx.Client().get`."""
    maker, call, rest = origin.partition("().")
    return bool(call) and maker in _CLIENT_NAMES and not _IN_MEMORY & set(rest.split("."))


def makes_client(origin: str) -> bool:
    """True for what makes a client or a connection."""
    return origin in _CLIENT_NAMES


def is_database(origin: str) -> bool:
    """True when the call reaches another database."""
    return origin.partition("()")[0] in _DATABASE_NAMES


def shown(origin: str) -> str:
    """The name as a message gives it: `httpx.Client.get()`, `Path.read_text()`, `open()`."""
    if _PATH.fullmatch(origin):
        return f"Path.{origin.rpartition('.')[2]}()"
    return f"{origin.replace('()', '').removeprefix('builtins.')}()"
