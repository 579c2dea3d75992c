"""A running gateway takes changed template files: all of them or none, and nobody has to wait for it."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs
from watchfiles import Change

from gateway import watching
from gateway.domain.compliance import Mode
from gateway.domain.ladder import steps_of
from gateway.metrics import Metrics, Names
from gateway.registry import Changes, FillFacts, Registry
from gateway.reloading import Reloading
from gateway.shipped import shipped
from tests.gateway.harness import CONTACT, SHOP, World, a_world
from tests.template_factories import a_document, write_template

PLAIN = {"type": "BODY", "text": "We have an answer for you."}
FACTS = FillFacts(sender_id=SHOP)


@pytest.fixture(autouse=True)
def every_event_is_logged() -> None:
    """Whatever a command that ran in this process before has configured."""
    structlog.reset_defaults()


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    """The operator's folder, with the files that ship."""
    return Path(shutil.copytree(shipped("templates"), tmp_path / "templates"))


def note(folder: Path, **fields: Any) -> Path:
    return write_template(folder, a_document(PLAIN, **{"name": "note", "fill": {}, **fields}))


async def post_note(world: World) -> int:
    """The HTTP status of a message that asks for the template."""
    params = {"to": CONTACT, "type": "template", "template": {"name": "note", "language": {"code": "en_US"}}}
    body = {"source_addr": SHOP, "destination_addr": CONTACT, "message_type": 4}
    status, _, _ = await world.desk.post({**body, "template_name": "note", "template_params": params})
    return status


async def metrics(world: World) -> str:
    async with world.desk.http.get(f"{world.desk.base_url}/metrics") as answer:
        return await answer.text()


# --- what is taken ----------------------------------------------------------------------------------------------------


async def test_an_added_a_changed_and_a_removed_template_are_taken(tmp_path: Path, templates: Path) -> None:
    async with a_world(tmp_path, templates=templates) as world:
        assert await post_note(world) == 400
        note(templates)
        (templates / "photo_answer.en_US.yaml").unlink()
        changed = templates / "order_update.en_US.yaml"
        changed.write_text(changed.read_text().replace("status: APPROVED", "status: PAUSED"))
        with capture_logs() as told:
            await world.gateway.reload()
        assert await post_note(world) == 200
        assert told == [
            {
                "event": "templates.reloaded",
                "log_level": "info",
                "added": ("note/en_US",),
                "changed": ("order_update/en_US",),
                "removed": ("photo_answer/en_US",),
            }
        ]
        assert 'gateway_template_reloads_total{outcome="reloaded"} 1.0' in await metrics(world)


async def test_what_stands_in_is_what_the_files_say_now(tmp_path: Path, templates: Path) -> None:
    async with a_world(tmp_path, templates=templates) as world:
        await world.desk.until(await world.desk.text("one"), "submitted")
        path = templates / "ticket_answer.en_US.yaml"
        path.write_text(path.read_text().replace("default('of today')", "default('of this week')"))
        await world.gateway.reload()
        await world.desk.until(await world.desk.text("two"), "submitted")
        first, second = (str(body["template_params"]) for body in world.far.arrived)
        assert "of today" in first
        assert "of this week" in second


@pytest.mark.parametrize("mode", [Mode.ENFORCE, Mode.OBSERVE])
async def test_a_rung_that_was_paused_no_longer_stands_in(tmp_path: Path, templates: Path, mode: Mode) -> None:
    async with a_world(tmp_path, templates=templates, mode=mode) as world:
        path = templates / "ticket_answer.en_US.yaml"
        path.write_text(path.read_text().replace("status: APPROVED", "status: PAUSED"))
        await world.gateway.reload()
        status, _, _ = await world.desk.post(
            {"source_addr": SHOP, "destination_addr": CONTACT, "message_type": 1, "text": "hello"}
        )
        assert status == (400 if mode is Mode.ENFORCE else 200)


async def test_nothing_new_is_told_too(tmp_path: Path, templates: Path) -> None:
    async with a_world(tmp_path, templates=templates) as world:
        with capture_logs() as told:
            assert await world.gateway.reload() == Changes()
        assert [event["event"] for event in told] == ["templates.unchanged"]


async def test_a_new_warning_is_told_once(tmp_path: Path, templates: Path) -> None:
    async with a_world(tmp_path, templates=templates) as world:
        (templates / "late.yml").touch()
        with capture_logs() as told:
            await world.gateway.reload()
            await world.gateway.reload()
        assert [event["warning"] for event in told if event["event"] == "templates.warning"] == [
            f"{templates / 'late.yml'}: is not read; rename it to .yaml"
        ]


# --- all or nothing ---------------------------------------------------------------------------------------------------


async def test_a_broken_file_changes_nothing_and_every_problem_is_told(tmp_path: Path, templates: Path) -> None:
    async with a_world(tmp_path, templates=templates) as world:
        note(templates)
        broken = note(templates, name="broken", category="NEWS")
        worse = templates / "worse.en_US.yaml"
        worse.write_text("a: [")
        with capture_logs() as told:
            assert await world.gateway.reload() is None
        assert await post_note(world) == 400
        (refused,) = told
        assert (refused["event"], refused["log_level"]) == ("templates.reload_refused", "error")
        assert [problem.partition(": ")[0] for problem in refused["problems"]] == [str(broken), str(worse)]
        assert 'gateway_template_reloads_total{outcome="refused"} 1.0' in await metrics(world)
        broken.unlink()
        worse.unlink()
        assert await world.gateway.reload() == Changes(added=("note/en_US",))


async def test_a_rung_that_is_missing_is_broken_too(tmp_path: Path, templates: Path) -> None:
    async with a_world(tmp_path, templates=templates) as world:
        (templates / "ticket_answer.en_US.yaml").unlink()
        with capture_logs() as told:
            assert await world.gateway.reload() is None
        (problem,) = told[0]["problems"]
        assert problem.startswith("senders[0].ladder: there is no template ticket_answer/en_US; add its file to ")
        await world.desk.until(await world.desk.text("it still stands in"), "submitted")
        assert world.far.texts() == ["ticket_answer"]


async def test_a_folder_that_went_away_is_broken_too(tmp_path: Path, templates: Path) -> None:
    async with a_world(tmp_path, templates=templates) as world:
        shutil.rmtree(templates)
        assert await world.gateway.reload() is None


async def test_whatever_files_do_to_their_reader_the_gateway_goes_on(tmp_path: Path, templates: Path) -> None:
    registry, metrics = Registry.load(templates), Metrics(Names())
    config: Any = SimpleNamespace(templates="no path at all", schemas=None, senders=())
    with capture_logs() as told:
        assert await Reloading(config=config, registry=registry, metrics=metrics)() is None
    assert [event["event"] for event in told] == ["templates.reload_failed"]
    assert len(registry.names()) == 3


def test_what_was_begun_goes_on_with_what_it_began_with(templates: Path) -> None:
    registry = Registry.load(templates)
    held = registry.as_it_is()
    ladder = held.ladder(None, steps_of(["ticket_answer", "photo_answer"], ["en_US"]), FACTS)
    assert next(ladder).message is not None
    registry.take_over(Registry({}))
    assert next(ladder).problem != "unknown"
    assert len(held.names()) == 3
    assert registry.names() == ()
    assert registry.rung("ticket_answer", "en_US", FACTS).problem == "unknown"


async def test_the_event_loop_goes_on_meanwhile(tmp_path: Path, templates: Path) -> None:
    for number in range(100):
        note(templates, name=f"note_{number}")
    async with a_world(tmp_path, templates=templates) as world:
        turns, reloading = 0, asyncio.create_task(world.gateway.reload())
        while not reloading.done():
            await asyncio.sleep(0)
            turns += 1
        assert turns > 10


async def test_those_that_come_at_once_are_done_one_after_the_other(tmp_path: Path, templates: Path) -> None:
    async with a_world(tmp_path, templates=templates) as world:
        note(templates)
        came_to = await asyncio.gather(world.gateway.reload(), world.gateway.reload())
        assert came_to == [Changes(added=("note/en_US",)), Changes()]


# --- watching ---------------------------------------------------------------------------------------------------------


class Reloads:
    """Counts them; each is waited for."""

    def __init__(self) -> None:
        self.count = 0
        self.has_come = asyncio.Event()

    async def __call__(self) -> None:
        self.count += 1
        self.has_come.set()

    async def next(self) -> None:
        async with asyncio.timeout(20):
            await self.has_come.wait()
        self.has_come.clear()


@pytest.fixture
async def reloads(templates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Reloads]:
    """Of somebody who watches the folders, from the first look on."""
    monkeypatch.setattr(watching, "AT_REST", 50)
    monkeypatch.setattr(watching, "LOOK_EACH", 200)
    (tmp_path / "schemas" / "templates").mkdir(parents=True)
    reloads = Reloads()
    task = asyncio.create_task(watching.keep_watching(templates, tmp_path / "schemas", reloads))
    await reloads.next()
    yield reloads
    task.cancel()
    async with asyncio.timeout(2):
        with suppress(asyncio.CancelledError):
            await task


async def test_the_first_look_takes_what_has_changed_since_the_start(reloads: Reloads) -> None:
    assert reloads.count == 1


async def test_added_changed_and_removed_files_are_taken(reloads: Reloads, templates: Path) -> None:
    path = note(templates)
    await reloads.next()
    path.write_text(path.read_text() + "# more\n")
    await reloads.next()
    path.unlink()
    await reloads.next()


async def test_a_file_in_anothers_place_is_a_change_whatever_its_time(reloads: Reloads, templates: Path) -> None:
    path = templates / "ticket_answer.en_US.yaml"
    found = path.stat()
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    os.utime(other, ns=(found.st_atime_ns, found.st_mtime_ns))
    other.replace(path)
    await reloads.next()


async def test_many_changes_at_once_are_one(reloads: Reloads, templates: Path) -> None:
    for number in range(20):
        note(templates, name=f"note_{number}")
    await reloads.next()
    (templates / "last.en_US.yaml").touch()
    await reloads.next()
    assert reloads.count <= 4


async def test_tightenings_are_watched(reloads: Reloads, tmp_path: Path) -> None:
    (tmp_path / "schemas" / "templates" / "ticket_answer.en_US.json").write_text("{}")
    await reloads.next()


@pytest.mark.parametrize(
    ("name", "is_ours"),
    [
        ("note.en_US.yaml", True),
        ("note.en_US.yml", True),
        ("note.en_US.json", True),
        ("..data", True),
        (".note.en_US.yaml.swp", False),
        (".note.en_US.yaml", False),
        ("readme.md", False),
        ("gateway.db-wal", False),
    ],
)
def test_other_files_are_no_news(name: str, is_ours: bool) -> None:
    assert watching._is_ours(Change.modified, f"/etc/gateway/templates/{name}") is is_ours


async def test_a_mounted_configuration_that_is_exchanged_is_taken(tmp_path: Path, reloads: Reloads) -> None:
    templates = tmp_path / "templates"
    (templates / "..data").symlink_to(tmp_path / "one", target_is_directory=True)
    await reloads.next()
    (templates / "..new").symlink_to(tmp_path / "two", target_is_directory=True)
    (templates / "..new").replace(templates / "..data")
    await reloads.next()


async def test_a_folder_that_is_replaced_is_watched_in_its_new_place(reloads: Reloads, templates: Path) -> None:
    shutil.move(templates, templates.with_name("old"))
    shutil.copytree(shipped("templates"), templates)
    await reloads.next()
    while reloads.count < 3:  # whatever the old folder still told
        note(templates, name=f"note_{reloads.count}")
        await reloads.next()


async def test_a_folder_that_is_not_there_yet_is_watched_once_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LOOK_EACH", 100)
    reloads = Reloads()
    task = asyncio.create_task(watching.keep_watching(tmp_path / "yet to come", None, reloads))
    await reloads.next()
    (tmp_path / "yet to come").mkdir()
    await reloads.next()
    note(tmp_path / "yet to come")
    await reloads.next()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_link_that_leads_nowhere_stops_nothing(reloads: Reloads, templates: Path) -> None:
    (templates / "gone.en_US.yaml").symlink_to(templates / "nowhere")
    await reloads.next()


async def test_folders_that_cannot_be_watched_are_told_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "AGAIN", 0.0)
    tries: Any = iter([OSError("too many watches"), RuntimeError("or anything else")])

    async def refuse() -> None:
        error = next(tries, None)
        if error is None:
            task.cancel()
            return
        raise error

    monkeypatch.setattr(watching, "LOOK_EACH", 50)
    task = asyncio.create_task(watching.keep_watching(tmp_path, None, refuse))
    with capture_logs() as told, suppress(asyncio.CancelledError):
        await task
    assert [one["error"] for one in told] == ["OSError", "RuntimeError"]


async def test_a_gateway_that_watches_takes_a_file_by_itself(tmp_path: Path, templates: Path) -> None:
    async with a_world(tmp_path, templates=templates, watch=True) as world:
        assert await post_note(world) == 400
        note(templates)
        async with asyncio.timeout(20):
            while await post_note(world) == 400:
                await asyncio.sleep(0.05)


async def test_one_that_does_not_watch_does_not(tmp_path: Path, templates: Path) -> None:
    async with a_world(tmp_path, templates=templates):
        assert "templates" not in {task.get_name() for task in asyncio.all_tasks()}
