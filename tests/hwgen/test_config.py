"""Accelerator configurations: what is accepted, what is refused with which words, and what follows from the fields."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hwgen.config import BUS_WIDTHS, KIB, PRESETS, AcceleratorConfig, ConfigError, Dataflow, load_config

RANGES = {
    "rows": (2, 32),
    "cols": (2, 32),
    "rf_depth": (1, 64),
    "act_buffer_kib": (4, 1024),
    "weight_buffer_kib": (1, 1024),
    "param_channels": (16, 4096),
    "requant_lanes": (1, 8),
}
"""Least and largest values; the last two depend on the number of columns, here 8."""
WIDE = AcceleratorConfig(rows=8, cols=8, requant_lanes=1, weight_buffer_kib=8)


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, ends in RANGES.items() for value in ends])
def test_values_at_a_range_s_ends_are_accepted(field: str, value: int) -> None:
    base = replace(WIDE, cols=2) if (field, value) == ("cols", 2) else WIDE
    base = replace(base, weight_buffer_kib=1024) if field in ("rows", "cols") else base
    assert getattr(replace(base, **{field: value}), field) == value


@pytest.mark.parametrize(
    ("field", "value"),
    [(field, value) for field, (low, high) in RANGES.items() for value in (low - 1, high + 1, -low)],
)
def test_values_beyond_a_range_s_ends_are_refused(field: str, value: int) -> None:
    low, high = RANGES[field]
    with pytest.raises(
        ConfigError, match=rf"^{field}: {value} is out of range; accepted: an integer from {low} to {high}$"
    ):
        replace(WIDE, **{field: value})


@pytest.mark.parametrize("field", [*RANGES, "bus_bits"])
@pytest.mark.parametrize("value", [8.0, 64.0, True, "8", None, [8]])
def test_values_that_are_not_integers_are_refused(field: str, value: object) -> None:
    with pytest.raises(ConfigError, match=rf"^{field}: .*accepted: "):
        replace(WIDE, **{field: value})


@pytest.mark.parametrize("bus_bits", BUS_WIDTHS)
def test_every_bus_width_is_accepted(bus_bits: int) -> None:
    assert AcceleratorConfig(bus_bits=bus_bits).bus_bytes == bus_bits // 8


@pytest.mark.parametrize("bus_bits", [0, 16, 48, 63, 65, 512])
def test_other_bus_widths_are_refused(bus_bits: int) -> None:
    with pytest.raises(ConfigError, match=rf"^bus_bits: {bus_bits} is not supported; accepted: 32, 64, 128 or 256$"):
        AcceleratorConfig(bus_bits=bus_bits)


@pytest.mark.parametrize("dataflow", list(Dataflow))
def test_dataflows_are_accepted_by_name(dataflow: Dataflow) -> None:
    assert AcceleratorConfig(dataflow=str(dataflow)).dataflow is dataflow  # type: ignore[arg-type]


@pytest.mark.parametrize("dataflow", ["", "OS", "systolic", None, 1, ["os"]])
def test_other_dataflows_are_refused(dataflow: object) -> None:
    with pytest.raises(ConfigError, match=r"^dataflow: .* is not available; accepted: "):
        AcceleratorConfig(dataflow=dataflow)  # type: ignore[arg-type]


def test_the_activation_buffer_is_a_power_of_two() -> None:
    with pytest.raises(
        ConfigError, match=r"^act_buffer_kib: 48 is out of range; accepted: a power of two from 4 to 1024$"
    ):
        AcceleratorConfig(act_buffer_kib=48)


def test_the_weight_buffer_holds_at_least_16_words() -> None:
    assert AcceleratorConfig(rows=32, cols=32, weight_buffer_kib=16).weight_words == 16
    with pytest.raises(ConfigError, match=r"^weight_buffer_kib: 15 .*; accepted: 16 to 1024 for a 32x32 array$"):
        AcceleratorConfig(rows=32, cols=32, weight_buffer_kib=15)


def test_the_parameter_buffer_holds_two_groups_of_columns() -> None:
    with pytest.raises(ConfigError, match=r"^param_channels: 63 .*; accepted: an integer from 64 to 4096$"):
        AcceleratorConfig(cols=32, param_channels=63)


@pytest.mark.parametrize(
    ("rows", "bus_bits", "requant_lanes", "word_bytes"),
    [(2, 32, 1, 4), (5, 32, 1, 8), (8, 64, 4, 8), (16, 64, 4, 16), (3, 256, 3, 32), (2, 32, 9, 16), (32, 256, 8, 32)],
)
def test_an_activation_word_holds_a_fetch_a_beat_and_a_write_back(
    rows: int, bus_bits: int, requant_lanes: int, word_bytes: int
) -> None:
    config = AcceleratorConfig(rows=rows, cols=16, bus_bits=bus_bits, requant_lanes=requant_lanes)
    assert config.act_word_bytes == word_bytes


def test_derived_sizes() -> None:
    config = AcceleratorConfig(
        rows=5, cols=7, act_buffer_kib=16, weight_buffer_kib=3, param_channels=25, requant_lanes=4, bus_bits=128
    )
    assert config.multipliers == 35
    assert config.bus_bytes == 16
    assert config.act_bank_bytes == 2 * KIB
    assert config.weight_words == 3 * KIB // 35
    assert config.parameter_words == 6
    assert config.eltwise_lanes == 4
    assert replace(config, rows=3).eltwise_lanes == 3


@pytest.mark.parametrize(("preset", "multipliers"), [("default", 64), ("max64", 64), ("max256", 256)])
def test_presets_keep_within_their_multipliers(preset: str, multipliers: int) -> None:
    assert PRESETS[preset].multipliers <= multipliers


def test_the_largest_preset_has_at_most_512_kib_of_buffers() -> None:
    config = PRESETS["max256"]
    parameter_kib = -(-config.param_channels * 12 // KIB)
    assert config.act_buffer_kib + config.weight_buffer_kib + parameter_kib <= 512


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_load_by_name(preset: str) -> None:
    assert load_config(preset) == PRESETS[preset]


def toml_file(directory: Path, content: str | bytes) -> str:
    path = directory / "accelerator.toml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def test_a_file_names_what_differs_from_the_default(tmp_path: Path) -> None:
    source = toml_file(tmp_path, 'rows = 4\ndataflow = "os"  # the default\nbus_bits = 128\n')
    assert load_config(source) == replace(PRESETS["default"], rows=4, bus_bits=128)


def test_an_empty_file_is_the_default(tmp_path: Path) -> None:
    assert load_config(toml_file(tmp_path, "")) == PRESETS["default"]


def test_overrides_come_after_the_file_and_the_last_one_holds(tmp_path: Path) -> None:
    source = toml_file(tmp_path, "rows = 4\ncols = 4")
    config = load_config(source, ("rows=16", " rows = 12 ", "dataflow=os"))
    assert (config.rows, config.cols) == (12, 4)


def test_fields_are_checked_together_once_all_are_known() -> None:
    """Eight rows and columns need less; 32 x 32 alone would be refused for its weight buffer."""
    assert load_config("default", ("rows=32", "cols=32", "weight_buffer_kib=16")).weight_words == 16
    with pytest.raises(ConfigError, match=r"^requant_lanes: 4 is out of range; accepted: an integer from 1 to 2$"):
        load_config("default", ("cols=2",))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("", r"^set: '' is not of the form field=value$"),
        ("rows", r"^set: 'rows' is not of the form field=value$"),
        ("=8", r"^set: '=8' is not of the form field=value$"),
        (" = ", r"^set: ' = ' is not of the form field=value$"),
        ("rows=", r"^rows: '' is out of range; accepted: an integer from 2 to 32$"),
        ("rows=eight", r"^rows: 'eight' is out of range"),
        ("rows=8.0", r"^rows: '8.0' is out of range"),
        ("rows=8=8", r"^rows: '8=8' is out of range"),
        ("rows=true", r"^rows: 'true' is out of range"),
        ("rows=-8", r"^rows: -8 is out of range"),
        ("rows=--8", r"^rows: '--8' is out of range"),
        ("rows=\N{SUPERSCRIPT TWO}", r"^rows: '.' is out of range"),
        ("rows=1" + 5000 * "0", r"^rows: '10*' is out of range"),
        ("row=8", r"^row: no such field; accepted: act_buffer_kib, bus_bits, cols, dataflow"),
        ("multipliers=64", r"^multipliers: no such field"),
        ("dataflow=best", r"^dataflow: 'best' is not available; accepted: os"),
    ],
)
def test_overrides_that_cannot_be_are_refused(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config("default", (override,))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("rows 4", r"accelerator\.toml is not a TOML file"),
        ("rows = 4\nrows = 5", r"accelerator\.toml is not a TOML file"),
        (b"\xff\xfe", r"accelerator\.toml is not a TOML file"),
        (b"\x7fELF\x00\x01", r"accelerator\.toml is not a TOML file"),
        ("rows = 4.0", r"^rows: 4.0 is out of range"),
        ("rows = true", r"^rows: True is out of range"),
        ('rows = "4"', r"^rows: '4' is out of range"),
        ("rows = [4]", r"^rows: \[4\] is out of range"),
        ("bus_bits = 64.0", r"^bus_bits: 64.0 is not supported"),
        ("rows = 1979-05-27", r"^rows: .* is out of range"),
        ("[array]\nrows = 4", r"^array: no such field; accepted: act_buffer_kib, "),
        ("[rows]\nvalue = 4", r"^rows: \{'value': 4\} is out of range"),
        ('"" = 4', r"no such field"),
    ],
)
def test_files_that_cannot_be_are_refused(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(toml_file(tmp_path, content))


@pytest.mark.parametrize("source", ["", "enormous", "no/such/file.toml", "x" * 300, "nul\0byte", "."])
def test_a_source_that_is_neither_preset_nor_file_is_refused(source: str) -> None:
    with pytest.raises(ConfigError, match=r"is neither a preset \(default, max64, max256\) nor a TOML file"):
        load_config(source)


def test_the_message_is_one_sentence(tmp_path: Path) -> None:
    for source in ("enormous", toml_file(tmp_path, "rows = 99"), toml_file(tmp_path, "rows")):
        with pytest.raises(ConfigError) as refusal:
            load_config(source)
        assert "\n" not in str(refusal.value)
