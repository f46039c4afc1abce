"""What every space promises, and what each one's architectures look like."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.reference import run_layers
from nas.quantise import structure
from nas.spaces import ArchitectureError, space, space_names
from nas.spaces.cell import EDGES, OPERATIONS

CIFAR10_SPACES = [space(name, "cifar10") for name in space_names("cifar10")]
DIGITS_SPACES = [space(name, "digits") for name in space_names("digits")]
every_space = pytest.mark.parametrize(
    "space_", DIGITS_SPACES + CIFAR10_SPACES, ids=lambda s: f"{s.name}-{s.image.size}"
)
every_digits_space = pytest.mark.parametrize("space_", DIGITS_SPACES, ids=lambda s: s.name)


def legal_genotypes(space_):
    genotypes = st.tuples(*(st.integers(0, count - 1) for count in space_.choices))
    return genotypes.filter(space_.is_legal)


@every_space
@settings(max_examples=30)
@given(data=st.data())
def test_a_decoded_genotype_is_canonical_and_survives_encoding(space_, data):
    architecture = space_.decode(data.draw(legal_genotypes(space_)))
    assert space_.canonical(architecture) == architecture
    assert space_.decode(space_.encode(architecture)) == architecture


@every_space
@settings(max_examples=30)
@given(data=st.data())
def test_encoding_inverts_spelling_up_to_the_function_computed(space_, data):
    genotype = data.draw(legal_genotypes(space_))
    assert space_.decode(space_.encode(space_.spell(genotype))) == space_.decode(genotype)


@every_space
def test_random_draws_are_canonical(space_):
    rng = np.random.default_rng(0)
    for architecture in (space_.random(rng) for _ in range(5)):
        assert space_.canonical(architecture) == architecture


@every_space
def test_the_same_seed_draws_the_same_architectures(space_):
    draws = [[space_.random(rng) for _ in range(5)] for rng in (np.random.default_rng(3), np.random.default_rng(3))]
    assert draws[0] == draws[1]
    assert len(set(draws[0])) > 1


@every_digits_space
def test_networks_give_one_logit_per_class(space_):
    network = space_.build(space_.random(np.random.default_rng(0))).eval()
    assert network(torch.zeros(2, space_.image.channels, space_.image.size, space_.image.size)).shape == (2, 10)


@every_digits_space
def test_the_covering_networks_hold_every_parameter_of_any_network(space_):
    shapes = {}
    for architecture in space_.covering():
        shapes |= {name: value.shape for name, value in space_.build(architecture).named_parameters()}
    rng = np.random.default_rng(4)
    for _ in range(10):
        for name, parameter in space_.build(space_.random(rng)).named_parameters():
            assert all(own <= most for own, most in zip(parameter.shape, shapes[name], strict=True))


@pytest.mark.parametrize(("name", "classes"), [("nasbench201", 10), ("macro", 10), ("mbconv", 1000)])
def test_the_structure_of_a_network_is_its_layer_graph(name, classes):
    space_ = space(name, "imagenet" if classes == 1000 else "digits")
    architecture = space_.random(np.random.default_rng(0))
    graph = structure(space_, architecture)
    assert graph.name == f"{name}:{architecture}"
    assert graph.input.output.shape == (space_.image.size, space_.image.size, space_.image.channels)
    assert graph.output.output.shape == (1, 1, classes)


@every_digits_space
def test_the_values_of_a_structure_are_as_lively_as_a_trained_network_s(space_):
    graph = structure(space_, space_.covering()[-1])
    pixels = np.random.default_rng(0).integers(-128, 128, (8, *graph.input.output.shape), np.int8)
    for name, tensor in run_layers(graph, pixels).items():
        assert tensor.std() > 5, name


def test_unknown_spaces_and_data_sets_are_refused():
    with pytest.raises(
        ArchitectureError, match="space: 'darts' is not known; accepted: nasbench201, nasbench201-tiny, macro, mbconv"
    ):
        space("darts")
    with pytest.raises(ArchitectureError, match="dataset: 'imagenet' has no macro space; accepted: digits, cifar10"):
        space("macro", "imagenet")


def parameters(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("operation", "published_parameters", "published_flops"),
    [("skip_connect", 73_306, 7_783_050), ("nor_conv_3x3", 1_531_546, 220_119_690)],
)
def test_nasbench201_has_the_published_sizes(operation, published_parameters, published_flops):
    """The benchmark's smallest and largest network. Its FLOPs are our MACs, plus the classifier's 10 additions, less
    the last normalisation, which follows a sum and so is a depthwise layer of 8 x 8 x 64 here."""
    space_ = space("nasbench201")
    architecture = space_.spell([OPERATIONS.index(operation)] * len(EDGES))
    assert parameters(space_.build(architecture)) == published_parameters
    assert structure(space_, architecture).total_macs + 10 - 8 * 8 * 64 == published_flops


@pytest.mark.parametrize("text", ["", "0121", "012121210", "01212123", "0121212x"])
def test_a_string_that_is_no_macro_network_is_refused(text):
    with pytest.raises(ArchitectureError, match="accepted: 8 digits 0, 1 or 2"):
        space("macro").canonical(text)


@pytest.mark.parametrize(
    ("architecture", "canonical"),
    [
        ("02012100", "02012100"),
        ("01201202", "01210220"),
        ("00011110", "00011110"),
        ("10001002", "10010020"),
        ("12212212", "12212212"),
    ],
)
def test_macro_identities_move_to_the_end_of_their_stage(architecture, canonical):
    assert space("macro").canonical(architecture) == canonical


def test_the_macro_space_has_3969_functions():
    space_ = space("macro")
    assert len({space_.decode(genotype) for genotype in np.ndindex(*space_.choices)}) == (3 * 3) * (3 * 7) * (3 * 7)


def test_macro_networks_are_those_of_the_table(data_dir):
    """Parameters, and FLOPs, which NAS-Bench-Macro counts as multiply-accumulates."""
    table = json.loads((data_dir / "data" / "nas-bench-macro_cifar10.json").read_text())
    space_ = space("macro")
    for architecture in ["00000000", "11111111", "22222222", *np.random.default_rng(0).choice(sorted(table), 3)]:
        assert parameters(space_.build(architecture)) == table[architecture]["params"]
        assert structure(space_, architecture).total_macs == table[architecture]["flops"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("w8-k3e3", "has 1 stages; accepted: 2"),
        ("w9-k3e3+w16-k3e3", "stage 0 has width 'w9'; accepted: w8, w12"),
        ("w8+w16-k3e3", "stage 0 has 0 blocks; accepted: 1 to 2"),
        ("w8-k3e3+w16-k3e3-k3e3-k3e3", "stage 1 has 3 blocks; accepted: 1 to 2"),
        ("w8-skip+w16-k3e3", "block 0 of stage 0 is 'skip'; accepted: k3e3, k3e6"),
        ("w8-k9e3+w16-k3e3", "block 0 of stage 0 is 'k9e3'"),
    ],
)
def test_a_string_that_is_no_mbconv_network_is_refused(text, message):
    with pytest.raises(ArchitectureError, match=message):
        space("mbconv", "digits").canonical(text)


def test_mbconv_skips_are_left_out():
    assert space("mbconv", "digits").canonical("w8-k3e3-skip+w16-k5e6-k7e3") == "w8-k3e3+w16-k5e6-k7e3"
