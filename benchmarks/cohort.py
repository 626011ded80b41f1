"""How long a cohort takes: `python -m benchmarks.cohort [SUBMISSIONS] [JOBS]`.

Forty submissions by default, as far as learners come: some are done, some are in the middle of the
course with the mistakes it expects, and every eighth is hostile. Each is graded against every
lesson; the goal is 20 minutes on two cores.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping
from itertools import cycle, islice
from pathlib import Path
from time import perf_counter

from headwater_workshop.cohort.grading import grade_cohort
from headwater_workshop.cohort.submissions import submissions
from headwater_workshop.lessons import load_lessons
from headwater_workshop.proof.cheats import CHEATS
from headwater_workshop.stages import stage, variant, write

HOSTILE = ("infinite-loop", "output-flood", "sleep-on-import", "endless-frame", "daemon")
EACH_HOSTILE = 8


def trees(count: int) -> Iterator[tuple[str, Mapping[str, bytes]]]:
    """So many submissions, by name."""
    lessons = load_lessons()
    stages = cycle(stage(lesson.number) for lesson in lessons)
    mistakes = cycle(variant(each, f"wrong/{name}") for each in lessons for name in each.wrong)
    attacks = cycle(CHEATS[name].project() for name in HOSTILE)
    for number in range(1, count + 1):
        if number % EACH_HOSTILE == 0:
            yield f"hostile-{number:02}", next(attacks)
        elif number % 2:
            yield f"learner-{number:02}", next(islice(mistakes, 3, None))
        else:
            yield f"learner-{number:02}", next(stages)


def main(count: int, jobs: int) -> None:
    """Grade a cohort and print what it took."""
    lessons = load_lessons()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, tree in trees(count):
            write(tree, root / "submissions" / name)
        started = perf_counter()
        done = 0

        def told(name: str) -> None:
            nonlocal done
            done += 1
            print(f"\r{done} of {count * len(lessons)}", end="", file=sys.stderr, flush=True)

        book = grade_cohort(
            submissions(root / "submissions"), lessons, root / "out", jobs=jobs, seed=1, told=told
        )
        seconds = perf_counter() - started
    graded = sum(len(each.lessons) for each in book)
    problems = [f"{each.name}: {each.problem}" for each in book if each.problem]
    print(f"\n{count} submissions x {len(lessons)} lessons on {jobs} jobs: {seconds / 60:.1f} min,")
    print(
        f"{graded} gradings, {seconds / max(1, graded):.2f} s each; {len(problems)} not to the end"
    )
    print("\n".join(problems))


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else 40, int(sys.argv[2]) if len(sys.argv) > 2 else 2
    )
