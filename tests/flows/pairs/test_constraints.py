"""Constraints are parsed in one place, and a bad one is refused with what would be accepted."""

from __future__ import annotations

import pytest

from flows.pairs.constraints import Constraint, parse_constraint
from hwgen.errors import InputError


@pytest.mark.parametrize(
    ("text", "constraint"),
    [
        ("latency_ms<=5", Constraint("latency_ms", "<=", 5.0)),
        (" accuracy >= 0.95 ", Constraint("accuracy", ">=", 0.95)),
        ("gmac_per_s>=1.5", Constraint("gmac_per_s", ">=", 1.5)),
        ("cycles<=1e5", Constraint("cycles", "<=", 100_000.0)),
        ("share_of_ecp5_85k<=0.9", Constraint("share_of_ecp5_85k", "<=", 0.9)),
    ],
)
def test_a_constraint_is_metric_sense_bound(text: str, constraint: Constraint) -> None:
    assert parse_constraint(text) == constraint


@pytest.mark.parametrize("text", ["fits=ecp5-45k", " fits = ecp5-45k "])
def test_to_fit_a_device_is_to_take_no_more_than_all_of_it(text: str) -> None:
    assert parse_constraint(text) == Constraint("share_of_ecp5_45k", "<=", 1.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("latency_ms", "not of the form"),
        ("latency_ms=5", "not of the form"),
        ("latency_ms<5", "not of the form"),
        ("<=5", "not of the form"),
        ("power<=5", "'power' is not a metric; accepted: accuracy, cycles"),
        ("cycles<=many", "'many' of cycles is not a finite number"),
        ("cycles<=nan", "not a finite number"),
        ("cycles<=inf", "not a finite number"),
        ("", "not of the form"),
        ("fits=ice40", "^device: 'ice40' is not supported; accepted: ecp5-25k, ecp5-45k, ecp5-85k$"),
        ("fits<=ecp5-45k", "'fits' is not a metric"),
    ],
)
def test_a_malformed_constraint_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_constraint(text)


def test_violation_is_positive_only_where_the_bound_is_missed() -> None:
    assert parse_constraint("cycles<=100").violation({"cycles": 150}) == 0.5
    assert parse_constraint("cycles<=100").violation({"cycles": 100}) == 0
    assert parse_constraint("accuracy>=0.8").violation({"accuracy": 0.9}) < 0
    assert parse_constraint("accuracy>=0.8").violation({"accuracy": 0.4}) == pytest.approx(0.5)
