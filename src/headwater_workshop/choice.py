"""Which lesson, and which objective of it, a learner's word means."""

from __future__ import annotations

from .lessons import Lesson, LessonError, find_lesson, load_lessons
from .progress import Progress


def chosen_lesson(word: str | None, progress: Progress) -> Lesson:
    """The lesson that is named; else the current one, or the first that is not done."""
    lessons = load_lessons()
    if word is not None:
        return find_lesson(word, lessons)
    open_lessons = [each for each in lessons if not progress.of(each).over]
    current = [each for each in open_lessons if each.name == progress.current]
    return (current or open_lessons or list(lessons))[0]


def lesson_in_view(word: str | None, progress: Progress) -> Lesson:
    """The lesson that is named; else the current one, though it is done: one may look back at it.

    So who has just passed a lesson is not shown the solution of the one after it.
    """
    current = [each for each in load_lessons() if each.name == progress.current]
    return chosen_lesson(word, progress) if word or not current else current[0]


def chosen_objective(word: str | None, progress: Progress) -> tuple[Lesson, str]:
    """The objective that is named; else the lesson's first that the grader has not seen met."""
    name, dot, _ = (word or "").partition(".")
    lesson = chosen_lesson(name or None, progress)
    if dot and word is not None:
        objective = word.upper()
        if objective in lesson.hints:
            return lesson, objective
        known = ", ".join(each.id for each in lesson.objectives)
        fix = f"ask for one of {known}"
        raise LessonError(f"There is no objective {word!r}.", where=lesson.name, fix=fix)
    met = progress.of(lesson).objectives
    ids = [each.id for each in lesson.objectives]
    return lesson, next((each for each in ids if not met.get(each)), ids[0])
