"""Runs `headwater hook EVENT` in the project's environment, for Claude Code.

    python3 headwater_hook.py pre-tool-use < payload.json

Standard library only, for Python 3.7 and newer. A hook that cannot do its work must not stop
anybody's: a process that ends with 2 blocks every edit, so this one ends with 0 whatever happens,
refuses only by the JSON that headwater answers, and says what is missing as a fact.
`headwater doctor` tries it.
"""

import json
import os
import subprocess
import sys

NAMES = {
    "session-start": "SessionStart",
    "user-prompt-submit": "UserPromptSubmit",
    "pre-tool-use": "PreToolUse",
    "post-tool-use": "PostToolUse",
    "stop": "Stop",
}
# Each shorter than the time that settings.json allows, so that this program has the last word.
SECONDS = {"session-start": 15, "user-prompt-submit": 8, "pre-tool-use": 10, "post-tool-use": 20}
LONGEST = 110
PLACES = ((".venv", "bin", "headwater"), (".venv", "Scripts", "headwater.exe"))


def project():
    """The project's folder: as Claude Code says, else the one this file is in."""
    here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    told = os.environ.get("CLAUDE_PROJECT_DIR", "")
    return told if os.path.isdir(told) else here


def program(root):
    """The headwater of the project's environment; None without one."""
    paths = (os.path.join(root, *place) for place in PLACES)
    return next((path for path in paths if os.path.isfile(path)), None)


def answer(event, payload):
    """What headwater answers, as a dictionary; a fact when it cannot be asked."""
    root = project()
    command = program(root)
    if command is None:
        return fact(event, "there is no headwater in .venv; README.md says how to set it up")
    surroundings = dict(os.environ, PYTHONUTF8="1", CLAUDE_PROJECT_DIR=root)
    try:
        done = subprocess.run(
            [command, "hook", event],
            input=payload,
            capture_output=True,
            cwd=root,
            env=surroundings,
            timeout=SECONDS.get(event, LONGEST),
        )
    except subprocess.TimeoutExpired as slow:
        return fact(event, f"no answer within {slow.timeout} seconds")
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        last = said[-1][:300] if said else "it said nothing"
        return fact(event, f"headwater ended with {done.returncode}: {last}")
    found = json.loads(done.stdout.decode("utf-8") or "{}")
    return found if isinstance(found, dict) else fact(event, "its answer is no JSON object")


def fact(event, text):
    """An answer that allows everything, and says that nothing was checked and why."""
    text = f"headwater hook {event} did not run, so nothing was checked: {text}."
    told = {"systemMessage": text + " `headwater doctor` says more."}
    if event in NAMES and event != "stop":  # words to the assistant at the end would make it go on
        told["hookSpecificOutput"] = {"hookEventName": NAMES[event], "additionalContext": text}
    return told


def main():
    """Answer one event; the payload comes on standard input."""
    event = sys.argv[-1]
    try:
        told = answer(event, sys.stdin.buffer.read())
    except Exception as error:  # whatever it is, work goes on
        told = fact(event, f"{type(error).__name__}: {error}")
    if told:
        sys.stdout.write(json.dumps(told))
        sys.stdout.flush()


if __name__ == "__main__":
    try:
        main()
    finally:
        os._exit(0)  # 0 even if nobody reads the answer
