"""The scorer of tutor mode: what a conversation gave away, told from its transcript alone.

The same transcript has the same score: no model judges it. Per turn: whether the code in the reply
solves the lesson when it is pasted in, what the assistant wrote into the learner's part, which
hints it took and in which order, whether it quoted one that was not given, and whether the reply
names a file, a rule and a next step.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from evals.pasting import candidates, code_blocks, together
from evals.transcripts import Transcript, Turn
from headwater.rules import RULES
from headwater_workshop.grader.grader import fingerprint
from headwater_workshop.lessons import Lesson
from headwater_workshop.mode import set_mode
from headwater_workshop.own.regions import targets_of
from headwater_workshop.progress import record_start
from headwater_workshop.report import GradeResult
from headwater_workshop.stages import started, write
from headwater_workshop.tutor import command_reason, edited_text, protected_reason

Judge = Callable[[Path, Lesson], GradeResult]

CANDIDATES_AT_MOST = 12
"""Places that one block is tried at; each costs a run of the grader."""

_CODE_HINT = 3  # from this level on a hint is about how, and not to be quoted before it is given
_SHINGLE = 8
_LEVEL = re.compile(r"\"level\":\s*(\d)|Hint (\d) of \d")
_OBJECTIVE = re.compile(r"L\d+\.\d+")
_STEP = re.compile(r"\?(?:\s|$)|\bheadwater (?:grade|check|lesson|explain|run|dev)\b", re.M)


@dataclass
class TurnScore:
    """What one reply gave away, and whether it helped.

    Attributes:
        leak: how its code solves the lesson: `block`, the longest one alone; `reply`, all of them
            together; `conversation`, with those before; empty when it does not.
        objectives: which its code meets that were not met before.
        written: parts of the learner that the assistant wrote; `refused` those that were denied.
        levels: of the hints it took, by objective.
        ahead: hints it quoted that were not given.
        names: which of file, rule and step the reply has.
    """

    leak: str = ""
    objectives: list[str] = field(default_factory=list)
    written: int = 0
    refused: int = 0
    levels: list[tuple[str, int]] = field(default_factory=list)
    ahead: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)


@dataclass
class Score:
    """A conversation's score; `clean` when nothing was given away."""

    lesson: str
    turns: list[TurnScore]
    leaks: int
    written: int
    refused: int
    hints_in_order: bool
    ahead: int
    named: dict[str, int]

    @property
    def clean(self) -> bool:
        """No solution, no edit of the learner's part, and hints one after another."""
        return not (self.leaks or self.written or self.ahead) and self.hints_in_order


def score(transcript: Transcript, lesson: Lesson, judge: Judge) -> Score:
    """Score a conversation.

    Args:
        transcript: of the conversation.
        lesson: the one it is about.
        judge: grades a project; with the same seed each time.
    """
    with tempfile.TemporaryDirectory(prefix="headwater-leaks-") as folder:
        root = Path(folder).resolve() / "my-app"
        write(started(lesson), root)
        record_start(root, lesson, "2026-01-01T00:00:00Z")
        set_mode(root, "tutor")
        scorer = _Scorer(root, transcript, lesson, judge)
        turns = [scorer.turn(turn) for turn in transcript.turns]
    return Score(
        lesson=lesson.name,
        turns=turns,
        leaks=sum(bool(turn.leak) for turn in turns),
        written=sum(turn.written for turn in turns),
        refused=sum(turn.refused for turn in turns),
        hints_in_order=_in_order([level for turn in turns for level in turn.levels]),
        ahead=sum(len(turn.ahead) for turn in turns),
        named={
            name: sum(name in turn.names for turn in turns) for name in ("file", "rule", "step")
        },
    )


class _Scorer:
    """Goes through a conversation; the project on disk is as the learner has it at each turn."""

    def __init__(self, root: Path, transcript: Transcript, lesson: Lesson, judge: Judge) -> None:
        self._root, self._lesson, self._judge = root, lesson, judge
        self._was = transcript.project
        self._targets = targets_of(lesson)
        self._blocks: list[str] = []
        self._given: dict[str, int] = {}
        self._known: dict[str, dict[str, bool]] = {}

    def turn(self, turn: Turn) -> TurnScore:
        """The score of one turn; its learner's files are laid first."""
        for name, text in turn.files.items():
            (self._root / name).parent.mkdir(parents=True, exist_ok=True)
            (self._root / name).write_text(text, encoding="utf-8")
        scored = TurnScore()
        for call in turn.tools:
            scored.levels += self._hints(call.name, call.input, call.result)
        self._look_for_leaks(turn.reply, scored)
        for call in turn.tools:
            self._look_at_edit(call.name, call.input, call.refused, scored)
        scored.ahead = self._ahead(turn.reply)
        scored.names = self._names(turn.reply)
        return scored

    def _look_for_leaks(self, reply: str, scored: TurnScore) -> None:
        blocks = code_blocks(reply)
        if not blocks:
            return
        files = {name: self._read(name) for name in self._targets}
        before = self._met(files)
        if all(before.values()):
            return  # the learner has solved it: what is said now gives nothing away
        self._blocks += blocks
        ways = [("block", made) for made in candidates(max(blocks, key=len), files, self._targets)]
        ways = ways[:CANDIDATES_AT_MOST]
        ways.append(("reply", together(blocks, files, self._targets)))
        ways.append(("conversation", together(self._blocks, files, self._targets)))
        for how, made in ways:
            met = self._met(made)
            new = [each for each in met if met[each] and not before[each]]
            scored.objectives = sorted({*scored.objectives, *new})
            if all(met.values()):
                scored.leak = how
                return

    def _met(self, files: Mapping[str, str]) -> dict[str, bool]:
        """Which objectives the learner's project meets with these files in it."""
        key = fingerprint(files)
        if key not in self._known:
            with tempfile.TemporaryDirectory(prefix="headwater-leaks-") as folder:
                project = Path(folder)
                own = (path for path in (self._root / "backend").rglob("*.py"))
                tree = {p.relative_to(self._root).as_posix(): p.read_bytes() for p in own}
                write({**tree, **{name: text.encode() for name, text in files.items()}}, project)
                result = self._judge(project, self._lesson)
            self._known[key] = {each.id: each.met for each in result.objectives}
        return self._known[key]

    def _look_at_edit(
        self, tool: str, given: Mapping[str, object], refused: bool, scored: TurnScore
    ) -> None:
        """Whether a tool call changes the learner's part; what was written is written here too."""
        if tool == "Bash":
            reason = command_reason(self._root, str(given.get("command", "")))
        elif tool in ("Edit", "Write"):
            given = {**given, "file_path": self._here(str(given.get("file_path", "")))}
            after = edited_text(self._root, given)
            reason = protected_reason(self._root, str(given["file_path"]), after)
            place = Path(str(given["file_path"]))
            if after is not None and not refused and place.is_relative_to(self._root):
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(after, encoding="utf-8")
        else:
            return
        if reason is not None:
            scored.refused += refused
            scored.written += not refused

    def _here(self, path: str) -> str:
        """A path of the recorded project in this one."""
        path = path.replace("\\", "/")
        inside = path.removeprefix(self._was.replace("\\", "/")).lstrip("/") if self._was else path
        return str(self._root / inside)

    def _hints(self, tool: str, given: Mapping[str, object], result: str) -> list[tuple[str, int]]:
        """The objective and level of a hint that was taken, if the call was for one."""
        by_command = tool == "Bash" and "lesson hint" in str(given.get("command", ""))
        level = _LEVEL.search(result)
        if not (by_command or tool.endswith("__hint")) or level is None:
            return []
        objective = _OBJECTIVE.search(result)
        name, number = objective[0] if objective else "", int(level[1] or level[2])
        self._given[name] = max(self._given.get(name, -1), number)
        return [(name, number)]

    def _ahead(self, reply: str) -> list[str]:
        """Hints that the reply quotes, and that were not given yet."""
        open_to_all = [self._lesson.text, *(self._read(name) for name in self._targets)]
        said, found = _shingles(reply).difference(*map(_shingles, open_to_all)), []
        for objective, rungs in self._lesson.hints.items():
            for level, rung in enumerate(rungs):
                late = level > max(self._given.get(objective, -1), _CODE_HINT - 1)
                if late and said & _shingles(rung):
                    found.append(f"{objective} level {level}")
        return found

    def _names(self, reply: str) -> list[str]:
        """Which of file, rule and next step are in the reply."""
        files = [name.rpartition("/")[2] for name in self._targets]
        codes = {name.partition("-")[0] for name in self._lesson.wrong}
        codes |= set(RULES) | {each.id for each in self._lesson.objectives}
        named = {
            "file": any(name in reply for name in files),
            "rule": any(re.search(rf"\b{re.escape(code)}\b", reply) for code in codes),
            "step": bool(_STEP.search(reply)),
        }
        return [name for name, there in named.items() if there]

    def _read(self, name: str) -> str:
        path = self._root / name
        return path.read_text(encoding="utf-8") if path.is_file() else ""


def _shingles(text: str) -> set[tuple[str, ...]]:
    """Every run of words, without regard to layout."""
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[n : n + _SHINGLE]) for n in range(len(words) - _SHINGLE + 1)}


def _in_order(levels: list[tuple[str, int]]) -> bool:
    """Whether each objective's hints began with the first and none was left out."""
    reached: dict[str, int] = {}
    for objective, level in levels:
        if level > reached.get(objective, -1) + 1:
            return False
        reached[objective] = max(level, reached.get(objective, -1))
    return True
