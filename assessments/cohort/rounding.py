"""How a figure is rounded wherever it is printed, drawn, exported, or read in words."""

from decimal import ROUND_HALF_UP, Decimal


def half_up(value: float, places: int = 0) -> float:
    """Rounded as a reader rounds: halves away from zero, where Python takes the even side.

    Never −0.0. What a binary fraction leaves beyond nine decimals is not the value's.
    """
    exact = Decimal(str(round(value, 9)))
    return float(exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)) + 0.0


def whole(value: float) -> int:
    """A number of points as it is printed."""
    return int(half_up(value))
