"""Which numbers a random change of the pictures takes: torchvision's transforms v2, and LeRobot's SharpnessJitter.

torchvision checks some of this in its constructors, and the rest when a picture arrives. A test compares the table with
both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class _Numbers:
    """What an argument takes.

    Args:
        words: what is wanted, in words.
        least: the smallest number; None for no bound.
        most: the largest number; None for no bound.
        above: ``least`` itself is not allowed.
        alone: the smallest number where it is not in a list, if that differs.
        lengths: how many numbers a list may have; empty for any.
        rising: the first of two is the smaller one.
        odd: odd numbers only.
    """

    words: str
    least: float | None = None
    most: float | None = None
    above: bool = False
    alone: float | None = None
    lengths: tuple[int, ...] = ()
    rising: bool = False
    odd: bool = False

    def complaint(self, value: Any) -> str:
        """What is wrong with a number or a list of numbers; empty for nothing."""
        numbers = value if isinstance(value, list) else [value]
        if isinstance(value, list) and self.lengths and len(value) not in self.lengths:
            return _COUNTS[self.lengths]
        least = self.alone if self.alone is not None and not isinstance(value, list) else self.least
        if least is not None and any(number < least or (self.above and number == least) for number in numbers):
            return self.words
        if self.most is not None and any(number > self.most for number in numbers):
            return self.words
        if self.odd and any(number % 2 == 0 for number in numbers):
            return self.words
        pairs = zip(numbers[::2], numbers[1::2], strict=False)
        return "the smaller of the two comes first" if self.rising and any(one > two for one, two in pairs) else ""


_COUNTS = {
    (1, 2): "it is one number, or a list of one or two",
    (1, 2, 4): "it is one number, or a list of one, two or four",
    (1, 3): "it is one number for all channels, or a list of three",
    (2,): "it is the least and the most",
    (2, 4): "it is the least and the most, for x, or for x and y",
}
_FACTOR = _Numbers("1.0 leaves a picture as it is, and 0 is the least", 0, lengths=(2,), rising=True)
_ANGLE = _Numbers("one number is the largest angle, at least 0", alone=0, lengths=(2,), rising=True)
_FILL = _Numbers("a color", lengths=(1, 3))
_SIZE = _Numbers("a picture has at least one pixel", 1, lengths=(1, 2))
_SHARE = "a fraction of the picture's size"
_BINS = _Numbers("a number of steps, at least 1", 1)

# Argument, or "Class.argument" where one class differs → what it takes.
_ARGUMENTS = {
    "brightness": _FACTOR,
    "contrast": _FACTOR,
    "saturation": _FACTOR,
    "sharpness": _FACTOR,
    "hue": _Numbers(
        "0 leaves a picture as it is, -0.5 and 0.5 are the bounds", -0.5, 0.5, alone=0, lengths=(2,), rising=True
    ),
    "sharpness_factor": _Numbers("1.0 leaves a picture as it is, and 0 is the least", 0),
    "translate": _Numbers(_SHARE, 0, 1, lengths=(2,)),
    "scale": _Numbers("1.0 is the picture's own size", 0, above=True, lengths=(2,), rising=True),
    "RandomErasing.scale": _Numbers(_SHARE, 0, 1, lengths=(2,), rising=True),
    "ratio": _Numbers("a width divided by a height", 0, above=True, lengths=(2,), rising=True),
    "degrees": _ANGLE,
    "shear": _Numbers("one number is the largest angle, at least 0", alone=0, lengths=(2, 4), rising=True),
    "center": _Numbers("a point", lengths=(2,)),
    "p": _Numbers("a probability", 0, 1),
    "kernel_size": _Numbers("an odd number of pixels", 1, odd=True, lengths=(1, 2)),
    "sigma": _Numbers("a blur has a width", 0, above=True, lengths=(1, 2), rising=True),
    "ElasticTransform.sigma": _Numbers("the smoothing has a width", lengths=(1, 2)),
    "alpha": _Numbers("a distance", lengths=(1, 2)),
    "std": _Numbers("the pictures are divided by it", 0, above=True, lengths=(1, 3)),
    "mean": _Numbers("one number for each channel", lengths=(1, 3)),
    "distortion_scale": _Numbers(_SHARE, 0, 1),
    "quality": _Numbers("a JPEG's quality goes from 1 to 100", 1, 100, lengths=(2,), rising=True),
    "bits": _Numbers("a color has from 0 to 8 bits", 0, 8),
    "num_ops": _Numbers("a number of changes, at least 0", 0),
    "magnitude": _Numbers("a step from 0 up", 0),
    "num_magnitude_bins": _BINS,
    "size": _SIZE,
    "padding": _Numbers("a number of pixels", lengths=(1, 2, 4)),
    "fill": _FILL,
}


def complaint(class_path: str, name: str, arguments: dict[str, Any]) -> str:
    """What is wrong with an argument of a transform that is a number or a list of numbers; empty for nothing.

    Args:
        class_path: of the transform, or its bare name.
        name: the argument.
        arguments: all arguments of the transform, as the recipe has them.
    """
    value = arguments[name]
    if not all(type(number) in (int, float) for number in (value if isinstance(value, list) else [value])):
        return ""
    transform = class_path.rpartition(".")[2]
    if transform == "RandomChoice" and name == "p":
        return _weights(value, arguments.get("transforms"))
    if transform == "RandAugment" and name == "magnitude":
        bins = arguments.get("num_magnitude_bins", 31)
        if type(bins) is int and not isinstance(value, list) and value >= bins > 0:
            return f"the last of {bins} steps is {bins - 1}"
    numbers = _ARGUMENTS.get(f"{transform}.{name}") or _ARGUMENTS.get(name)
    return numbers.complaint(value) if numbers else ""


def _weights(value: Any, transforms: Any) -> str:
    """What is wrong with the weights of several transforms, of which one is chosen."""
    if not isinstance(value, list) or not isinstance(transforms, list):
        return ""
    if len(value) != len(transforms):
        return f"there {'is 1 transform' if len(transforms) == 1 else f'are {len(transforms)} transforms'}"
    return (
        ""
        if min(value, default=0) >= 0 and sum(value) > 0
        else "each is a weight of at least 0, and one must be more than 0"
    )


def changes_nothing(class_path: str, arguments: dict[str, Any]) -> bool:
    """True for a transform that returns every picture as it is."""
    transform = class_path.rpartition(".")[2]
    if transform == "Identity" or (transform not in ("RandomChoice", "GaussianBlur") and arguments.get("p") == 0):
        return True
    return transform == "ColorJitter" and not any(value is not None for value in arguments.values())
