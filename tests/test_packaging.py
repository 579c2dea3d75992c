from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = [ROOT / "requirements" / name for name in ("runtime.lock", "dev.lock")]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment that has the wheel and its dependencies, and not this checkout."""
    environment = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    packages = environment / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    (packages / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    programs = environment / "bin"
    pip = [sys.executable, "-m", "pip", "--python", str(programs / "python"), "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--quiet", "--no-index", "--no-deps", "--force-reinstall", str(wheel)], check=True)
    return programs


def run(command: list[str], folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, env={"PATH": os.environ["PATH"], **environ}, capture_output=True, text=True, check=False
    )


def test_the_wheel_holds_every_schema_and_template_that_ships(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("schemas", "templates"):
        shipped = [path for path in (ROOT / folder).rglob("*") if path.is_file() and path.name != ".gitkeep"]
        assert {f"gateway/_shipped/{path.relative_to(ROOT).as_posix()}" for path in shipped} <= names
    assert "gateway/_shipped/schemas/config.schema.json" in names


def test_the_wheel_holds_every_module_and_query_and_no_test(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    kinds = (".py", ".sql", ".html", ".js", ".css", ".svg", ".txt")
    ours = [path for path in (ROOT / "gateway").rglob("*") if path.suffix in kinds]
    assert {path.relative_to(ROOT).as_posix() for path in ours} <= names
    assert not [name for name in names if name.startswith(("tests/", "bench/"))]
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_wheel_holds_the_page_with_the_licences_of_its_libraries(wheel: Path) -> None:
    page = "gateway/provider/sandbox/page"
    names = {name.removeprefix(f"{page}/") for name in zipfile.ZipFile(wheel).namelist() if name.startswith(page)}
    assert {"templates/page.html", "static/page.css", "static/page.js", "static/icon.svg"} <= names
    for library in ("htmx", "htmx-ext-sse", "idiomorph-ext"):
        assert {f"static/vendor/{library}.min.js", f"static/vendor/{library}.LICENSE.txt"} <= names


def test_the_source_distribution_holds_what_operators_take_from_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(built) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = [path for folder in ("deploy", "docs") for path in (ROOT / folder).rglob("*") if path.is_file()]
    assert len(wanted) >= 4
    assert {path.relative_to(ROOT).as_posix() for path in wanted} <= names
    assert "config.example.yaml" in names


def test_the_command_works_where_only_the_wheel_is_installed(installed: Path, tmp_path: Path) -> None:
    where = run([str(installed / "python"), "-c", "import gateway; print(gateway.__file__)"], tmp_path)
    assert str(installed.parent) in where.stdout
    made = run([str(installed / "gateway"), "keys", "new", "--client", "desk"], tmp_path)
    assert re.search(r"^  gw[A-Za-z0-9]{49}$", made.stdout, re.MULTILINE), made.stderr
    missing = run([str(installed / "python"), "-m", "gateway", "check"], tmp_path)
    assert (missing.returncode, missing.stderr.startswith("config.yaml: there is no such file")) == (2, True)


def test_a_configuration_is_checked_by_the_schemas_inside_the_wheel(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("sneders: []\n")
    checked = run([str(installed / "gateway"), "check"], tmp_path)
    assert checked.returncode == 2
    assert "config.yaml: sneders: is no key of ours; did you mean senders?" in checked.stderr


# --- locks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_pins_everything_by_hash_and_names_no_place(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    pins = re.split(r"\n(?=[a-z])", text.strip())
    assert all(re.match(r"[a-z0-9.-]+==\S+", pin) and "--hash=sha256:" in pin for pin in pins)
    assert not re.search(r"://|--index|--find-links|^[-#/]", text, re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_covers_other_platforms_and_newer_pythons(lock: Path) -> None:
    """aiohttp has wheels per platform and Python: one platform's would be some ten of them."""
    (pin,) = [pin for pin in re.split(r"\n(?=[a-z])", lock.read_text(encoding="utf-8")) if pin.startswith("aiohttp==")]
    assert pin.count("--hash=") > 60


def test_the_locks_hold_what_the_project_names() -> None:
    groups = PROJECT["dependency-groups"]
    runtime = PROJECT["project"]["dependencies"] + groups["build"]
    assert _names(runtime) <= _pinned(LOCKS[0])
    assert _names(runtime + groups["dev"]) <= _pinned(LOCKS[1])


def test_the_locks_agree() -> None:
    runtime, dev = (set(re.findall(r"^([a-z0-9.-]+==[^\s;]+)", lock.read_text(), re.MULTILINE)) for lock in LOCKS)
    assert runtime <= dev


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[=<>~!;\[ ]", requirement)[0].lower() for requirement in requirements}


def _pinned(lock: Path) -> set[str]:
    return set(re.findall(r"^([a-z0-9.-]+)==", lock.read_text(encoding="utf-8"), re.MULTILINE))


def test_what_is_installed_here_is_what_the_lock_pins() -> None:
    """Else the tests would prove something about other versions."""
    from importlib.metadata import version

    pins = re.findall(r"^([a-z0-9.-]+)==([^\s;\\]+)( ;)?", LOCKS[0].read_text(encoding="utf-8"), re.MULTILINE)
    assert {name: version(name) for name, _, marker in pins if not marker} == {n: v for n, v, m in pins if not m}
