"""The `peft` section of a recipe's model: adapters such as LoRA on a frozen pretrained policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Adapters:
    """Settings of the adapters to train, with the fields and defaults of LeRobot's `--peft`.

    Args:
        method_type: The method, as PEFT names it: LORA, MISS, …
        r: Rank of the adapters.
        lora_alpha: The adapters are scaled by lora_alpha / r; null takes PEFT's default, 8.
        target_modules: Layers to adapt: suffixes of their names, or a regular expression; null for LeRobot's default.
        full_training_modules: Modules that are trained completely and saved with the adapters.
        init_type: Initialization of the adapters; null for the method's default.

    Raises:
        ValueError: a rank below 1.
    """

    def __init__(
        self,
        method_type: str = "LORA",
        r: int = 16,
        lora_alpha: int | None = None,
        target_modules: list[str] | str | None = None,
        full_training_modules: list[str] | None = None,
        init_type: str | None = None,
    ) -> None:
        if isinstance(r, bool) or not isinstance(r, int) or r < 1:
            raise ValueError(f"peft.r must be a whole number of at least 1, got {r!r}")
        self.method_type = method_type
        self.r = r
        self.lora_alpha = lora_alpha
        self.target_modules = target_modules
        self.full_training_modules = full_training_modules
        self.init_type = init_type

    @classmethod
    def read(cls, section: Any) -> Adapters | None:
        """Read the settings of a section; None for null.

        Raises:
            ValueError: a value that cannot be used.
            TypeError: a key that does not exist.
        """
        if section is None:
            return None
        if not isinstance(section, Mapping):
            raise ValueError(f"peft must be a section such as {{r: 16}}, got {section!r}")
        return cls(**section)

    def as_lerobot(self) -> dict[str, Any]:
        """The keyword arguments that lerobot-train passes to LeRobot's `wrap_with_peft`."""
        return dict(vars(self))
