"""Files that the importer cannot honour: one sentence that names what is wrong, whatever the damage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hwgen.errors import ModelFileError, UnsupportedOperatorError
from hwgen.importers.tflite import read_tflite
from tests.hwgen.random_models import SAME, VALID, random_model
from tests.hwgen.tflite_builder import Operator, Tensor, build_model, constant

IMAGE = Tensor((1, 4, 4, 2), (0.5,), (3,))
RESULT = Tensor((1, 4, 4, 2), (0.25,), (-7,))
WEIGHTS = constant(np.ones((2, 1, 1, 2), np.int8), (0.5, 0.25))
BIAS = constant(np.zeros(2, np.int32), (0.25, 0.125))
UNIT = {"Padding": SAME, "StrideH": 1, "StrideW": 1, "DilationHFactor": 1, "DilationWFactor": 1}
POOL = {"Padding": VALID, "StrideH": 1, "StrideW": 1, "FilterHeight": 1, "FilterWidth": 1}


def conv(
    image: Tensor = IMAGE, weights: Tensor = WEIGHTS, bias: Tensor = BIAS, result: Tensor = RESULT, **options: float
) -> Operator:
    return Operator("CONV_2D", (image, weights, bias), result, UNIT | options)


def like(tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
    return Tensor(shape, tensor.scales, tensor.zero_points)


def pad(amounts: list[list[int]], result: Tensor) -> Operator:
    return Operator("PAD", (IMAGE, constant(np.array(amounts, np.int32))), result)


def reshape(image: Tensor, result: Tensor) -> Operator:
    return Operator("RESHAPE", (image, constant(np.array(result.shape, np.int32))), result)


def read(content: bytes, directory: Path) -> None:
    path = directory / "model.tflite"
    path.write_bytes(content)
    read_tflite(path)


def test_the_plain_model_that_the_others_vary_is_accepted(tmp_path: Path) -> None:
    read(build_model([conv()]), tmp_path)


def refusal(operators: list[Operator], directory: Path) -> str:
    """The message with which the model of ``operators`` is refused as unsupported."""
    with pytest.raises(UnsupportedOperatorError) as caught:
        read(build_model(operators), directory)
    return str(caught.value)


@pytest.mark.parametrize("name", ["MUL", "TANH", "LEAKY_RELU", "CONCATENATION", "TRANSPOSE_CONV", "DEQUANTIZE"])
def test_other_operators_are_named_with_their_position(name: str, tmp_path: Path) -> None:
    following = Operator(name, (RESULT,), like(RESULT, RESULT.shape))
    assert f"operator 1 ({name}) is not supported; accepted: CONV_2D, " in refusal([conv(), following], tmp_path)


@pytest.mark.parametrize(
    ("operator", "message"),
    [
        (conv(DilationHFactor=2), "has dilation 2 x 1; accepted: 1 x 1"),
        (conv(FusedActivationFunction=4), "fused TANH; accepted: NONE, RELU"),
        (conv(weights=constant(np.ones((2, 1, 1, 1), np.int8), (0.5, 0.5))), "accepted: ungrouped convolutions"),
        (conv(weights=replace(WEIGHTS, zero_points=(1, 0))), "accepted: symmetric weights"),
        (conv(weights=replace(WEIGHTS, axis=3)), "not quantised along the output channels"),
        (conv(weights=replace(WEIGHTS, sparse=True)), "is sparse INT8; accepted: dense INT8"),
        (conv(weights=replace(WEIGHTS, dtype="INT4")), "is INT4; accepted: dense INT8"),
        (conv(bias=constant(np.zeros(2, np.int64), (0.25, 0.125))), "is INT64; accepted: dense INT32"),
        (conv(result=replace(RESULT, dtype="INT16")), "is INT16; accepted: INT8"),
        (conv(result=replace(RESULT, dtype="FLOAT32")), "is FLOAT32; accepted: INT8"),
    ],
)
def test_convolutions_that_no_layer_expresses(operator: Operator, message: str, tmp_path: Path) -> None:
    text = refusal([operator], tmp_path)
    assert "operator 0 (CONV_2D)" in text
    assert message in text


def test_additions_that_broadcast(tmp_path: Path) -> None:
    window = POOL | {"FilterHeight": 4, "FilterWidth": 4}
    mean = like(IMAGE, (1, 1, 1, 2))
    operators = [Operator("AVERAGE_POOL_2D", (IMAGE,), mean, window), Operator("ADD", (IMAGE, mean), RESULT)]
    assert "operator 1 (ADD) adds (4, 4, 2) and (1, 1, 2); accepted: equal shapes" in refusal(operators, tmp_path)


def test_additions_of_constants(tmp_path: Path) -> None:
    addend = constant(np.ones(IMAGE.shape[1:], np.int8), (0.5,))
    assert "is a constant; accepted: a layer" in refusal([Operator("ADD", (IMAGE, addend), RESULT)], tmp_path)


def test_padding_before_anything_but_a_convolution(tmp_path: Path) -> None:
    padded = like(IMAGE, (1, 6, 6, 2))
    pool = Operator("MAX_POOL_2D", (padded,), like(IMAGE, padded.shape), POOL)
    operators = [pad([[0, 0], [1, 1], [1, 1], [0, 0]], padded), pool]
    assert "operator 1 (MAX_POOL_2D): follows PAD" in refusal(operators, tmp_path)


def test_padding_at_the_output(tmp_path: Path) -> None:
    operators = [pad([[0, 0], [1, 1], [1, 1], [0, 0]], like(IMAGE, (1, 6, 6, 2)))]
    assert "PAD at the output" in refusal(operators, tmp_path)


def test_padding_of_channels(tmp_path: Path) -> None:
    operators = [pad([[0, 0], [0, 0], [0, 0], [1, 0]], like(IMAGE, (1, 4, 4, 3)))]
    assert "pads batch or channels; accepted: height and width" in refusal(operators, tmp_path)


def test_padding_with_another_value_than_zero(tmp_path: Path) -> None:
    amounts = constant(np.array([[0, 0], [1, 1], [1, 1], [0, 0]], np.int32))
    value = constant(np.array([4], np.int8), IMAGE.scales)
    operators = [Operator("PADV2", (IMAGE, amounts, value), like(IMAGE, (1, 6, 6, 2)))]
    assert "accepted: the zero point" in refusal(operators, tmp_path)


def test_means_over_channels(tmp_path: Path) -> None:
    operators = [Operator("MEAN", (IMAGE, constant(np.array([3], np.int32))), like(IMAGE, (1, 4, 4)))]
    assert "averages over [3]; accepted: height and width" in refusal(operators, tmp_path)


def test_reshapes_between_convolutions(tmp_path: Path) -> None:
    wide = like(RESULT, (1, 2, 8, 2))
    operators = [conv(), reshape(RESULT, wide), conv(wide, result=like(RESULT, wide.shape))]
    assert "operator 2 (CONV_2D): reads (4, 4, 2) reshaped to (2, 8, 2)" in refusal(operators, tmp_path)


def test_operators_after_softmax(tmp_path: Path) -> None:
    likely = Tensor(RESULT.shape, (1 / 256,), (-128,))
    operators = [
        conv(),
        Operator("SOFTMAX", (RESULT,), likely, {"Beta": 1.0}),
        conv(likely, result=like(RESULT, RESULT.shape)),
    ]
    assert "operator 2 (CONV_2D): follows SOFTMAX" in refusal(operators, tmp_path)


def test_products_of_several_rows(tmp_path: Path) -> None:
    rows = constant(np.ones((3, 2), np.int8), (0.5,))
    operators = [Operator("FULLY_CONNECTED", (IMAGE, rows), like(RESULT, (1, 3)))]
    assert "multiplies 32 elements by rows of 2; accepted: one row, batch 1" in refusal(operators, tmp_path)


@pytest.mark.parametrize(
    ("operators", "message"),
    [
        ([conv(replace(IMAGE, dtype="FLOAT32"))], r"its input 'tensor_0' is FLOAT32; accepted: models fully quantised"),
        ([conv(replace(IMAGE, dtype="UINT8"))], r"its input 'tensor_0' is UINT8"),
        ([conv(like(IMAGE, (2, 4, 4, 2)))], r"tensor 'tensor_0' has shape \(2, 4, 4, 2\); accepted: batch 1"),
        ([conv(replace(IMAGE, signature=(1, -1, -1, 2)))], r"accepted: batch 1 of static height, width, channels"),
        ([conv(replace(IMAGE, scales=()))], r"'tensor_0' is not quantised per tensor"),
        (
            [conv(replace(IMAGE, scales=(-0.5,)))],
            r"'tensor_0' has a scale out of range; accepted: 2\*\*-100 to 2\*\*100",
        ),
        ([conv(replace(IMAGE, zero_points=(128,)))], r"'tensor_0' is not quantised per tensor with an int8 zero point"),
        ([conv(weights=replace(WEIGHTS, data=None))], r"has 2 inputs and 1 outputs; accepted: one of each"),
        ([conv(weights=replace(WEIGHTS, shape=(2, 1, 1, 3)))], r"constant 'tensor_1' of shape .* has 4 bytes"),
        ([conv(weights=replace(WEIGHTS, scales=(0.5, 0.5, 0.5)))], r"its weights have 3 scales"),
        ([conv(bias=constant(np.zeros(3, np.int32)))], r"its bias has shape \(3,\); accepted: \(2,\)"),
        ([conv(result=like(RESULT, (1, 3, 3, 2)))], r"computes \(4, 4, 2\), but its result is declared \(3, 3, 2\)"),
        ([conv(StrideW=0)], r"has kernel \(1, 1\) and stride \(1, 0\); accepted: at least 1"),
        ([conv(Padding=7)], r"has padding 7; accepted: SAME, VALID"),
        ([conv(), conv(result=like(RESULT, RESULT.shape))], r"layers do not all lead to its output"),
        ([Operator("SOFTMAX", (IMAGE,), RESULT)], r"accepted: at least one layer"),
        ([Operator("MAX_POOL_2D", (IMAGE,), RESULT, POOL)], r"different quantisation; accepted: alike"),
    ],
)
def test_models_that_are_not_sound_int8_networks(operators: list[Operator], message: str, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=message):
        read(build_model(operators), tmp_path)


def test_a_batch_that_is_dynamic_but_declared_as_one_is_accepted(tmp_path: Path) -> None:
    read(build_model([conv(replace(IMAGE, signature=(-1, 4, 4, 2)))]), tmp_path)


def test_a_reshape_that_is_all_that_reads_the_input_names_its_dimensions(tmp_path: Path) -> None:
    flat = like(IMAGE, (1, 32))
    path = tmp_path / "model.tflite"
    path.write_bytes(build_model([reshape(flat, IMAGE), conv()]))
    assert read_tflite(path).input.output.shape == (4, 4, 2)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"absent\.tflite: cannot be read \(No such file or directory\)"):
        read_tflite(tmp_path / "absent.tflite")


@pytest.mark.parametrize("content", [b"", b"TFL3", b"hello, world", bytes(64)])
def test_other_files_are_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"model\.tflite: not a TensorFlow Lite file"):
        read(content, tmp_path)


SOUND_MODELS = tuple(
    random_model(np.random.default_rng(seed), kinds)
    for seed, kinds in enumerate(
        [
            ("padded_conv", "depthwise", "residual", "mean"),
            ("relu", "add", "average_pool", "fully_connected", "softmax"),
            ("padded_depthwise", "max_pool", "quantize", "fully_connected"),
        ]
    )
)


def truncated(draw: Callable, content: bytes) -> bytes:
    return content[: draw(st.integers(0, len(content) - 1))]


def with_flipped_bits(draw: Callable, content: bytes) -> bytes:
    damaged = bytearray(content)
    for position in draw(st.lists(st.integers(0, 8 * len(content) - 1), min_size=1, max_size=3)):
        damaged[position // 8] ^= 1 << position % 8
    return bytes(damaged)


def with_an_extreme_word(draw: Callable, content: bytes) -> bytes:
    """Offsets, lengths and sizes are 32-bit words: one of them zero, huge or negative."""
    position = 4 * draw(st.integers(0, len(content) // 4 - 1))
    word = draw(st.sampled_from((0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)))
    return content[:position] + word.to_bytes(4, "little") + content[position + 4 :]


@pytest.mark.parametrize("damage", [truncated, with_flipped_bits, with_an_extreme_word])
@settings(max_examples=200, suppress_health_check=(HealthCheck.function_scoped_fixture,))
@given(data=st.data(), content=st.sampled_from(SOUND_MODELS))
def test_damaged_files_are_read_or_refused_in_one_line(
    damage: Callable, data: st.DataObject, content: bytes, tmp_path: Path
) -> None:
    try:
        read(damage(data.draw, content), tmp_path)
    except (ModelFileError, UnsupportedOperatorError) as error:
        assert "model.tflite: " in str(error)
        assert "\n" not in str(error)
