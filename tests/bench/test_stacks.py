"""What is read out of sampled stacks."""

from __future__ import annotations

from bench.stacks import read, tables

MAIN, DATABASE = "thread (7): MainThread", "thread (8): Thread-1 (work)"
STANDARD = "/usr/lib/python3.11"
SITE = "/srv/.venv/lib/python3.11/site-packages"
RAW = [
    f"{MAIN};main (/srv/gateway/app.py:3);write ({STANDARD}/asyncio/transports.py:9) 6",
    f"{MAIN};main (/srv/gateway/app.py:3);parse (/srv/gateway/web/parse.py:9);loads ({SITE}/orjson/x.py:1) 2",
    f"{MAIN};run ({STANDARD}/asyncio/events.py:1);EpollSelector.select ({STANDARD}/selectors.py:4) 90",
    f"{MAIN} 5",
    f"{DATABASE};commit (/srv/gateway/store/group.py:1) 4",
]


def test_frames_are_named_by_their_place_in_their_package() -> None:
    first, second, *_ = read(RAW)
    assert [str(frame) for frame in first.frames] == ["main (gateway/app.py)", "write (python/asyncio/transports.py)"]
    assert [frame.room for frame in second.frames] == ["gateway/app", "gateway/web", "orjson"]


def test_a_threads_time_is_shared_out_over_what_it_did_and_not_over_its_waiting() -> None:
    told = tables(RAW, {7: 80.0, 8: 20.0})
    assert "=== MainThread: 80 µs" in told
    assert "    60.0 µs  write (python/asyncio/transports.py)" in told
    assert "    80.0 µs  main (gateway/app.py)" in told
    assert "    20.0 µs  parse (gateway/web/parse.py)" in told
    assert "    20.0 µs  commit (gateway/store/group.py)" in told
    assert "select" not in told
