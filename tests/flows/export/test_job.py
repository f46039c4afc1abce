"""``cosynth export``: what it writes and refuses, and the core of FuseSoC. Vivado's scripts: test_vivado."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.cli import app
from flows.errors import exit_code

SMALL = ("rows=2", "cols=2", "rf_depth=2", "requant_lanes=1")
FILES = [
    "cosynth.core",
    "cosynth_accelerator.v",
    "ecp5/boundary.v",
    "ecp5/pins.lpf",
    "interface.md",
    "vivado/clock.xdc",
    "vivado/implement.tcl",
    "vivado/out_of_context.tcl",
    "vivado/package_ip.tcl",
    "vivado/settings.tcl",
    "waivers.vlt",
]
# Of FuseSoC's schema of CAPI2.
CORE_KEYS = {"CAPI=2", "name", "description", "filesets", "targets"}
FILESET_KEYS = {"files", "file_type"}
TARGET_KEYS = {"filesets", "toplevel", "flow", "flow_options"}


def run(*arguments: object) -> int:
    overrides = [word for value in SMALL for word in ("--set", value)]
    return exit_code(lambda: app(["export", *overrides, *map(str, arguments)], standalone_mode=False))


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("export") / "out"
    assert run("--device", "xc7a100t", "-o", output) == 0
    return output


@pytest.fixture(scope="module")
def core(directory: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((directory / "cosynth.core").read_text())
    return loaded


def files_of(core: dict[str, Any], fileset: str) -> list[str]:
    return [file if isinstance(file, str) else next(iter(file)) for file in core["filesets"][fileset]["files"]]


def test_it_writes_what_each_tool_reads(directory: Path) -> None:
    assert sorted(str(file.relative_to(directory)) for file in directory.rglob("*") if file.is_file()) == FILES


def test_the_core_has_keys_of_capi2_alone(core: dict[str, Any]) -> None:
    assert set(core) == CORE_KEYS
    assert core["name"].split(":")[:3] == ["cosynth", "ip", "accelerator"]
    assert all(set(fileset) <= FILESET_KEYS for fileset in core["filesets"].values())
    assert all(set(target) <= TARGET_KEYS for target in core["targets"].values())
    assert core["targets"]["vivado"]["flow_options"]["part"].startswith("xc7a100t")


def test_every_file_of_the_core_exists_and_has_a_type(directory: Path, core: dict[str, Any]) -> None:
    for name, fileset in core["filesets"].items():
        assert all((directory / file).is_file() for file in files_of(core, name))
        assert "file_type" in fileset or all("file_type" in next(iter(file.values())) for file in fileset["files"])


def test_every_target_has_its_top_module(directory: Path, core: dict[str, Any]) -> None:
    assert set(core["targets"]) == {"default", "lint", "vivado", "ecp5"}
    for target in core["targets"].values():
        texts = [(directory / file).read_text() for name in target["filesets"] for file in files_of(core, name)]
        assert sum(f"\nmodule {target['toplevel']}(" in f"\n{text}" for text in texts) == 1


@pytest.mark.parametrize("target", ["lint", "vivado", "ecp5"])
def test_fusesoc_sets_every_target_up(
    directory: Path, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("fusesoc", reason="FuseSoC is not installed")
    from fusesoc.main import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    command = f"fusesoc --cores-root {directory} run --setup --target={target} cosynth:ip:accelerator"
    monkeypatch.setattr("sys.argv", command.split())
    main()
    assert list(tmp_path.glob(f"build/*/{target}/Makefile"))


@pytest.mark.parametrize(
    ("arguments", "naming"),
    [
        (("--device", "ecp5-85k"), "device: 'ecp5-85k' is not supported; accepted: xc7a35t"),
        (("--clock-mhz", "0"), "--clock-mhz"),
        (("--set", "rows=99"), "rows: "),
    ],
)
def test_bad_input_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: tuple[str, ...], naming: str
) -> None:
    assert run(*arguments, "-o", tmp_path / "out") == 2
    assert naming in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_occupied_output_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").write_text("mine")
    assert run("-o", tmp_path) == 2
    assert "output: " in capsys.readouterr().err
