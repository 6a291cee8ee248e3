"""Published cases: Basel's internal loss multiplier and business indicator component (OPE25)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from junbikin.figures import Figure, Rounding, brackets, euler, ln, power, rounded

from .parts import of


def multiplier(share: str) -> Figure:
    """ILM = ln(e − 1 + (LC ÷ BIC)^0.8), OPE25.9."""
    inner = euler(12) - of(1, "1") + power(of(share, "1"), of("0.8", "1"), 12)
    return rounded(ln(inner, 12), 4, Rounding.HALF_EVEN)


@pytest.mark.parametrize(
    ("share", "published"),
    [
        ("0", "0.5413"), ("0.1", "0.6296"), ("0.5", "0.8297"), ("1", "1.0000"),
        ("2", "1.2411"), ("5", "1.6756"), ("10", "2.0829"), ("50", "3.2021"),
    ],
)  # fmt: skip
def test_the_internal_loss_multiplier_is_as_published(share: str, published: str) -> None:
    assert multiplier(share).known == Decimal(published)


@pytest.mark.parametrize(
    ("indicator_bn", "component_bn"),
    [("0", "0"), ("0.5", "0.06"), ("1", "0.12"), ("2", "0.27"), ("30", "4.47"), ("35", "5.37")],
)
def test_the_business_indicator_component_is_as_published(indicator_bn: str, component_bn: str) -> None:
    """12% up to 1bn, 15% up to 30bn, 18% above; OPE25.6 works the case of 35bn: 5.37bn."""
    billion = of(10**9, "1")
    schedule = [(of(at, "EUR") * billion, of(rate, "1")) for at, rate in ((0, "0.12"), (1, "0.15"), (30, "0.18"))]
    component = brackets(of(indicator_bn, "EUR") * billion, schedule)
    assert component.known == Decimal(component_bn) * 10**9
    assert str(component.unit) == "EUR"
