"""Which files a command line writes, moves or deletes: read from its words, as well as that goes.

It is a courtesy and no wall: a program can write whatever it likes. What is recognised are
redirections, the usual commands of POSIX shells and PowerShell, and paths in a script given inline.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

AT_MOST = 200  # files of one command that are looked at; each costs a question to the disk
WRAPPERS = {
    "sudo", "env", "command", "exec", "time", "nohup", "builtin", "xargs", "nice", "then", "do",
    "else", "if", "while", "!", "{",
}  # fmt: skip
SHELLS = {"bash", "sh", "zsh", "dash", "ksh", "pwsh", "powershell", "cmd"}
ALL = {
    "tee", "touch", "truncate", "shred", "chmod", "chown", "patch", "ed", "ex", "git checkout",
    "git restore", "git reset", "git stash", "git apply",
}  # fmt: skip
GONE = {"rm", "rmdir", "unlink", "mv", "git rm", "git mv"}
LAST = {"cp", "install", "ln", "rsync", "scp"}
IN_PLACE = {"sed", "gsed", "perl", "ruby"}
CMDLETS = {
    "set-content", "add-content", "out-file", "clear-content", "new-item", "sc", "ac", "clc", "ni",
    "tee-object", "set-itemproperty",
}  # fmt: skip
CMDLETS_GONE = {
    "remove-item", "move-item", "rename-item", "ri", "mi", "rni", "del", "erase", "rd", "move",
    "ren",
}  # fmt: skip
CMDLETS_COPY = {"copy-item", "cpi", "copy"}
CHANGES_FOLDER = {"cd", "pushd", "set-location", "sl", "chdir"}

_HEREDOC = re.compile(r"(?<!<)<<-?\s*['\"]?(\w+)")
_POWERSHELL = re.compile(r"\"[^\"]*\"|'[^']*'|>>?|[;|&\n]+|[^\s;|&>]+")
_BOUNDARY = re.compile(r"[;|&()\n]+")
_SCRIPT = re.compile(r"\b(?:python[\d.]*|py|node|ruby|perl|deno|bun|php)(?:\.exe)?\b")
_INLINE = re.compile(r"\s-(?:c|e|p|Command)\b|<<|\|\s*(?:python|node)")
_WRITES = re.compile(
    r"write|unlink|rename|replace|remove|rmtree|copy|move|truncate|dump|spew|"
    r"[,=]\s*\\?['\"][wax]b?\+?\\?['\"]"
)
_QUOTED = re.compile(r"(?=['\"]([^'\"\\\n]+)\\?['\"])")  # between any two neighbouring quotes


@dataclass(frozen=True)
class Target:
    """A file that a command writes or takes away; `cwd` is where its name begins, if not here."""

    path: str
    cwd: str = ""
    gone: bool = False


def targets(command: str, *, powershell: bool = False) -> list[Target]:
    """What a command line would write, move or delete."""
    command = command if powershell else command.replace("\\\n", " ")
    found = [*_scripted(command)]
    folder = ""
    for words in segments(_without_documents(command), powershell=powershell):
        plain, redirected = _redirections(words)
        found += [Target(path, folder) for path in redirected]
        program, rest = _program(plain)
        if program in CHANGES_FOLDER and rest:
            folder = f"{folder}/{rest[-1]}" if folder and not _is_absolute(rest[-1]) else rest[-1]
            continue
        found += [Target(each.path, folder, each.gone) for each in _written(program, rest)]
    return list(dict.fromkeys(found))[:AT_MOST]


def writes(command: str, file: str) -> bool:
    """Whether a command line, of either kind of shell, seems to write a file of the project.

    Args:
        command: as a shell gets it, here-documents included.
        file: its name in the project, with slashes: `backend/tasks.py`.
    """
    return any(
        _is_of(target, file)
        for powershell in (False, True)
        for target in targets(command, powershell=powershell)
    )


def _is_of(target: Target, file: str) -> bool:
    """Whether the file is what is written, or lies in a folder that goes."""
    named = posixpath.normpath(f"{target.cwd}/{target.path}".replace("\\", "/"))
    return f"/{named}".endswith(f"/{file}") or (target.gone and f"/{file}/".startswith(f"{named}/"))


def _without_documents(command: str) -> str:
    """The command line without the texts of its here-documents."""
    kept: list[str] = []
    lines = iter(command.split("\n"))
    for line in lines:
        kept.append(line)
        for end in _HEREDOC.findall(line):
            next((each for each in lines if each.strip() == end), None)
    return "\n".join(kept)


def segments(command: str, *, powershell: bool = False) -> Iterator[list[str]]:
    """The words of each simple command; redirection operators are words of their own."""
    words: list[str] = []
    for token in _tokens(command, powershell):
        if _BOUNDARY.fullmatch(token):
            yield words
            words = []
        else:
            words.append(token)
    yield words


def _tokens(command: str, powershell: bool) -> list[str]:
    if powershell:
        return [token.strip("\"'") for token in _POWERSHELL.findall(command)]
    lexer = shlex.shlex(command, posix=True, punctuation_chars=";()<>|&\n")
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t\r", True, ""
    try:
        return list(lexer)
    except ValueError:  # a quote without its partner: read it as a shell would not, but read it
        return [token.strip("\"'") for token in _POWERSHELL.findall(command)]


def _redirections(words: list[str]) -> tuple[list[str], list[str]]:
    """The words without redirections, and the files that these write."""
    plain: list[str] = []
    written: list[str] = []
    rest = iter(words)
    for word in rest:
        if word and set(word) <= set("<>&|") and set(word) & set("<>"):
            target = next(rest, "")
            if ">" in word and not (word.endswith("&") and (target.isdigit() or target == "-")):
                written.append(target)
        else:
            plain.append(word)
    return plain, written


def _program(words: list[str]) -> tuple[str, list[str]]:
    """The program's bare name, and its arguments; what only starts another one is skipped."""
    words = list(words)
    while words and (words[0] in WRAPPERS or re.match(r"\w+=", words[0])):
        words.pop(0)
        while words and words[0].startswith("-"):
            words.pop(0)
    if words[:2] == ["uv", "run"]:
        words = words[2:]
        while words and words[0].startswith("-"):
            words.pop(0)
    if not words:
        return "", []
    name = re.split(r"[\\/]", words[0])[-1].lower().removesuffix(".exe")
    if name == "git" and len(words) > 1:
        return f"git {words[1]}", words[2:]
    return name, words[1:]


def _written(program: str, words: list[str]) -> list[Target]:
    files = [word for word in words if not word.startswith("-")]
    if program in SHELLS or program == "eval":
        return _of_script(program, words)
    if program in ALL or program in CMDLETS:
        return [Target(path) for path in files]
    if program in GONE or program in CMDLETS_GONE:
        return [Target(path, gone=True) for path in files]
    if program in LAST or program in CMDLETS_COPY:
        return _copied(words, files)
    if program in IN_PLACE and any(re.match(r"-\w*i|--in-place", word) for word in words):
        return [Target(path) for path in files]
    if program == "find" and {"-delete", "-exec", "-execdir"} & set(words):
        return [Target(path) for path in files]  # what is found in a folder need not be all of it
    if program == "dd":
        return [Target(word[3:]) for word in words if word.startswith("of=")]
    if program in ("curl", "wget"):
        pairs = pairwise(words)
        return [Target(path) for option, path in pairs if option in ("-o", "-O", "--output")]
    return []


def _copied(words: list[str], files: list[str]) -> list[Target]:
    """Where copies go: the last file, the file of each source's name inside it, or `-t DIR`."""
    into = [after for word, after in pairwise(words) if word == "-t"]
    folder = into[0] if into else (files[-1] if len(files) > 1 else "")
    names = [re.split(r"[\\/]", path)[-1] for path in files if path != folder]
    return [Target(path) for path in (folder, *(f"{folder}/{name}" for name in names)) if folder]


def _of_script(program: str, words: list[str]) -> list[Target]:
    """What the command line inside `bash -c "..."` or `eval ...` writes."""
    scripts = [
        after
        for word, after in pairwise(words)
        if re.fullmatch(r"-\w*c|-command|/c", word, re.IGNORECASE)
    ]
    text = " ".join(words) if program == "eval" else "\n".join(scripts)
    return targets(text, powershell=program in ("pwsh", "powershell")) if text else []


def _scripted(command: str) -> list[Target]:
    """Every quoted text of a script that is given inline and writes something."""
    if _SCRIPT.search(command) and _INLINE.search(command) and _WRITES.search(command):
        return [Target(text) for text in _QUOTED.findall(command)]
    return []


def _is_absolute(path: str) -> bool:
    return path.startswith(("/", "~")) or bool(re.match(r"[A-Za-z]:[\\/]", path))
