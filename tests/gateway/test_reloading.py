"""A running gateway takes changed template files: all of them or none, and nobody has to wait for it."""

from __future__ import annotations

import asyncio
import os
import shutil
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from gateway.domain.compliance import Mode
from gateway.domain.ladder import steps_of
from gateway.metrics import Metrics, Names
from gateway.registry import Changes, FillFacts, Registry
from gateway.reloading import Reloading, Watch, keep_watching
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


@pytest.fixture
def watch(templates: Path, tmp_path: Path) -> Watch:
    """One that has told of what was there at first."""
    (tmp_path / "schemas" / "templates").mkdir(parents=True)
    watch = Watch(templates, tmp_path / "schemas")
    assert watch.has_news()
    return watch


def looks(watch: Watch, count: int = 3) -> list[bool]:
    return [watch.has_news() for _ in range(count)]


def test_nothing_is_no_news(watch: Watch) -> None:
    assert looks(watch) == [False] * 3


def test_a_change_is_told_once_when_it_has_come_to_rest(watch: Watch, templates: Path) -> None:
    path = note(templates)
    assert looks(watch, 1) == [False]
    path.write_text(path.read_text() + "# still writing\n")
    assert looks(watch) == [False, True, False]
    path.unlink()
    assert looks(watch) == [False, True, False]


def test_a_change_that_was_taken_back_is_none(watch: Watch, templates: Path) -> None:
    path = note(templates)
    assert looks(watch, 1) == [False]
    path.unlink()
    assert looks(watch) == [False] * 3


def test_a_file_in_anothers_place_is_a_change_whatever_its_time(watch: Watch, templates: Path) -> None:
    path = templates / "ticket_answer.en_US.yaml"
    found = path.stat()
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    os.utime(other, ns=(found.st_atime_ns, found.st_mtime_ns))
    other.replace(path)
    assert looks(watch) == [False, True, False]


def test_tightenings_are_watched_and_other_files_are_not(watch: Watch, templates: Path, tmp_path: Path) -> None:
    (templates / ".note.en_US.yaml.swp").touch()
    (templates / "readme.md").touch()
    assert looks(watch) == [False] * 3
    (tmp_path / "schemas" / "templates" / "ticket_answer.en_US.json").write_text("{}")
    assert looks(watch) == [False, True, False]


def test_a_link_that_leads_nowhere_stops_nothing(watch: Watch, templates: Path) -> None:
    (templates / "gone.en_US.yaml").symlink_to(templates / "nowhere")
    assert looks(watch) == [False, True, False]


async def test_news_lead_to_a_reload(watch: Watch, templates: Path) -> None:
    reloaded = asyncio.Event()

    async def reload() -> None:
        reloaded.set()

    watching = asyncio.create_task(keep_watching(watch, reload, each=timedelta(milliseconds=1)))
    note(templates)
    await asyncio.wait_for(reloaded.wait(), 10)
    watching.cancel()


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
