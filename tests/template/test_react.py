"""The page in React in a real browser, as `headwater dev` serves it: two windows, two people."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, FilePayload, Locator, Page, expect

from tests.scenarios.chromium import chromium
from tests.scenarios.held_line import HeldLine
from tests.scenarios.react.test_services import png
from tests.scenarios.server_process import DEADLINE_S, ServerProcess, wait_for
from tests.template.react_project import react_project

OpenPage = Callable[..., Page]
LATENCY_S = 0.8
expect.set_options(timeout=DEADLINE_S * 1000)

# What a test wants refused: a task of this name cannot be toggled.
REFUSAL = """
    from headwater import AppError
    refused = await ctx.db.get(task_id)
    if refused is not None and refused.title == "Refuse me":
        raise AppError({"code": "FORBIDDEN", "message": "Not today."})
"""
FILLER = '''
from backend.schema import Message, Project, Room
from headwater import Id, MutationCtx, internal_mutation


@internal_mutation
async def fill(ctx: MutationCtx, project_id: Id[Project]) -> None:
    """Thirty messages in the first room of a project, faster than anybody may send them."""
    room = await ctx.db.query(Room).with_index("by_project", project_id=project_id).first()
    assert room is not None
    for n in range(30):
        said = Message(content=f"number {n}", user_id="ana", room_id=room.id, timestamp=ctx.now + n)
        await ctx.db.insert(said)
'''
TOGGLE = '"""Complete an open task, or open a completed one."""'


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all windows."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    """A new complete project with sample data, served for development; one task is refused."""
    folder = tmp_path_factory.mktemp("react")
    assert request.config.cache is not None
    project = react_project(folder / "my-app", request.config.cache, "complete")
    tasks = project / "backend/tasks.py"
    assert TOGGLE in tasks.read_text()
    tasks.write_text(tasks.read_text().replace(TOGGLE, TOGGLE + REFUSAL))
    (project / "backend/filler.py").write_text(FILLER)
    process = ServerProcess(folder, project=project)
    try:
        process.start("dev")
        process.run("run", "seed:sample_data")
        yield process
    finally:
        process.end()


@pytest.fixture(scope="module")
def line(server: ServerProcess) -> Iterator[HeldLine]:
    """A line to the server that can be held."""
    held = HeldLine(server.port)
    yield held
    held.end()


@pytest.fixture(scope="module")
def open_page(server: ServerProcess, browser: Browser) -> Iterator[OpenPage]:
    """Opens a window of its own and signs in; pages that complain fail the last test."""
    faults: list[str] = []
    contexts = []

    def open_(person: str, place: str = "", url: str = "") -> Page:
        context = browser.new_context()
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(f"{url or server.url}/{place}")
        page.get_by_label("Name").fill(person)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("status").first).to_have_text("live")
        expect(page.get_by_role("navigation")).to_be_visible()
        page.evaluate("window.loadedOnce = true")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture(scope="module")
def windows(open_page: OpenPage) -> tuple[Page, Page]:
    """Ana's window and ben's, for all tests."""
    return open_page("ana"), open_page("ben")


@pytest.fixture
def ana(windows: tuple[Page, Page]) -> Page:
    """Ana's window, where one begins."""
    return at_home(windows[0])


@pytest.fixture
def ben(windows: tuple[Page, Page]) -> Page:
    """Ben's window, where one begins."""
    return at_home(windows[1])


@pytest.fixture(scope="module")
def slow(open_page: OpenPage, line: HeldLine) -> Page:
    """Carla's window, behind a line that can be held."""
    return open_page("carla", url=line.url)


def at_home(page: Page) -> Page:
    """The window at its first place, whatever the test before left."""
    page.get_by_role("link", name="My day").click()
    expect(page.get_by_role("heading", name="Lobby")).to_be_visible()
    return page


def not_reloaded(page: Page) -> bool:
    """Whether the page is still the one that was opened."""
    return bool(page.evaluate("window.loadedOnce === true"))


def add_task(page: Page, title: str) -> Locator:
    """Adds a task in the page; gives its box, once the server knows the task."""
    page.get_by_label("New task").fill(title)
    page.get_by_label("New task").press("Enter")
    box = page.get_by_role("checkbox", name=title)
    expect(box).to_be_enabled()
    return box


def start_project(owner: Page, name: str) -> None:
    """Starts a project, whose page opens."""
    unfold(owner)
    owner.get_by_label("New project").fill(name)
    owner.get_by_role("button", name="Create").click()
    expect(owner.get_by_role("heading", name=name)).to_be_visible()


def unfold(page: Page) -> None:
    """Shows the forms for projects, if they are folded."""
    if not page.get_by_label("New project").is_visible():
        page.get_by_text("New or join").click()


def share_project(owner: Page, other: Page, name: str) -> None:
    """Starts a project in one window and joins it in the other by an invitation."""
    start_project(owner, name)
    owner.get_by_role("button", name="People").click()
    owner.get_by_role("button", name="Invite somebody").click()
    code = owner.get_by_label("Code", exact=True).input_value()
    unfold(other)
    other.get_by_label("Invitation code").fill(code)
    other.get_by_role("button", name="Join").click()
    expect(other.get_by_role("heading", name=name)).to_be_visible()


# --- tasks ---


def test_a_task_of_one_person_changes_in_the_window_of_another(ana: Page, ben: Page) -> None:
    """Ana invites ben into a project; what she adds and completes, he sees without a reload."""
    share_project(ana, ben, "Picnic")
    box = add_task(ana, "Bring plates")
    seen = ben.get_by_role("checkbox", name="Bring plates")
    expect(seen).not_to_be_checked()
    box.check()
    expect(seen).to_be_checked()
    expect(ben.get_by_text("0 open, 1 completed")).to_be_visible()
    assert not_reloaded(ana)
    assert not_reloaded(ben)


def test_a_toggle_shows_at_once_however_late_the_answer(slow: Page, line: HeldLine) -> None:
    """With 800 ms on the line the box is checked before anything has come back, and stays so."""
    box = add_task(slow, "Water the garden")
    line.hold()
    box.click()
    expect(box).to_be_checked()
    late = threading.Timer(LATENCY_S, line.release)
    late.start()
    expect(slow.get_by_text("0 open")).to_be_visible()
    late.join()
    slow.reload()
    expect(box).to_be_checked()
    expect(slow.get_by_role("alert")).to_be_empty()


def test_a_refused_toggle_is_taken_back(slow: Page, line: HeldLine) -> None:
    """Shown at once, then refused: open again, with the backend's own words."""
    box = add_task(slow, "Refuse me")
    line.hold()
    box.click()
    expect(box).to_be_checked()
    late = threading.Timer(LATENCY_S, line.release)
    late.start()
    expect(slow.get_by_role("alert")).to_contain_text("Not today.")
    late.join()
    expect(box).not_to_be_checked()
    slow.get_by_role("button", name="Dismiss").click()
    expect(slow.get_by_role("alert")).to_be_empty()


# --- talking ---


def test_two_people_talk_and_see_each_other(ana: Page, ben: Page) -> None:
    """A message shows its sender, as text; who is in the room is named, until they go."""
    for page in (ana, ben):
        expect(page.get_by_label("Who is here")).to_contain_text("ana")
        expect(page.get_by_label("Who is here")).to_contain_text("ben")
    ana.get_by_label("Message", exact=True).fill("Is <b>anybody</b> there?")
    ana.get_by_role("button", name="Send").click()
    for page, mine in ((ana, True), (ben, False)):
        row = page.get_by_role("log").get_by_role("listitem").last
        expect(row).to_contain_text("Is <b>anybody</b> there?")
        expect(row.locator("strong")).to_have_text("ana")
        assert ("mine" in (row.get_attribute("class") or "")) is mine
    ben.get_by_role("link", name="Assistant").click()
    expect(ana.get_by_label("Who is here")).not_to_contain_text("ben")


@pytest.mark.prove
def test_older_messages_come_when_asked_for_and_are_found(server: ServerProcess, ana: Page) -> None:
    """The newest page first; a search follows each key and reaches what is not loaded."""
    start_project(ana, "Long talk")
    ana.get_by_label("New room").fill("kitchen")
    ana.get_by_role("button", name="Open", exact=True).click()
    expect(ana.get_by_text("Nobody has said anything yet.")).to_be_visible()
    project_id = ana.url.rpartition("/")[2]
    server.run("run", "filler:fill", f'{{"project_id": "{project_id}"}}')
    ana.reload()
    said = ana.get_by_role("log").get_by_role("listitem")
    expect(said.last).to_contain_text("number 29")
    expect(said).to_have_count(20)
    ana.get_by_role("button", name="Load older messages").click()
    expect(said).to_have_count(30)
    ana.get_by_label("Search this room").press_sequentially("number 3")
    expect(said.first).to_contain_text("number 3")
    expect(ana.get_by_text(re.compile("^[1-9][0-9]* found"))).to_be_visible()
    ana.get_by_label("Search this room").fill("nothing of the kind")
    expect(ana.get_by_text("Nothing found.")).to_be_visible()
    ana.get_by_label("Search this room").fill("")
    expect(said.last).to_contain_text("number 29")


def test_an_answer_of_the_model_grows_on_the_page(ben: Page) -> None:
    """It appears empty, grows while it streams, and is whole; the stand-in answers offline."""
    page = ben
    page.get_by_role("link", name="Assistant").click()
    page.get_by_label("Question").fill("What is a reactive backend?")
    page.get_by_role("button", name="Ask").click()
    answer = page.get_by_role("log").get_by_role("listitem").last
    expect(answer).to_have_attribute("data-status", "streaming")
    said = answer.locator(".said")
    expect(said).not_to_be_empty()
    first = said.text_content() or ""
    wait_for(lambda: len(said.text_content() or "") > len(first), "the answer grows")
    expect(answer).to_have_attribute("data-status", "done")
    assert (said.text_content() or "").startswith(first)


# --- files ---


def test_a_logo_is_uploaded_and_shown_to_all(ana: Page, ben: Page) -> None:
    """The owner chooses a picture, the other sees it; what is none is refused in plain words."""
    share_project(ana, ben, "Band")
    expect(ben.get_by_label("Choose a logo")).to_have_count(0)
    wrong: FilePayload = {"name": "a.txt", "mimeType": "text/plain", "buffer": b"text"}
    ana.get_by_label("Choose a logo").set_input_files(wrong)
    expect(ana.get_by_role("alert")).to_contain_text("A logo is a PNG")
    picture: FilePayload = {"name": "a.png", "mimeType": "image/png", "buffer": png(64, 64)}
    ana.get_by_label("Choose a logo").set_input_files(picture)
    shown = ben.get_by_role("img", name="Logo of Band")
    expect(shown).to_be_visible()
    wait_for(lambda: shown.evaluate("it => it.naturalWidth") == 64, "the picture is decoded")
    expect(ana.get_by_role("alert")).to_be_empty()


# --- who one is, and where ---


@pytest.mark.prove
def test_signing_out_leaves_nothing_on_the_page(open_page: OpenPage) -> None:
    """Neither tasks nor talk; another person who signs in sees their own."""
    page = open_page("frida")
    add_task(page, "Hers alone")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Who are you?")).to_be_visible()
    expect(page.get_by_text("Hers alone")).to_have_count(0)
    page.get_by_label("Name").fill("gustav")
    page.get_by_label("Name").press("Enter")
    expect(page.get_by_text("Nothing to do.")).to_be_visible()
    expect(page.get_by_text("Hers alone")).to_have_count(0)


@pytest.mark.prove
def test_a_project_of_others_is_not_shown(ana: Page, open_page: OpenPage) -> None:
    """Its address says no more than that of a project that never was; nonsense is refused, too."""
    start_project(ana, "Private")
    place = f"#{ana.url.partition('#')[2]}"
    stranger = open_page("hugo", place)
    expect(stranger.get_by_text("This project does not exist")).to_be_visible()
    expect(stranger.get_by_text("Private")).to_have_count(0)
    stranger.goto(f"{stranger.url.partition('#')[0]}#/projects/nonsense")
    expect(stranger.get_by_role("button", name="Try again")).to_be_visible()
    stranger.get_by_role("link", name="My day").click()
    expect(stranger.get_by_role("heading", name="Your tasks")).to_be_visible()


# --- both sides are fresh ---


def test_both_sides_are_fresh_after_a_save(server: ServerProcess, open_page: OpenPage) -> None:
    """A component that is saved shows in the open page, a function too; neither reloads it."""
    page = open_page("ida")
    add_task(page, "Stays")
    component = server.project / "frontend/src/Tasks.tsx"
    component.write_text(component.read_text().replace("Your tasks", "All that is mine"))
    expect(page.get_by_role("heading", name="All that is mine")).to_be_visible()
    function = server.project / "backend/tasks.py"
    before = function.read_text()
    function.write_text(before.replace("Not today.", "Never."))
    add_task(page, "Refuse me")
    box = page.get_by_role("checkbox", name="Refuse me")

    def refused_anew() -> bool:
        box.click()
        expect(page.get_by_role("alert")).not_to_be_empty()
        return "Never." in (page.get_by_role("alert").text_content() or "")

    wait_for(refused_anew, "the new function answers")
    assert not_reloaded(page)


GUIDE = """
import { ConvexProviderWithAuth, ConvexReactClient, useMutation, useQuery } from "convex/react";
import { createRoot } from "react-dom/client";
import { useCallback, useMemo } from "react";
import { api } from "../convex/_generated/api";

const convex = new ConvexReactClient(window.location.origin);

function useAuth() {
  const fetchAccessToken = useCallback(async () => {
    const body = JSON.stringify({ subject: "jan" });
    const reply = await fetch("/dev/token", { method: "POST", body });
    return (await reply.json()).token as string;
  }, []);
  return useMemo(
    () => ({ isLoading: false, isAuthenticated: true, fetchAccessToken }),
    [fetchAccessToken],
  );
}

function Tasks() {
  const tasks = useQuery(api.tasks.getTasks);
  const createTask = useMutation(api.tasks.createTask);
  const toggleTask = useMutation(api.tasks.toggleTask).withOptimisticUpdate(
    (localStore, args) => {
      const tasks = localStore.getQuery(api.tasks.getTasks);
      if (tasks !== undefined) {
        localStore.setQuery(
          api.tasks.getTasks,
          {},
          tasks.map((task) =>
            task._id === args.taskId ? { ...task, completed: !task.completed } : task,
          ),
        );
      }
    },
  );
  return (
    <>
      <button onClick={() => createTask({ title: "Written in the guide" })}>Add</button>
      {tasks?.map(({ _id, title, completed }) => (
        <label key={_id}>
          <input type="checkbox" checked={completed} onChange={() => toggleTask({ taskId: _id })} />
          {title}
        </label>
      ))}
    </>
  );
}

createRoot(document.getElementById("root")!).render(
  <ConvexProviderWithAuth client={convex} useAuth={useAuth}>
    <Tasks />
  </ConvexProviderWithAuth>,
);
"""
PAGE = '<!doctype html><div id="root"></div><script type="module" src="/src/guide.tsx"></script>'


def test_code_of_the_common_guides_runs_as_written(
    server: ServerProcess, browser: Browser, line: HeldLine
) -> None:
    """Provider, `useQuery`, `useMutation` with an optimistic update: one import is changed."""
    frontend = server.project / "frontend"
    code = GUIDE.replace("../convex/_generated/api", "./_generated/api")
    assert sum(a != b for a, b in zip(code.split("\n"), GUIDE.split("\n"), strict=True)) == 1
    (frontend / "src/guide.tsx").write_text(code)
    (frontend / "guide.html").write_text(PAGE)
    page = browser.new_page()
    page.goto(f"{line.url}/guide.html")
    page.get_by_role("button", name="Add").click()
    box = page.get_by_label("Written in the guide")
    expect(box).to_be_visible()
    line.hold()
    box.click()
    expect(box).to_be_checked()
    line.release()
    expect(box).to_be_checked()
    page.close()
