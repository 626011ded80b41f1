"""What the JSON files of a generated project may hold, as strict JSON Schemas of our own.

They allow less than the published ones do (SchemaStore's `claude-code-settings.json`,
`tsconfig.json` and `package.json`; the reference of `.mcp.json`): every key that our files do not
use is refused, because one that is misspelt would be dropped without a word by the tool that reads
it. The published files are not copied into this repository.
"""

from __future__ import annotations

from typing import Any

EVENTS = ("SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "Stop")
TOOLS = "Agent|Bash|Edit|Glob|Grep|PowerShell|Read|Skill|Write"
TEXT = {"type": "string", "minLength": 1}
TEXTS = {"type": "array", "items": TEXT, "uniqueItems": True}


def closed(required: str, **properties: Any) -> dict[str, Any]:
    """An object with these keys and no others."""
    shape = {"type": "object", "additionalProperties": False, "properties": properties}
    return shape | {"required": required.split()}


RULES = {
    "type": "array",
    "uniqueItems": True,
    "items": {"type": "string", "pattern": rf"^(?:(?:{TOOLS})(?:\([^)]+\))?|mcp__[\w-]+)$"},
}
COMMAND = closed(
    "type command args timeout",
    type={"const": "command"},
    command=TEXT,
    args={"type": "array", "items": {"type": "string"}},
    timeout={"type": "number", "exclusiveMinimum": 0},
    statusMessage=TEXT,
)
MATCHED = closed("hooks", matcher=TEXT, hooks={"type": "array", "minItems": 1, "items": COMMAND})
SETTINGS = closed(
    "$schema outputStyle permissions hooks statusLine enabledMcpjsonServers",
    **{"$schema": {"const": "https://json.schemastore.org/claude-code-settings.json"}},
    outputStyle=TEXT,
    permissions=closed(
        "defaultMode allow ask deny",
        defaultMode={"enum": ["default", "acceptEdits", "plan", "bypassPermissions"]},
        allow=RULES,
        ask=RULES,
        deny=RULES,
    ),
    hooks=closed(
        " ".join(EVENTS), **{name: {"type": "array", "items": MATCHED} for name in EVENTS}
    ),
    statusLine=closed("type command", type={"const": "command"}, command=TEXT),
    enabledMcpjsonServers=TEXTS,
)
MCP = closed(
    "mcpServers",
    mcpServers={
        "type": "object",
        "minProperties": 1,
        "additionalProperties": closed(
            "command args",
            command=TEXT,
            args={"type": "array", "items": {"type": "string"}},
            env={"type": "object", "additionalProperties": {"type": "string"}},
        ),
    },
)
NAMES = {"type": "object", "additionalProperties": TEXT}
PACKAGE = closed(
    "name private type scripts dependencies devDependencies",
    name={"type": "string", "pattern": "^[a-z][a-z0-9._-]*$"},
    private={"const": True},
    version=TEXT,
    type={"const": "module"},
    engines=NAMES,
    scripts=NAMES,
    dependencies=NAMES,
    devDependencies=NAMES,
)
FLAGS = """strict noEmit skipLibCheck isolatedModules verbatimModuleSyntax noUnusedLocals
noUnusedParameters noFallthroughCasesInSwitch noUncheckedIndexedAccess"""
TSCONFIG = closed(
    "compilerOptions include",
    include=TEXTS,
    compilerOptions=closed(
        "strict noEmit",
        **{name: {"type": "boolean"} for name in FLAGS.split()},
        target=TEXT,
        module=TEXT,
        moduleResolution={"enum": ["bundler", "node16", "nodenext"]},
        jsx={"enum": ["react-jsx", "preserve"]},
        lib=TEXTS,
        types=TEXTS,
    ),
)
LOCK = {"type": "object", "required": ["lockfileVersion", "packages"]}
BY_NAME = {
    ".claude/settings.json": SETTINGS,
    ".mcp.json": MCP,
    "frontend/package.json": PACKAGE,
    "frontend/tsconfig.json": TSCONFIG,
    "frontend/package-lock.json": LOCK,
}
"""Every JSON file that a project may have, with what it may hold."""
