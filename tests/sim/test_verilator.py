"""The build cache: one build per design whoever asks, nothing half-made, and clear words when tools are missing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hwgen.cache import cache_directory
from sim import verilator
from sim.compiler import SimulatorMissingError, compiler
from sim.verilator import Design, VerilatorError, build

MAIN = '#include <cstdio>\n#include "Vtop.h"\nint main() { Vtop top; top.eval(); std::printf("%d", top.y); }\n'
BUILD_IN_ANOTHER_PROCESS = """
import sys
from tests.sim.test_verilator import constant
from sim.verilator import build
print(build(constant(int(sys.argv[1]))))
"""


def constant(value: int) -> Design:
    """A design whose program prints ``value``."""
    module = f"module constant(output [31:0] y); assign y = {value}; endmodule\n"
    return Design(top="constant", sources={"constant.v": module, "main.cpp": MAIN})


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, but for the run-time library, which takes long to compile."""
    shared = cache_directory() / "runtime"
    build(constant(0))
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "runtime").symlink_to(shared)
    monkeypatch.setenv("COSYNTH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def start_build(value: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", BUILD_IN_ANOTHER_PROCESS, str(value)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        start_new_session=True,
    )


def output(executable: Path) -> str:
    return subprocess.run([executable], capture_output=True, text=True, check=True).stdout


def test_a_design_is_built_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = build(constant(7))
    monkeypatch.setattr(verilator, "_compile", lambda *_: pytest.fail("built again"))
    assert build(constant(7)) == first
    assert output(first) == "7"


def test_different_sources_never_share_a_build(cache: Path) -> None:
    assert [output(build(constant(value))) for value in (1, 2)] == ["1", "2"]


def test_processes_that_want_one_build_wait_for_one_of_them(cache: Path) -> None:
    processes = [start_build(3) for _ in range(3)]
    paths = {process.communicate()[0].strip() for process in processes}
    assert len(paths) == 1
    assert output(Path(paths.pop())) == "3"
    entries = [path for path in (cache / "builds").iterdir() if path.suffix != ".lock"]
    assert len(entries) == 1


def test_a_killed_build_leaves_no_entry_and_the_next_one_cleans_up(cache: Path) -> None:
    process = start_build(4)
    while not list(cache.glob("builds/*.build-*/Vtop.json")):
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not list(cache.glob("builds/*/constant"))
    assert output(build(constant(4))) == "4"
    assert not list(cache.glob("builds/*.build-*"))


def test_a_design_that_does_not_compile_is_an_error_and_no_entry(cache: Path) -> None:
    design = Design(top="broken", sources={"broken.v": "module broken(output y); assign y = x; endmodule\n"})
    with pytest.raises(VerilatorError, match="Can't find definition of variable: 'x'"):
        build(design)
    assert not list(cache.glob("builds/*/broken"))
    assert not list(cache.glob("builds/*.build-*"))


@pytest.fixture
def asked_anew() -> Iterator[None]:
    """What compiler there is, is asked again in the test, and after it."""
    compiler.cache_clear()
    yield
    compiler.cache_clear()


@pytest.mark.usefixtures("asked_anew")
def test_a_missing_compiler_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SimulatorMissingError, match=r"simulation needs g\+\+, which is not on the PATH; install"):
        build(constant(5))


@pytest.mark.usefixtures("asked_anew")
def test_clang_compiles_where_ziglang_is_installed_and_else_gpp(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COSYNTH_CACHE", str(tmp_path))
    pytest.importorskip("ziglang")
    assert compiler().name.startswith("clang ")
    by_clang = build(constant(6))
    monkeypatch.setattr("sim.compiler.find_spec", lambda _: None)
    compiler.cache_clear()
    assert compiler().name.startswith("g++ ")
    by_gpp = build(constant(6))
    assert by_gpp != by_clang
    assert output(by_gpp) == output(by_clang) == "6"
