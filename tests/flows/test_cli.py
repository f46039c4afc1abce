"""Bad input on the command line: exit code 2, one sentence that names what is wrong, and nothing written."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from flows.cli import app
from flows.errors import exit_code
from flows.simulate.run import MismatchError
from hwgen.config import AcceleratorConfig
from hwgen.errors import InputError
from hwgen.serialise import save_graph
from tests.hwgen.tflite_builder import Operator, Tensor, build_model

CELL = "nasbench201:|skip_connect~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|skip_connect~2|"
ILLEGAL_VALUES = {
    "rows": "1",
    "cols": "33",
    "dataflow": "systolic",
    "rf_depth": "0",
    "act_buffer_kib": "5",
    "weight_buffer_kib": "0",
    "param_channels": "5000",
    "bus_bits": "48",
    "requant_lanes": "9",
}


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A saved LayerGraph, in a directory of its own."""
    from nas.quantise import structure
    from nas.spaces import space

    path = tmp_path / "given" / "network.npz"
    path.parent.mkdir()
    save_graph(structure(space("nasbench201", "digits"), CELL.partition(":")[2]), path)
    return path


@pytest.fixture
def unsupported(tmp_path: Path) -> Path:
    """A TFLite file with an operator that the accelerator does not have."""
    x, y = Tensor((1, 4, 4, 2), (0.5,)), Tensor((1, 4, 4, 2), (0.5,))
    path = tmp_path / "given" / "network.tflite"
    path.parent.mkdir()
    path.write_bytes(build_model([Operator("LOGISTIC", (x,), y)]))
    return path


def run(*arguments: object) -> int:
    return exit_code(lambda: app([str(argument) for argument in arguments], standalone_mode=False))


def assert_refused(capsys: pytest.CaptureFixture[str], *arguments: object, naming: str) -> None:
    """The command exits with 2, prints nothing but one sentence, and the sentence contains ``naming``."""
    assert run(*arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    assert printed.err.startswith("cosynth: ")
    assert naming in printed.err


@pytest.mark.parametrize("field", [field.name for field in fields(AcceleratorConfig)])
@pytest.mark.parametrize("command", ["generate", "simulate"])
def test_each_illegal_field_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, network: Path, command: str, field: str
) -> None:
    setting = f"{field}={ILLEGAL_VALUES[field]}"
    output = tmp_path / "out"
    assert_refused(capsys, command, network, "--set", setting, "--output", output, naming=f"{field}: ")
    assert not output.exists()


@pytest.mark.parametrize(
    ("options", "naming"),
    [
        (["--accelerator", "enormous"], "'enormous' is neither a preset (default, max64, max256) nor a TOML file"),
        (["--set", "rows"], "'rows' is not of the form field=value"),
        (["--set", "colour=4"], "colour: no such field; accepted: act_buffer_kib"),
        (["--set", "rows=many"], "rows: 'many' is out of range"),
        (["--output"], "--output"),
        (["--frobnicate"], "--frobnicate"),
    ],
)
def test_a_bad_accelerator_or_option_is_named(
    capsys: pytest.CaptureFixture[str], network: Path, options: list[str], naming: str
) -> None:
    assert_refused(capsys, "generate", network, *options, naming=naming)


@pytest.mark.parametrize(
    ("source", "naming"),
    [
        ("missing.tflite", "missing.tflite"),
        ("missing.npz", "missing.npz: no such file"),
        ("resnet", "'resnet' is not a network; accepted: a .tflite file"),
        ("darts:abc", "space: 'darts' is not known; accepted: nasbench201"),
        ("nasbench201:abc", "'abc'"),
        ("nasbench201:|none~0|+|none~0|none~1|+|none~0|none~1|none~2|", "none~0"),
        ("macro:0123", "'0123'"),
    ],
)
def test_a_network_that_is_none_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, source: str, naming: str
) -> None:
    assert_refused(capsys, "generate", source, "--output", tmp_path / "out", naming=naming)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["--output", "--trace", "--plot"])
def test_a_file_that_cannot_be_written_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, network: Path, option: str
) -> None:
    name = option.removeprefix("--")
    assert_refused(
        capsys, "simulate", network, option, tmp_path / "no" / "file.png", naming=f"{name}: {tmp_path / 'no'}"
    )
    assert_refused(capsys, "simulate", network, option, tmp_path, naming=f"{name}: {tmp_path} is a directory")


def test_a_plot_that_is_no_picture_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path, network: Path) -> None:
    assert_refused(capsys, "simulate", network, "--plot", tmp_path / "p.txt", naming="p.txt is no picture")


def test_a_damaged_model_file_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "noise.tflite"
    path.write_bytes(np.random.default_rng(0).bytes(500))
    assert_refused(capsys, "simulate", path, naming="noise.tflite")


def test_an_unsupported_operator_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, unsupported: Path
) -> None:
    assert_refused(capsys, "generate", unsupported, "-o", tmp_path / "out", naming="LOGISTIC")
    assert not (tmp_path / "out").exists()


def test_an_occupied_output_is_left_alone(capsys: pytest.CaptureFixture[str], tmp_path: Path, network: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    assert_refused(capsys, "generate", network, "-o", tmp_path, naming="exists already")
    assert_refused(capsys, "search", "-o", tmp_path, naming="exists already")
    assert (tmp_path / "mine").read_text() == "precious"


@pytest.mark.parametrize(
    ("array", "naming"),
    [
        (np.zeros((2, 8, 8, 1), np.uint8), "holds uint8 [2, 8, 8, 1]; accepted: int8 [N, 8, 8, 1]"),
        (np.zeros((2, 8, 8, 3), np.int8), "holds int8 [2, 8, 8, 3]"),
        (np.zeros((8, 8, 1), np.int8), "holds int8 [8, 8, 1]"),
        (np.zeros((0, 8, 8, 1), np.int8), "N at least 1"),
        (np.int8(3), "holds int8 []"),
    ],
)
def test_inputs_that_do_not_fit_are_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, network: Path, array: np.ndarray, naming: str
) -> None:
    np.save(tmp_path / "x.npy", array)
    arguments = ["--input", tmp_path / "x.npy", "--output", tmp_path / "y.npy"]
    assert_refused(capsys, "simulate", network, *arguments, naming=naming)
    assert not (tmp_path / "y.npy").exists()


@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY\x01\x00"])
def test_an_input_file_that_is_no_array_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, network: Path, content: bytes
) -> None:
    (tmp_path / "x.npy").write_bytes(content)
    assert_refused(capsys, "simulate", network, "--input", tmp_path / "x.npy", naming="not a readable .npy file")


def test_an_output_that_is_a_directory_is_refused_before_the_simulation(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.cli.simulate_network", lambda *_: pytest.fail("simulated"))
    assert_refused(capsys, "simulate", network, "--output", tmp_path, naming=f"output: {tmp_path} is a directory")


def test_more_samples_than_there_are_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, network: Path
) -> None:
    np.save(tmp_path / "x.npy", np.zeros((2, 8, 8, 1), np.int8))
    arguments = ["--input", tmp_path / "x.npy", "--samples", "3"]
    assert_refused(capsys, "simulate", network, *arguments, naming="samples: 3 is more than the 2")
    assert_refused(capsys, "simulate", network, "--samples", "0", naming="--samples")


@pytest.mark.parametrize(
    ("options", "naming"),
    [
        (["--constraint", "latency_ms<5"], "constraint: 'latency_ms<5' is not of the form"),
        (["--constraint", "watts<=5"], "'watts' is not a metric"),
        (["--constraint", "fits=ice40"], "device: 'ice40' is not supported; accepted: ecp5-25k, ecp5-45k, ecp5-85k"),
        (["--implement", "synthesised"], "implement: no device is named; accepted: --constraint fits=DEVICE"),
        (["--space", "darts"], "space: 'darts'"),
        (["--dataset", "mnist"], "dataset: 'mnist'"),
        (["--strategy", "guess"], "--strategy"),
        (["--accuracy", "guess"], "--accuracy"),
        (["--space", "macro", "--accuracy", "tabular"], "macro has no table for digits"),
        (["--budget", "3"], "budget: 3 is out of range"),
        (["--clock-mhz", "-1"], "clock_mhz: -1.0 is out of range"),
    ],
)
def test_a_bad_search_option_leaves_no_run_directory(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, options: list[str], naming: str
) -> None:
    assert_refused(capsys, "search", *options, "-o", tmp_path / "run", naming=naming)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_data_set_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COSYNTH_DATA", raising=False)
    assert_refused(capsys, "search", "--dataset", "cifar10", "-o", tmp_path / "run", naming="COSYNTH_DATA")
    empty = tmp_path / "empty"
    empty.mkdir()
    arguments = ["--dataset", "cifar10", "--data-dir", empty, "-o", tmp_path / "run"]
    assert_refused(capsys, "search", *arguments, naming=str(empty))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("command", [["report"], ["search", "--resume"]])
def test_a_run_that_is_none_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path, command: list[str]) -> None:
    assert_refused(capsys, *command, tmp_path / "absent", naming="is not a run directory")
    assert_refused(capsys, *command, tmp_path, naming="is not a run directory")


def test_resume_takes_no_other_option(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert_refused(capsys, "search", "--resume", tmp_path, "--seed", "3", naming="not --seed")


def fail(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("bad"), 2),
        (MismatchError("2 of 10 output bytes differ"), 1),
        (PermissionError("not yours"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_each_kind_of_error_has_its_exit_code(
    capsys: pytest.CaptureFixture[str], error: BaseException, code: int
) -> None:
    assert exit_code(lambda: fail(error)) == code
    assert len(capsys.readouterr().err.splitlines()) == 1
