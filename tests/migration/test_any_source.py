"""Whatever a configuration of another trainer holds, migrating it never fails, and each of its keys has an outcome."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from migration_helpers import migrated

LEROBOT: dict[str, Any] = yaml.safe_load("""
dataset:
  repo_id: lerobot/pusht
  root: null
  episodes: [0, 1]
  eval_split: 0.1
  image_transforms:
    enable: true
    tfs:
      a: {weight: 1.0}
  video_backend: pyav
  streaming: false
  use_imagenet_stats: true
  revision: null
policy:
  type: diffusion
  device: cpu
  use_amp: true
  push_to_hub: true
  repo_id: a/b
  private: true
  tags: [x]
  license: mit
  n_obs_steps: 2
  input_features:
    observation.state:
      type: STATE
      shape: [2]
  output_features: {}
  pretrained_path: null
  pretrained_revision: null
  use_peft: false
env:
  type: pusht
  fps: 10
  task: PushT-v0
  obs_type: pixels
  features:
    action:
      type: ACTION
      shape: [2]
eval: {n_episodes: 10, batch_size: 5, use_async_envs: false}
env_eval_freq: 1000
eval_steps: 100
max_eval_samples: 10
wandb: {enable: true, project: p, entity: null, notes: null, run_id: null, mode: offline, disable_artifact: true}
peft:
  method_type: LORA
  r: 16
  target_modules: [a]
optimizer:
  type: adam
  lr: 0.0001
  betas: [0.9, 0.99]
  grad_clip_norm: 10.0
scheduler: {type: diffuser, num_warmup_steps: 10, name: cosine}
use_policy_training_preset: false
output_dir: out
job_name: j
resume: false
seed: 1
steps: 10
batch_size: 4
num_workers: 2
log_freq: 5
save_freq: 5
save_checkpoint: true
cudnn_deterministic: false
rename_map: {a: b}
job: {target: local}
checkpoint_path: null
launch: {mixed_precision: bf16, num_processes: 2, num-machines: 1}
environment: {A: b}
tolerance_s: 0.0001
prefetch_factor: 2
persistent_workers: true
""")
LIGHTNING: dict[str, Any] = yaml.safe_load("""
seed_everything: true
ckpt_path: null
model:
  class_path: physicalai.policies.lerobot.ACT
  init_args:
    chunk_size: 10
    optimizer_lr: 0.0001
    dataset_stats: null
    config_kwargs: {n_action_steps: 5}
data:
  class_path: physicalai.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
    train_batch_size: 8
    eval_gyms:
      class_path: physicalai.gyms.PushTGym
      init_args: {max_episode_steps: 100, other: 1}
    num_rollouts: 3
    delta_timestamps:
      action: [0.0, 0.1]
trainer:
  max_steps: 10
  logger:
    class_path: lightning.pytorch.loggers.CSVLogger
    init_args: {save_dir: x}
  callbacks:
  - class_path: lightning.pytorch.callbacks.ModelCheckpoint
    init_args: {monitor: val/loss}
  precision: 16-mixed
optimizer:
  class_path: torch.optim.AdamW
  init_args: {lr: 0.0001, weight_decay: 0.1}
lr_scheduler:
  class_path: torch.optim.lr_scheduler.StepLR
  init_args: {step_size: 10}
env: {type: pusht, fps: 10, task: PushT-v0}
eval: {n_episodes: 10, batch_size: 5}
env_eval_freq: 10
""")

pytestmark = pytest.mark.slow

WORDS = st.sampled_from(
    ["", "act", "pusht", "class_path", "lightning.pytorch.callbacks.EarlyStopping", "a.b", "0", "é", "enable"]
)
SCALARS = st.none() | st.booleans() | st.integers(-2, 2000) | st.floats(0, 10) | WORDS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS.filter(bool), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, route: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The routes to everything inside a value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [each for key, inner in inside for each in [(*route, key), *places(inner, (*route, key))]]


def put(value: Any, route: tuple[Any, ...], new: Any, added: str) -> Any:
    changed = copy.deepcopy(value)
    parent = changed
    for key in route[:-1]:
        parent = parent[key]
    if added and isinstance(parent, dict):
        parent[added] = new
    else:
        parent[route[-1]] = new
    return changed


CASES = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize(
    ("source", "saved"),
    [(LEROBOT, False), (LIGHTNING, False), (LIGHTNING, True)],
    ids=["lerobot-train", "LightningCLI", "fit"],
)
def test_any_value_at_any_key_has_an_outcome(source: dict[str, Any], saved: bool) -> None:
    keys = places(source)

    @settings(CASES, max_examples=150)
    @given(st.sampled_from(keys), VALUES, st.sampled_from(["", "", "", "unknown", "lr", "type"]))
    def check(route: tuple[Any, ...], value: Any, added: str) -> None:
        changed = put(source, route, value, added)
        migrated({"fit": changed} if saved else changed)

    check()


@pytest.mark.parametrize("source", [LEROBOT, LIGHTNING], ids=["lerobot-train", "LightningCLI"])
def test_each_key_may_hold_a_value_of_another_kind(source: dict[str, Any]) -> None:
    for route in places(source):
        for value in (None, [1], {"a": 1}, "word"):
            migrated(put(source, route, value, ""))
