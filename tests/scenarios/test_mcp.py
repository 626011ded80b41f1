"""An assistant's tools, by MCP: in memory, with clients of both eras, on a server that runs."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from mcp.shared.exceptions import MCPError

from tests.scenarios.assistant import MODES, Assistant, tell
from tests.scenarios.server_process import DEADLINE_S, ServerProcess

TOOLS = {
    *("status", "env_names", "tables", "data", "query_once", "functions", "run", "logs"),
    *("insights", "check", "explain", "wait_for_change"),
}

REFUSALS: list[tuple[str, dict[str, Any], str]] = [
    ("query_once", {"table": "counters", "index": "by_nam"}, "Did you mean `by_name`?"),
    ("data", {"table": "countres"}, "there is no table 'countres'"),
    ("run", {"name": "failures:broken"}, "ValueError: the cable is out"),
    ("run", {"name": "counters:reed"}, "Did you mean 'counters:read'?"),
    ("explain", {"code": "HW2033"}, "did you mean HW203?"),
    ("check", {"paths": ["/etc/passwd"]}, "no file of this project"),
    ("data", {"table": "counters", "limit": 101}, "less than or equal to 100"),
    ("wait_for_change", {"query": "failures:broken_query"}, "ZeroDivisionError"),
    ("wait_for_change", {}, "either `query`"),
]
"""Calls that cannot be, and what is said."""


@pytest.mark.parametrize("mode", MODES)
def test_both_eras_find_the_tools(server: ServerProcess, mode: str) -> None:
    """All of them, described; the words that decide whether they are found fit into 2 KB."""

    async def story(assistant: Assistant) -> None:
        listed = (await assistant.client.list_tools()).tools
        assert {tool.name for tool in listed} >= TOOLS
        assert all(tool.description and len(tool.description) < 2048 for tool in listed)
        assert all(tool.output_schema for tool in listed)
        assert len(assistant.client.instructions or "") < 2048
        assert (await assistant.told("status"))["running"] is True

    tell(server.project, story, mode=mode)


def test_data_is_read_and_written(server: ServerProcess, name: str) -> None:
    """A function is found with its schema and run; its document is then in the table."""

    async def story(assistant: Assistant) -> None:
        functions = (await assistant.told("functions", kind="mutation"))["functions"]
        (spec,) = [one for one in functions if one["name"] == "counters:increment"]
        assert spec["args"]["properties"] == {"name": {"type": "string"}}
        some = (await assistant.told("functions", name="counters:"))["functions"]
        assert {one["name"].partition(":")[0] for one in some} == {"counters"}
        assert (await assistant.told("run", name="counters:increment", args={"name": name})) == {
            "value": 1
        }
        wanted = {"table": "counters", "index": "by_name", "eq": {"name": name}}
        (document,) = (await assistant.told("query_once", **wanted))["documents"]
        assert document["value"] == 1
        newest = (await assistant.told("data", table="counters", limit=1))["documents"]
        assert newest == [document]
        tables = (await assistant.told("tables"))["tables"]
        (counters,) = [table for table in tables if table["name"] == "counters"]
        assert counters["indexes"] == {"by_name": ["name"]}
        assert counters["schema"]["properties"]["value"] == {"type": "integer"}

    tell(server.project, story)


def test_a_person_can_be_taken_on(server: ServerProcess) -> None:
    """as_identity makes the function's caller that person."""

    async def story(assistant: Assistant) -> Any:
        return await assistant.told("run", name="people:whoami", as_identity="ana")

    assert tell(server.project, story) == {"value": "ana"}


def test_a_refusal_says_why(server: ServerProcess) -> None:
    """What the assistant reads is the error's own text, with the way on."""

    async def story(assistant: Assistant) -> None:
        for tool, arguments, text in REFUSALS:
            assert text in await assistant.refused(tool, **arguments), (tool, arguments)

    tell(server.project, story)


def test_it_waits_for_a_write_to_a_table(server: ServerProcess, name: str) -> None:
    """Somebody else's mutation ends the wait; one between two calls is not lost."""

    async def story(assistant: Assistant) -> None:
        first = await assistant.told("wait_for_change", table="counters", timeout_s=0.5)
        assert first["changed"] is False
        wanted = {"table": "counters", "mark": first["mark"], "timeout_s": DEADLINE_S}
        waiting = asyncio.create_task(assistant.told("wait_for_change", **wanted))
        await asyncio.to_thread(server.call, "mutation", "counters:increment", name=name)
        assert (await waiting)["changed"] is True
        assert (await assistant.told("wait_for_change", **wanted))["changed"] is True

    tell(server.project, story)


@pytest.mark.parametrize("mode", MODES)
def test_it_waits_for_a_change_made_elsewhere(server: ServerProcess, name: str, mode: str) -> None:
    """The call is open while somebody else's mutation runs, and comes back with its result."""
    name = f"{name} {mode}"

    async def story(assistant: Assistant) -> None:
        query = {"query": "counters:read", "args": {"name": name}}
        first = await assistant.told("wait_for_change", **query, timeout_s=0.5)
        assert (first["changed"], first["value"]) == (False, 0)
        waiting = asyncio.create_task(
            assistant.told("wait_for_change", **query, mark=first["mark"], timeout_s=DEADLINE_S)
        )
        await asyncio.to_thread(server.call, "mutation", "counters:increment", name=name)
        changed = await waiting
        assert (changed["changed"], changed["value"]) == (True, 1)
        missed = await assistant.told("wait_for_change", **query, mark=first["mark"])
        assert missed == changed, "what changed between two calls is not lost"

    tell(server.project, story, mode=mode)


def test_read_only_runs_queries_alone(server: ServerProcess, name: str) -> None:
    """A mutation is refused with the way on, and nothing was written; the tool says it reads."""

    async def story(assistant: Assistant) -> None:
        text = await assistant.refused("run", name="counters:increment", args={"name": name})
        assert "--read-only" in text
        assert await assistant.told("run", name="counters:read", args={"name": name}) == {
            "value": 0
        }
        listed = {tool.name: tool for tool in (await assistant.client.list_tools()).tools}
        hints = listed["run"].annotations
        assert hints is not None
        assert hints.read_only_hint is True

    tell(server.project, story, read_only=True)


def test_tools_can_be_left_out(server: ServerProcess) -> None:
    """A tool that is left out is neither listed nor called; run is marked as one that writes."""

    async def story(assistant: Assistant) -> None:
        listed = {tool.name: tool for tool in (await assistant.client.list_tools()).tools}
        assert "env_names" not in listed
        assert "Unknown tool" in await assistant.refused("env_names")
        hints = listed["run"].annotations
        assert hints is not None
        assert hints.destructive_hint is True

    tell(server.project, story, without=["env_names"])


def test_logs_and_insights_tell_of_calls(server: ServerProcess) -> None:
    """A failed call is in the logs, and insights name its function."""

    async def story(assistant: Assistant) -> None:
        await assistant.refused("run", name="failures:broken")
        newest = (await assistant.told("logs", status="error", limit=1))["entries"][-1]
        assert newest["function"] == "failures:broken"
        later = await assistant.told("logs", since=newest["time"], status="error")
        assert later == {"entries": [], "left_off": 0}
        short = await assistant.told("logs", max_tokens=100, limit=1000)
        assert short["left_off"] > 0
        functions = {one["function"] for one in (await assistant.told("insights"))["insights"]}
        assert "failures:broken" in functions

    tell(server.project, story)


def test_resources_have_addresses(server: ServerProcess) -> None:
    """Schema, functions, a table and a rule are read; what there is not is refused with words."""

    async def story(assistant: Assistant) -> None:
        assert "by_name" in await assistant.read("headwater://schema")
        assert "counters:read" in await assistant.read("headwater://functions")
        assert "documents" in json.loads(await assistant.read("headwater://tables/counters"))
        assert "HW203" in await assistant.read("headwater://rules")
        assert "httpx" in await assistant.read("headwater://rules/HW203")
        with pytest.raises(MCPError, match="there is no table 'nix'"):
            await assistant.read("headwater://tables/nix")

    tell(server.project, story)


def test_prompts_are_filled_with_what_is_there(server: ServerProcess) -> None:
    """A review has the checker's findings, an explanation the newest failure of that function."""

    async def story(assistant: Assistant) -> None:
        names = {prompt.name for prompt in (await assistant.client.list_prompts()).prompts}
        assert names == {"review", "explain-failure"}
        assert "Review backend/ of" in await assistant.prompt("review")
        await assistant.refused("run", name="failures:broken")
        text = await assistant.prompt("explain-failure", function="failures:broken")
        assert "the cable is out" in text
        text = await assistant.prompt("explain-failure", function="counters:read")
        assert "the cable is out" not in text

    tell(server.project, story)


def test_without_a_server_it_says_how_to_start_one(tmp_path: Path) -> None:
    """status says so, what needs no server works, the rest is refused with the command."""

    async def story(assistant: Assistant) -> None:
        status = await assistant.told("status")
        assert status["running"] is False
        assert "headwater dev" in status["problem"]
        assert "headwater dev" in await assistant.refused("tables")
        assert "headwater dev" in await assistant.refused("wait_for_change", query="a:b")
        assert (await assistant.told("explain", code="HW401"))["code"] == "HW401"
        assert "findings" in await assistant.told("check")

    tell(ServerProcess(tmp_path).project, story)


@pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")
def test_an_older_client_is_told_when_a_resource_changes(server: ServerProcess, name: str) -> None:
    """It subscribes by a request, and the news comes on its connection, until it leaves off."""
    table = "headwater://tables/counters"
    news: asyncio.Queue[str] = asyncio.Queue()

    async def take(message: Any) -> None:
        uri = getattr(getattr(message, "params", None), "uri", None)
        if uri is not None:
            news.put_nowait(str(uri))

    async def story(assistant: Assistant) -> None:
        await assistant.client.subscribe_resource(table)

        async def write() -> None:
            while True:  # the first ones may come before the server was asked
                await asyncio.to_thread(server.call, "mutation", "counters:increment", name=name)

        writing = asyncio.create_task(write())
        async with asyncio.timeout(DEADLINE_S):
            assert await news.get() == table
        writing.cancel()
        await assistant.client.unsubscribe_resource(table)

    tell(server.project, story, mode="legacy", client={"message_handler": take})


def test_a_resource_tells_when_it_changes(server: ServerProcess, name: str) -> None:
    """Who listens to a table is told of somebody else's mutation; another table's is silent."""

    async def story(assistant: Assistant) -> None:
        table = "headwater://tables/counters"
        others = "headwater://tables/marks"
        async with assistant.client.listen(resource_subscriptions=[table, others]) as events:

            async def write() -> None:
                while True:  # the first ones may come before the server was asked
                    await asyncio.to_thread(
                        server.call, "mutation", "counters:increment", name=name
                    )

            writing = asyncio.create_task(write())
            async with asyncio.timeout(DEADLINE_S):
                event = await anext(aiter(events))
            writing.cancel()
            assert getattr(event, "uri", None) == table

    tell(server.project, story)
