"""Figures are only made on a disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.disk import Mount, look_at, mount_of, read_mounts, refuse_memory
from bench.failing import CannotMeasure

MOUNTS = read_mounts(
    """\
/dev/vda1 / ext4 rw,relatime 0 0
tmpfs /run tmpfs rw 0 0
ramfs /mnt/ram ramfs rw 0 0
/dev/vdb /srv/with\\040space xfs rw 0 0
overlay /var/lib/disk overlay rw,lowerdir=/lower,upperdir=/srv/upper,workdir=/srv/work 0 0
overlay /var/lib/memory overlay rw,lowerdir=/lower,upperdir=/run/upper,workdir=/run/work 0 0
overlay /hidden overlay rw,lowerdir=/lower,upperdir=/of/the/host,workdir=/of/the/host/work 0 0
tmpfs /data tmpfs rw 0 0
/dev/vdc /data ext4 rw 0 0
"""
)


@pytest.mark.parametrize(
    "folder", ["/", "/home/me", "/srv/with space/x", "/var/lib/disk/x", "/hidden/x", "/data/x", "/runner"]
)
def test_a_folder_on_a_disk_will_do(folder: str) -> None:
    refuse_memory(Path(folder), MOUNTS)


@pytest.mark.parametrize(("folder", "kind"), [("/run", "tmpfs"), ("/run/a/b", "tmpfs"), ("/mnt/ram/x", "ramfs")])
def test_a_folder_in_memory_is_refused_with_a_remedy(folder: str, kind: str) -> None:
    with pytest.raises(CannotMeasure, match=f"{folder} is on {kind}, .*--dir"):
        refuse_memory(Path(folder), MOUNTS)


def test_an_overlay_that_writes_into_memory_is_refused() -> None:
    with pytest.raises(CannotMeasure, match="/var/lib/memory/x is an overlay; /run/upper is on tmpfs"):
        refuse_memory(Path("/var/lib/memory/x"), MOUNTS)


def test_the_later_mount_at_a_place_hides_the_earlier() -> None:
    assert mount_of(Path("/data/x"), MOUNTS) == Mount(device="/dev/vdc", point=Path("/data"), kind="ext4", options="rw")


SHARED = Path("/dev/shm")  # noqa: S108 - only looked at
is_there = any(
    mount.kind == "tmpfs" and mount.point == SHARED for mount in read_mounts(Path("/proc/mounts").read_text())
)


@pytest.mark.skipif(not is_there, reason="there is no /dev/shm")
def test_the_shared_memory_of_this_machine_is_refused() -> None:
    with pytest.raises(CannotMeasure, match=f"{SHARED} is on tmpfs"):
        look_at(SHARED)
