"""Stop: a turn ends when check and grade pass, or after it was said once why they do not.

A turn that was sent on once is not sent on again (`stop_hook_active`); a session is sent on eight
times at most without a good end in between. Outside lessons the backend is loaded too. Where the
code is as it was when the session began or last ended well, nothing is checked: a question about
the weather costs no grading run, and neither does a lesson that was only begun.
"""

from __future__ import annotations

from headwater.check import check_project
from headwater.check.loading import load_findings
from headwater.rules import Finding

from ..kit import KitError
from ..lessons import Lesson
from ..mode import mode_of
from ..own.regions import own_part
from ..progress import LessonProgress, record_grade, timestamp
from .own import lesson_in_hand
from .payload import Call, Payload, cut
from .records import Record, load, mark, save

BLOCKS_AT_MOST = 8
SHOWN_AT_MOST = 5
_STEPS = (
    "Where only one step of the lesson was agreed on: say what is open, and end the turn. The rest "
    "is not asked for by this."
)


def stopping(call: Call) -> Payload:
    """Nothing when the turn may end; else a block with what is not done."""
    record = load(call.root).get(call.session, Record())
    now = mark(call.root)
    if call.payload.get("stop_hook_active") or record.mark == now:
        return {}
    try:
        reason = _open(call, record.mark)
    except KitError as error:
        return {"systemMessage": f"headwater hook stop could not grade: {error.what}"}
    if not reason:
        save(call.root, call.session, Record(now))
        return {}
    return _block(call, record, reason)


def _block(call: Call, record: Record, reason: str) -> Payload:
    if record.blocks >= BLOCKS_AT_MOST:
        return {"systemMessage": cut(f"Not done, after {record.blocks} reminders.\n\n{reason}")}
    record.blocks += 1
    save(call.root, call.session, record)
    return {"decision": "block", "reason": cut(reason)}


def _open(call: Call, began: str) -> str:
    """What is not done yet, as facts; empty when all is well.

    Args:
        call: the event.
        began: the code's mark when the session began, empty where nobody saw it begin.
    """
    if not (call.root / "backend").is_dir():
        return ""
    in_hand = lesson_in_hand(call.root)
    errors = [each for each in check_project(call.root) if each.severity == "error"]
    if in_hand is None:
        return _errors(errors or load_findings(call.root))
    lesson, record = in_hand
    aside = mode_of(call.root) == "tutor" or (bool(began) and _untried(call, lesson, record))
    if aside:  # the lesson's files are the learner's to mend, or as the lesson laid them
        return _errors([each for each in errors if each.path not in lesson.files])
    return _errors(errors) or _grade(call, lesson)


def _untried(call: Call, lesson: Lesson, record: LessonProgress) -> bool:
    """Whether a lesson was begun, and nothing else: no run of it, and no line of its part."""
    return not record.objectives and own_part(call.root, lesson) == record.sources


def _errors(errors: list[Finding]) -> str:
    """The errors as a reason to go on; empty without any."""
    if not errors:
        return ""
    count = "1 error" if len(errors) == 1 else f"{len(errors)} errors"
    rest = len(errors) - SHOWN_AT_MOST
    parts = [f"headwater check finds {count} in backend/ (HW504: finish honestly)."]
    parts += [each.render() for each in errors[:SHOWN_AT_MOST]]
    parts += [f"{rest} more: uv run headwater check"] if rest > 0 else []
    return "\n\n".join(parts)


def _grade(call: Call, lesson: Lesson) -> str:
    """Why the lesson in hand does not pass; empty when it does. The run counts as any other."""
    from ..grader.grader import grade  # heavy, and needed only here

    result = grade(call.root, lesson)
    met = {each.id: each.met for each in result.objectives}
    record_grade(call.root, lesson, met, timestamp())
    if result.passed:
        return ""
    wanting = ", ".join(each.id for each in result.objectives if not each.met)
    parts = [f"headwater grade {lesson.number}: not yet; open: {wanting} (HW504)."]
    failed = [each for each in result.checks if each.finding is not None]
    parts += [str(each) for each in failed[:SHOWN_AT_MOST]]
    parts.append(_STEPS)
    return "\n\n".join(parts)
