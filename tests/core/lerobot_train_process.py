"""Trains with the real lerobot-train in a process of its own: every configuration of a folder, one after the other.

Beside NAME.json it writes NAME.pt: the first weights, and the loss and learning rate of each step, with the random
numbers of each step seeded by its number, as `tiny_policies.Watch` does; or NAME.txt, why it could not be trained.
"""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import Any


def main(folder: Path) -> None:
    """Train each."""
    import torch
    from accelerate.state import AcceleratorState
    from lerobot.configs.train import TrainPipelineConfig
    from lerobot.scripts import lerobot_train

    own_step, own_policy = lerobot_train.update_policy, lerobot_train.make_policy
    kept: dict[str, Any] = {}

    def update_policy(tracker: Any, policy: Any, batch: Any, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        torch.manual_seed(len(kept["losses"]))
        kept["rates"].append(optimizer.param_groups[0]["lr"])
        done = own_step(tracker, policy, batch, optimizer, *args, **kwargs)
        kept["losses"].append(tracker.loss.val)
        return done

    def make_policy(*args: Any, **kwargs: Any) -> Any:
        policy = own_policy(*args, **kwargs)
        kept["first"] = {name: value.clone() for name, value in policy.state_dict().items()}
        return policy

    lerobot_train.update_policy, lerobot_train.make_policy = update_policy, make_policy
    for file in sorted(folder.glob("*.json")):
        kept = {"losses": [], "rates": []}
        config = TrainPipelineConfig.from_pretrained(file)
        config.output_dir = folder / "outputs" / file.stem
        AcceleratorState._reset_state(reset_partial_state=True)  # one precision for each
        try:
            lerobot_train.train(config)
        except Exception:
            file.with_suffix(".txt").write_text(traceback.format_exc())
            continue
        torch.save(kept, file.with_suffix(".pt"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
