"""What a rule and a finding are made of.

A rule is written here once. `headwater check` (stage S), registration (R) and the running server
(T) word their findings by it: what was seen comes from them, why and how to mend it from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["error", "warning"]
Stage = Literal["S", "R", "T", "H"]

STAGES: Mapping[Stage, str] = {
    "S": "by `headwater check`, without running your code",
    "R": "when the backend is loaded",
    "T": "while a function runs",
    "H": "by the hooks of an assistant that works in the project",
}


@dataclass(frozen=True)
class Finding:
    """A place where a rule is broken, in the words a learner sees.

    `path`, `line` and `col` (from 1) point at the code; 0 where there is none. `function` is the
    wire path of the function it matters to, `via` how it gets there through helpers.
    """

    code: str
    severity: Severity
    stage: Stage
    path: str
    line: int
    col: int
    what: str
    why: str
    fix: str
    docs: str
    function: str = ""
    kind: str = ""
    via: str = ""

    def to_json(self) -> dict[str, Any]:
        """The finding for programs, under stable keys."""
        return asdict(self)

    def heading(self) -> str:
        """Code, place and function, on one line."""
        place = ":".join([self.path, *(str(n) for n in (self.line, self.col) if n)])
        owner = " ".join(part for part in (self.kind, self.function) if part)
        via = f"(via {self.via})" if self.via else ""
        mark = "(warning)" if self.severity == "warning" else ""
        head = " ".join(part for part in (self.code, place, mark) if part)
        return "  ".join(part for part in (head, owner, via) if part)

    def parts(self) -> list[tuple[str, str]]:
        """What, Fix and More, each with its text; a text may have several lines."""
        what = f"{self.what}; {self.why}." if self.why else f"{self.what}."
        return [("What", what), ("Fix", self.fix), ("More", f"headwater explain {self.code}")]

    def render(self) -> str:
        """The message: a heading, then What / Fix / More, later lines indented below the first."""
        lines = [self.heading()]
        for name, text in self.parts():
            first, *rest = text.splitlines()
            lines.append(f"  {name + ':':<6}{first}")
            lines += [f"        {line}".rstrip() for line in rest]
        return "\n".join(lines)


@dataclass(frozen=True)
class Rule:
    """One rule of the rulebook.

    Attributes:
        id: `HW` and three digits; never used again for anything else.
        title: a few words, as in a list of rules.
        mistake: what is written by default.
        rule: what is right, in one or two sentences, as the rulebook of a project quotes it.
        why: the reason, as a clause that can follow "...; ".
        fix: the usual next step.
        bad, good: a file each; lines of the bad one that break the rule end in `# <- HW000`.
        stages: where it is enforced: S static, R registration, T run time, H hooks.
        lesson: the lesson that teaches it, such as `L2`, or an empty string.
        page: its page, below docs/.
    """

    id: str
    title: str
    mistake: str
    rule: str
    why: str
    fix: str
    bad: str
    good: str
    stages: tuple[Stage, ...]
    severity: Severity = "error"
    lesson: str = ""

    @property
    def page(self) -> str:
        """The rule's page, relative to the docs folder."""
        return f"rules/{self.id}.md"

    def finding(
        self,
        what: str,
        *,
        stage: Stage,
        path: str = "",
        line: int = 0,
        col: int = 0,
        why: str | None = None,
        fix: str | None = None,
        severity: Severity | None = None,
        function: str = "",
        kind: str = "",
        via: str = "",
    ) -> Finding:
        """A finding of this rule; `why` and `fix` are the rule's own unless more is known."""
        return Finding(
            code=self.id,
            severity=severity or self.severity,
            stage=stage,
            path=path,
            line=line,
            col=col,
            what=what,
            why=self.why if why is None else why,
            fix=self.fix if fix is None else fix,
            docs=self.page,
            function=function,
            kind=kind,
            via=via,
        )


def through(helpers: Sequence[str], line: int, path: str = "") -> str:
    """The `via` of a finding: `helper notify, line 17`; empty without helpers.

    Args:
        helpers: their names, from the one that the function calls.
        line: where it does.
        path: the file of that line, where it is another one than the finding's.
    """
    if not helpers:
        return ""
    word = "helper" if len(helpers) == 1 else "helpers"
    place = f" of {path}" if path else ""
    return f"{word} {' > '.join(helpers)}, line {line}{place}"
