"""Any LeRobot policy as a Lightning module that does what LeRobot's own training loop does."""

import copy
import dataclasses
import inspect
import operator
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import lightning as L
import numpy as np
import torch
from lightning.pytorch.trainer.states import TrainerStatus
from lightning.pytorch.utilities import GradClipAlgorithmType
from torch import Tensor

from getiaction import publishing, trust
from getiaction.errors import PolicyError
from getiaction.lerobot import acting, adapters, configuration, model_card, policies, processors
from getiaction.lerobot.errors import policy_errors
from getiaction.lerobot.features import (
    DatasetView,
    FeatureType,
    as_policy_features,
    as_raw_features,
    split_features,
    trained_inputs,
)
from getiaction.lerobot.foreign_code import no_foreign_code
from getiaction.lerobot.names import PreTrainedConfig, PreTrainedPolicy, config_class, policy_names
from getiaction.policies.averaging import AveragedWeights
from getiaction.spec import facts
from getiaction.spec.adapters import Adapters
from getiaction.spec.averaging import Averaging
from getiaction.spec.mixture import DATASET_INDEX
from getiaction.spec.publishing import Upload

Batch = dict[str, Any]

# Where a checkpoint keeps what a policy needs beyond its weights.
CHECKPOINT_KEY = "getiaction"
AVERAGE_KEY = "ema"
COUNTED_KEY = "counted_steps"
_OWN = "lerobot_policy."  # before the names of its weights
_SHARDED = ("FSDP", "ModelParallel", "DeepSpeed")


class LeRobotPolicy(L.LightningModule):
    """A LeRobot policy by name.

    Without features it is built in `setup`, from the dataset of the trainer's data module; with both `input_features`
    and `output_features` as dictionaries it is built at once, on the CPU, and follows the trainer to its device.

    Args:
        policy_name: the name LeRobot registers the policy under: `act`, `diffusion`, `vqbet`, …
        learning_rate: sets the configuration's `optimizer_lr`; None keeps the policy's own preset.
        config_kwargs: fields of the policy's configuration class; `parameters` win over it.
        input_features: a list of keys that chooses among the dataset's features, or a dictionary of features (LeRobot's
            raw ones with dtype and shape, or `PolicyFeature`); may be the dataset's whole feature dictionary.
        output_features: likewise.
        config: a LeRobot configuration to start from; `config_kwargs` and `parameters` win over its fields.
        dataset_stats: statistics per feature, for a policy built at once; None takes the data module's.
        pretrained_path: start from the weights and processors of this `pretrained_model` folder or Hub id.
        pretrained_revision: branch, tag or commit of that Hub id.
        rename_map: dataset key → key that the pretrained policy knows it by.
        ema: keep an exponential moving average of the trained weights: true, or fields of
            `getiaction.spec.averaging.Averaging`. Validation, rollouts, `save_pretrained` and `load_from_checkpoint`
            use the average; checkpoints hold both.
        peft: train adapters (LoRA) on the policy of `pretrained_path`, and nothing else: fields of
            `getiaction.spec.adapters.Adapters`. Checkpoints and `save_pretrained` leave out the frozen weights.
        parameters: fields of the policy's configuration class.

    Attributes:
        config: LeRobot's configuration, once the features are known.
        lerobot_policy: LeRobot's policy, once built.
        preprocessor: LeRobot's steps from a raw batch to what the policy reads.
        postprocessor: LeRobot's steps from the policy's action to the dataset's units.

    Raises:
        getiaction.errors.PolicyError: the policy refuses its parameters or features (from here when they are given,
            else from `setup`).
    """

    policy_name: str | None = None

    def __init__(
        self,
        policy_name: str | None = None,
        *,
        learning_rate: float | None = None,
        config_kwargs: dict[str, Any] | None = None,
        input_features: Sequence[str] | Mapping[str, Any] | None = None,
        output_features: Sequence[str] | Mapping[str, Any] | None = None,
        config: PreTrainedConfig | None = None,
        dataset_stats: Mapping[str, Mapping[str, Any]] | None = None,
        pretrained_path: str | Path | None = None,
        pretrained_revision: str | None = None,
        rename_map: Mapping[str, str] | None = None,
        ema: bool | Mapping[str, Any] | None = None,
        peft: Mapping[str, Any] | None = None,
        **parameters: Any,
    ) -> None:
        super().__init__()
        self.policy_name = _the_name(type(self).policy_name, policy_name, config)
        self.config: PreTrainedConfig | None = None
        self.lerobot_policy: PreTrainedPolicy | None = None
        self.preprocessor: Any = None
        self.postprocessor: Any = None
        self._learning_rate = learning_rate
        self._parameters_given = {**(config_kwargs or {}), **parameters}
        if self._parameters_given.get("normalization_mapping", "") is None:
            del self._parameters_given["normalization_mapping"]
        configuration.require_fields(self.policy_name, self._parameters_given)
        self._config_given = config
        self._inputs_given = input_features
        self._outputs_given = output_features
        self._unseen: set[str] = set()
        self._trained_inputs: dict[str, Any] | None = None
        self._pretrained = str(pretrained_path) if pretrained_path else None
        self._revision = pretrained_revision
        self._rename_map = dict(rename_map or {})
        self._averaging = _read(Averaging, ema, "`ema: true`")
        self._adapters_given = _read(Adapters, peft, "`peft: {r: 16}`")
        self._peft_models: list[Any] = []  # PEFT's model, out of sight of torch: it holds the policy, not the reverse
        self._average: AveragedWeights | None = None
        self._average_saved: dict[str, Any] | None = None
        self._val_losses: Tensor | None = None  # (datasets, 2): summed loss and samples of each dataset of a mixture
        if self._adapters_given and not pretrained_path:
            raise PolicyError(
                f"{self.policy_name}: peft trains adapters on a pretrained policy, and there is no pretrained_path",
                "set pretrained_path, or leave peft out to train the whole policy",
            )
        if rename_map and not pretrained_path:
            raise PolicyError(
                "rename_map is what a pretrained policy calls the dataset's features, and there is no pretrained_path",
                "leave rename_map out: a fresh policy takes the dataset's own names",
            )
        # Only what makes this object again: features, statistics and configuration are in the checkpoint as built.
        choices = {"input_features": input_features, "output_features": output_features}
        self.save_hyperparameters(
            configuration.plain(
                {
                    "policy_name": self.policy_name,
                    "learning_rate": learning_rate,
                    "pretrained_path": self._pretrained,
                    "pretrained_revision": pretrained_revision,
                    "rename_map": self._rename_map or None,
                    "ema": ema,
                    "peft": peft,
                    **{key: value for key, value in choices.items() if not isinstance(value, Mapping)},
                    **self._parameters_given,
                }
            )
        )
        if isinstance(input_features, Mapping) and isinstance(output_features, Mapping):
            features = as_raw_features({**output_features, **input_features})
            self._build(DatasetView(features, _as_stats(dataset_stats), meta=None), device="cpu")

    # Building --------------------------------------------------------------------------------------------------------

    def configure_for(self, meta: Any) -> PreTrainedConfig:
        """LeRobot's configuration for a dataset, without building the network: what timing is derived from.

        Args:
            meta: a `LeRobotDatasetMetadata`.

        Raises:
            getiaction.errors.PolicyError: the policy refuses its parameters, or a chosen feature is not in the dataset.
        """
        if self.config is None:
            self._narrow(DatasetView(meta.features, meta.stats, meta))
            self.config = self._make_config(self._device_type())
        return self.config

    def setup(self, stage: str) -> None:
        """Build the policy from the data module's dataset, unless it is built; Lightning calls this before training.

        Raises:
            getiaction.errors.PolicyError: there is no dataset to build from, or the policy can't be built from it.
        """
        datamodule = getattr(self.trainer, "datamodule", None)
        meta = getattr(datamodule, "meta", None)
        stats = datamodule.stats if datamodule is not None and meta is not None else None
        if self.lerobot_policy is None:
            if meta is None:
                raise PolicyError(
                    f"{self.policy_name} can't be built: its features are unknown",
                    "give the trainer a LeRobotDataModule, or the policy its input_features and output_features",
                )
            self.build(meta, stats)
        elif self.preprocessor is None:
            # Built at once without statistics: normalizing silently by nothing would train a useless policy.
            assert self.config is not None
            features = as_raw_features({**self.config.input_features, **self.config.output_features})
            self._make_processors(DatasetView(features, stats, meta))
        self._follow(self._device_type())
        if stage == "fit":
            self.train()  # an earlier select_action, or LeRobot's from_pretrained, left it in evaluation mode
            # Some policies keep what they freeze in evaluation mode, and Lightning takes that for a mistake.
            warnings.filterwarnings("ignore", r"Found \d+ module\(s\) in eval mode at the start of training")

    def build(self, meta: Any, stats: Any) -> None:
        """Build the policy for a dataset, its weights fetched and loaded.

        Args:
            meta: a `LeRobotDatasetMetadata`.
            stats: the statistics to normalize by; None builds no processors.

        Raises:
            getiaction.errors.PolicyError: the policy can't be built from it.
        """
        self._build(DatasetView(meta.features, stats, meta), self._device_type())

    def _device_type(self) -> str:
        """The kind of device that the trainer, or else the module, is on."""
        if self._trainer is not None:
            return self._trainer.strategy.root_device.type
        return self.device.type

    def _make_config(self, device: str, saved: Mapping[str, Any] | None = None) -> PreTrainedConfig:
        """The configuration: the user's parameters over the saved, given or pretrained one's."""
        name = str(self.policy_name)
        values: dict[str, Any] = {
            "push_to_hub": False
        }  # LeRobot's default would make a later lerobot-train ask for an id
        if saved is not None:
            values = dict(saved)
        else:
            if self._config_given is not None:
                values |= configuration.config_to_plain(self._config_given)
            if self._pretrained:
                values |= configuration.pretrained_config_values(name, self._pretrained, self._revision)
                values |= {"pretrained_path": self._pretrained, "pretrained_revision": self._revision}
        values.pop("type", None)
        values |= self._parameters_given
        if self._learning_rate is not None:
            if not hasattr(config_class(name), "optimizer_lr"):
                raise PolicyError(f"{name} does not support learning_rate: its configuration has no optimizer_lr")
            values["optimizer_lr"] = self._learning_rate
        if device == "mps" and facts.holds(name, "refuses_mps"):
            raise PolicyError(f"{name} does not run on mps", "use trainer.accelerator: cpu, or a machine with CUDA")
        config = configuration.make_config(name, values, device)
        if config.use_peft and self._adapters_given is None and not self._peft_models:
            raise PolicyError(f"{name}: use_peft says that a checkpoint holds adapters", "use peft: {r: 16} instead")
        return config

    def _narrow(self, view: DatasetView) -> dict[str, Any]:
        """Leave only the chosen features in a view of the dataset; returns the inputs among them.

        Some policies look for cameras in the batch by themselves: there, too, they find the chosen ones alone.
        """
        features = as_policy_features(view.features)
        inputs, _ = split_features(_chosen(self._inputs_given, features, "input_features"))
        _, outputs = split_features(_chosen(self._outputs_given, features, "output_features"))
        self._unseen = {
            key for key, feature in features.items() if feature.type.value == "VISUAL" and key not in inputs
        }
        view.features = {
            key: feature
            for key, feature in view.features.items()
            if key not in features or key in inputs or key in outputs
        }
        return inputs

    def _configured(self, view: DatasetView, device: str) -> PreTrainedConfig:
        """The configuration that reads the chosen features of a dataset; its view is narrowed to them."""
        inputs = self._narrow(view)
        if self.config is None:
            self.config = self._make_config(device)
        if self._inputs_given is not None:
            self.config.input_features = {self._rename_map.get(key, key): feature for key, feature in inputs.items()}
        return self.config

    def _build(self, view: DatasetView, device: str) -> None:
        """The one way a policy comes to be from a dataset's features and statistics."""
        config = self._configured(view, device)
        _require_stats(config, view, self._rename_map)
        self.lerobot_policy = policies.build_policy(config, view, self._rename_map)
        if self._pretrained:
            self._trained_inputs = trained_inputs(config, view, self._rename_map)
        if self._adapters_given is not None:
            self._peft_models = [adapters.wrap(self.lerobot_policy, self._adapters_given)]
        if view.stats is not None:
            self._make_processors(view)

    def build_hollow(self, meta: Any, stats: Any, hollow: AbstractContextManager[Any]) -> None:
        """Build it to be measured, not trained: no weights are fetched or loaded.

        Args:
            meta: a `LeRobotDatasetMetadata`.
            stats: the statistics to normalize by.
            hollow: in this context the network is built; the processors are built outside.
        """
        view = DatasetView(meta.features, stats, meta)
        config = self._configured(view, "cpu")
        with hollow:
            self.lerobot_policy = policies.build_hollow_policy(config, view)
            if self._adapters_given is not None:
                self._peft_models = [adapters.wrap(self.lerobot_policy, self._adapters_given)]
        self._make_processors(view)

    def _make_processors(self, view: DatasetView) -> None:
        assert self.config is not None
        self.preprocessor, self.postprocessor = processors.make_processors(self.config, view, self._rename_map)

    def _follow(self, device: str) -> None:
        """Tell the configuration and the preprocessor which device the weights are on."""
        if self.config is not None and self.config.device != device:
            self.config.device = device
            if self.preprocessor is not None:
                processors.send_to(self.preprocessor, device)

    # Averaged weights ------------------------------------------------------------------------------------------------

    @property
    def averaging(self) -> Averaging | None:
        """The settings of `ema`; None without it."""
        return self._averaging

    def averaged(self) -> AbstractContextManager[None]:
        """While it lasts, the policy has its averaged weights, if it keeps any."""
        if self._average is None or self._average.applied:
            return nullcontext()
        return self._average.in_place()

    def on_fit_start(self) -> None:
        """Begin the average, or continue the one of a checkpoint, where the weights are by now."""
        if self._averaging is None:
            return
        strategy = type(self.trainer.strategy).__name__
        if strategy.startswith(_SHARDED):
            raise PolicyError(f"ema needs the whole policy in each process, and {strategy} divides it", "use ddp")
        self._average = self._continued_average()

    def _continued_average(self) -> AveragedWeights:
        """The average that a checkpoint holds, or one that starts at the weights as they are."""
        average = AveragedWeights(self._averaging or Averaging(), self._built().named_parameters())
        saved, self._average_saved = self._average_saved, None
        if saved is not None:
            try:
                average.load_state_dict(saved)
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                raise PolicyError(str(error), "name another checkpoint of the run, or leave ema out") from error
        return average

    def on_validation_epoch_start(self) -> None:
        """Validate the averaged weights."""
        self._val_losses = None
        if self._average is not None:
            self._average.apply()

    def on_validation_epoch_end(self) -> None:
        """Train on with the others; callbacks save at the end of validation, which comes later."""
        if self._dataset_names():  # also without a batch of its own, as the processes add theirs up
            self._log_by_dataset("val/loss", self._val_losses)
        if self._average is not None:
            self._average.restore()

    # Training --------------------------------------------------------------------------------------------------------

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Log the loss of each dataset of a mixture as `train/loss/<dataset>`, before a step that is logged.

        It is computed as the validation loss is, so that the two can be compared, and takes no random number away from
        the training.
        """
        trainer = self.trainer
        if not self._dataset_names() or not trainer._logger_connector.should_update_logs:
            return
        if type(trainer.strategy).__name__.startswith(_SHARDED):  # a process has no whole policy outside a step
            return
        steps = self._counted_steps()
        self._count_steps(-1)
        self._built().eval()
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices), trainer.precision_plugin.val_step_context(), torch.no_grad():
            _, sums = self._loss_by_dataset(batch)
        self._count_steps(steps)
        self._log_by_dataset("train/loss", sums)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The loss of one raw batch, as a dataset gives it; logs it, and what scalars the policy reports with it."""
        self._built().train()
        loss, scalars = self._loss(batch)
        size = _batch_size(batch)
        self.log("train/loss", loss.detach(), prog_bar=True, batch_size=size, sync_dist=True)
        self.log_dict({f"train/{name}": value for name, value in scalars.items()}, batch_size=size)
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The loss of one raw held-out batch, logged as `val/loss`; some policies (ACT) leave terms out of it."""
        steps = self._counted_steps()
        self._count_steps(-1)  # below any bound that it is compared with
        if self._dataset_names():
            loss, sums = self._loss_by_dataset(batch)
            self._val_losses = sums if self._val_losses is None else self._val_losses + sums
        else:
            loss, _ = self._loss(batch)
        self._count_steps(steps)
        self.log("val/loss", loss, prog_bar=True, batch_size=_batch_size(batch), sync_dist=True)
        return loss

    def _dataset_names(self) -> list[str]:
        """The datasets of a mixture; none of another dataset."""
        return getattr(getattr(self.trainer.datamodule, "meta", None), "dataset_names", [])

    def _loss_by_dataset(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The loss of a batch of a mixture; and `(datasets, 2)`, the summed loss and the samples of each dataset."""
        whose = batch[DATASET_INDEX]
        sums = torch.zeros(len(self._dataset_names()), 2, device=self.device)
        for number in torch.unique(whose).tolist():
            rows = torch.nonzero(whose == number).flatten()
            loss, _ = self._loss(_rows(batch, rows) if len(rows) < len(whose) else batch)
            sums[number, 0], sums[number, 1] = loss.detach() * len(rows), len(rows)
        return sums[:, 0].sum() / len(whose), sums

    def _log_by_dataset(self, name: str, sums: Tensor | None) -> None:
        """Log the mean loss of each dataset over all processes, which each saw other datasets' batches."""
        names = self._dataset_names()
        none = torch.zeros(len(names), 2, device=self.device)
        sums = self.trainer.strategy.reduce(none if sums is None else sums, reduce_op="sum")
        for dataset, (summed, count) in zip(names, sums.tolist(), strict=True):
            if count:
                self.log(f"{name}/{dataset}", summed / count, sync_dist=True)

    def _counted_steps(self) -> int | None:
        """The training steps that the policy has counted in its network; None for a policy that counts none."""
        path = facts.value(self.policy_name or "", "step_counter")
        return operator.attrgetter(path)(self._built()) if path else None

    def _count_steps(self, steps: int | None) -> None:
        """Set that count; nothing for a policy that counts none."""
        path = facts.value(self.policy_name or "", "step_counter")
        if path:
            owner, _, name = path.rpartition(".")
            setattr(operator.attrgetter(owner)(self._built()), name, steps)

    def test_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """How far the predicted actions are from the recorded ones, open loop, for a batch of `Moments`.

        Logs the mean absolute error in the dataset's units: `test/error` over all joints, `test/error_<joint>` each.
        """
        predicted = self.predict_step(batch, batch_idx)
        valid = batch["valid"].cpu()
        error = (predicted - batch["recorded"].cpu()).abs()[valid]
        count = len(error)
        if count == 0:  # of episodes side by side, all have ended
            return error.sum()
        self.log("test/error", error.mean(), batch_size=count, on_epoch=True, sync_dist=True)
        for i, joint in enumerate(error.mean(dim=0)):
            self.log(f"test/error_{i}", joint, batch_size=count, on_epoch=True, sync_dist=True)
        return error.mean()

    def predict_step(self, batch: Batch, batch_idx: int = 0) -> Tensor:
        """The actions that a robot executes next, in the dataset's units, shape (batch, steps, action), on the CPU.

        Args:
            batch: of `Moments` (the data module's `predict_dataloader`), or of observations as for `select_action`.
            batch_idx: not used.
        """
        if "observations" in batch:
            return self.predict_chunk(batch["observations"], new_episode=bool(batch["new_episode"]))
        return self.predict_chunk([{k: v for k, v in batch.items() if k.startswith("observation") or k == "task"}])

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, Any] | None]:
        """LeRobot's own forward on a raw batch: the loss, and what the policy reports with it."""
        return self._built().forward(self._prepare(batch))

    def _loss(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        with self._autocast():
            loss, report = self(batch)
        scalars = {
            name: value.item() if isinstance(value, Tensor) else value
            for name, value in (report or {}).items()
            if name != "loss" and (isinstance(value, int | float) or (isinstance(value, Tensor) and value.numel() == 1))
        }
        return loss, scalars

    def _prepare(self, batch: Batch) -> Batch:
        """A raw batch as the policy reads it: images in 0..1, then LeRobot's preprocessor. Leaves `batch` alone."""
        assert self.config is not None
        batch = {key: value for key, value in batch.items() if key.removesuffix("_is_pad") not in self._unseen}
        for key in self._camera_keys():
            image = batch.get(key)
            if image is None:
                continue
            if image.dtype == torch.uint8:
                image = image.to(torch.float32) / 255.0
            if facts.holds(self.config.type, "stacks_time") and f"{key}_is_pad" in batch and image.ndim == 4:
                image = image.unsqueeze(1)
            batch[key] = image
        with no_foreign_code(self.config.type):  # some steps load their tokenizer when they first run
            return self.preprocessor(batch)

    def _camera_keys(self) -> list[str]:
        """The dataset's names of the pictures that the policy reads."""
        assert self.config is not None
        dataset_key = {new: old for old, new in self._rename_map.items()}
        return [dataset_key.get(key, key) for key in self.config.image_features]

    def _autocast(self) -> AbstractContextManager[Any]:
        """Mixed precision as the policy's configuration asks for it; the trainer's `precision` comes first."""
        assert self.config is not None
        if self._trainer is None or self._trainer.precision != "32-true":
            return nullcontext()
        if not self.asks_for_bfloat16:
            return nullcontext()
        return torch.autocast(self._device_type(), dtype=torch.bfloat16)

    @property
    def asks_for_bfloat16(self) -> bool:
        """Whether the policy's configuration asks for mixed precision, where the trainer's `precision` is 32."""
        assert self.config is not None
        asked = getattr(self.config, "dtype", None)
        if asked is None and self.config.use_amp:
            # LeRobot takes the device's own choice, float16 on CUDA, which would need Lightning's precision: 16-mixed.
            asked = "bfloat16"
        return asked in ("bfloat16", torch.bfloat16)

    def configure_optimizers(self) -> dict[str, Any] | torch.optim.Optimizer:
        """The policy's optimizer and scheduler presets; the scheduler steps once per optimizer step.

        Outside of a trainer's run it is the optimizer alone, for a loop of one's own: a schedule needs the number of
        steps.

        Raises:
            getiaction.errors.PolicyError: the policy trains with several optimizers (reinforcement learning).
        """
        policy = self._built()
        config = policy.config
        with policy_errors(config.type):
            optimizer = config.get_optimizer_preset().build(policy.get_optim_params())
            if not isinstance(optimizer, torch.optim.Optimizer):
                raise PolicyError(
                    f"{config.type} trains with several optimizers, from interaction, not from demonstrations"
                )
            if self._trainer is None or self._trainer.state.status != TrainerStatus.RUNNING:
                return optimizer
            preset = config.get_scheduler_preset()
            scheduler = preset and preset.build(optimizer, self.trainer.estimated_stepping_batches)
        if scheduler is None:
            return {"optimizer": optimizer}
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step", "name": "train/lr"},
        }

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip to the preset's norm, or as the trainer's `gradient_clip_val` says (0: not at all); logs the norm."""
        policy = self._built()
        if gradient_clip_algorithm == GradClipAlgorithmType.VALUE:
            self.clip_gradients(optimizer, gradient_clip_val, gradient_clip_algorithm)
        if gradient_clip_val is None:
            gradient_clip_val = policy.config.get_optimizer_preset().grad_clip_norm
        by_norm = gradient_clip_algorithm != GradClipAlgorithmType.VALUE and gradient_clip_val
        limit = float(gradient_clip_val) if by_norm else float("inf")
        norm = torch.nn.utils.clip_grad_norm_(policy.parameters(), limit)
        self.log("train/grad_norm", norm)
        self.log("train/lr", optimizer.param_groups[0]["lr"])

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Step, then let the policy update what follows the weights (TD-MPC's target network)."""
        super().optimizer_step(*args, **kwargs)
        # Lightning keeps the gradients through the next forward pass, where memory is shortest; LeRobot doesn't.
        self.trainer.optimizers[0].zero_grad()
        update = getattr(self.lerobot_policy, "update", None)
        if callable(update):
            update()
        if self._average is not None:
            self._average.update()

    # Acting ----------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def select_action(self, observation: Batch) -> Tensor:
        """The next action for an observation in the dataset's units.

        Args:
            observation: tensors or NumPy arrays by dataset key, with or without a batch dimension, of any float type;
                pictures (C, H, W) or (H, W, C), uint8 or 0..1; `task` for policies that read language. Or what a Gym
                environment gives (`pixels`, `agent_pos`).

        Returns:
            The action in the dataset's units, shape (batch, action), on the CPU.

        Raises:
            getiaction.errors.PolicyError: the observation lacks what the policy reads, or a size differs.
        """
        return self._acts(observation, self._built().select_action)

    @torch.no_grad()
    def predict_action_chunk(self, observation: Batch) -> Tensor:
        """All actions of one prediction for an observation, in the dataset's units.

        Args:
            observation: as for `select_action`, with a batch dimension.

        Returns:
            Actions, shape (batch, chunk, action), on the CPU.

        Raises:
            getiaction.errors.PolicyError: as `select_action`.
        """
        return self._acts(observation, self._built().predict_action_chunk)

    def _acts(self, observation: Batch, predict: Callable[[Batch], Tensor]) -> Tensor:
        self._built().eval()
        self._follow(self.device.type)
        recorded = self._as_recorded(observation)
        try:
            return self.postprocessor(predict(self._prepare(recorded)))
        except Exception as error:
            lacking = [key for key in self.inputs if key not in recorded]
            if not lacking:
                raise
            raise PolicyError(
                f"the observation lacks {', '.join(lacking)}; it has {', '.join(map(str, observation)) or 'nothing'}",
                f"{self.policy_name} reads {', '.join(self.inputs)}",
            ) from error

    def _as_recorded(self, observation: Batch) -> Batch:
        """An observation as a dataset has it, from what environments and robots give.

        Raises:
            PolicyError: it is not a dictionary, or the size of an array is not what the policy reads.
        """
        if not isinstance(observation, Mapping):
            raise PolicyError(
                f"an observation is a dictionary of arrays, not {type(observation).__name__}",
                f"{self.policy_name} reads {', '.join(self.inputs)}",
            )
        features = self._by_dataset_key(self._trained_inputs or self._built().config.input_features or {})
        shapes = {key: tuple(feature.shape) for key, feature in features.items()}
        taken: Batch = {}
        for key, value in acting.as_lerobot_names(observation).items():
            if isinstance(value, np.ndarray):
                value = torch.from_numpy(np.ascontiguousarray(value))
            if isinstance(value, Tensor):
                value = value.float() if value.dtype == torch.float64 else value
            if isinstance(value, Tensor) and len(shape := shapes.get(key, ())) in (1, 3):
                axis = -len(shape)  # of the channels, or of the numbers
                if len(shape) == 3 <= value.ndim and value.shape[axis] != shape[0] == value.shape[-1]:
                    value = value.movedim(-1, axis)
                if shape != (1,) and (value.ndim < len(shape) or value.shape[axis] != shape[0]):
                    raise PolicyError(
                        f"{key} has the shape {tuple(value.shape)}, and {self.policy_name} reads {shape}",
                        "a batch dimension may come before it; a picture may also be (height, width, channels)",
                    )
            taken[key] = value
        return taken

    @torch.no_grad()
    def predict_chunk(self, observations: Sequence[Batch], *, new_episode: bool = True) -> Tensor:
        """The actions that a robot executes of one prediction, for many moments at once.

        The numbers are those of `reset` and then `select_action`, observation after observation. A policy that
        remembers more than its last observations (TD-MPC, temporal ensembling; see `predicts_alone`) gives one action,
        and must be called for every frame of its episodes, in order.

        Args:
            observations: the last observations up to the moment of the prediction, oldest first: as many as
                `observations_per_prediction` says (where an episode begins, its first frame is repeated), or one
                alone. Each as for `select_action`, with a batch dimension.
            new_episode: forget what came before; False continues with the same episodes.

        Returns:
            Actions in the dataset's units, shape (batch, steps, action), on the CPU.
        """
        policy = self._built().eval()
        self._follow(self.device.type)
        if new_episode:
            self.reset()
        prepared = [self._prepare(observation) for observation in observations]
        if not acting.predicts_alone(policy):
            return self.postprocessor(policy.select_action(dict(prepared[-1]))).unsqueeze(1)
        steps = acting.steps_per_prediction(policy)
        if acting.decodes_whole_chunks(policy):
            return self.postprocessor(policy.predict_action_chunk(dict(prepared[-1]))[:, :steps])
        with acting.only_observing(policy):
            for earlier in prepared[:-1]:
                policy.select_action(dict(earlier))
        return torch.stack([self.postprocessor(policy.select_action(dict(prepared[-1]))) for _ in range(steps)], dim=1)

    @property
    def inputs(self) -> dict[str, Any]:
        """The features that the policy reads, by the dataset's names."""
        return self._by_dataset_key(self._built().config.input_features or {})

    def _by_dataset_key(self, features: Mapping[str, Any]) -> dict[str, Any]:
        """Features of the policy by the dataset's names."""
        dataset_key = {new: old for old, new in self._rename_map.items()}
        return {dataset_key.get(key, key): feature for key, feature in features.items()}

    @property
    def predicts_alone(self) -> bool:
        """Whether a prediction depends on the last observations alone, so that moments can be batched freely."""
        return acting.predicts_alone(self._built())

    @property
    def steps_per_prediction(self) -> int:
        """How many actions are executed of one prediction (`n_action_steps`)."""
        return acting.steps_per_prediction(self._built())

    @property
    def observations_per_prediction(self) -> int:
        """How many observations one prediction depends on (`n_obs_steps`)."""
        return acting.observations_per_prediction(self._built())

    def reset(self) -> None:
        """Forget the last episode: queued actions and past observations."""
        self._built().reset()
        self.preprocessor.reset()
        self.postprocessor.reset()

    def _built(self) -> PreTrainedPolicy:
        if self.lerobot_policy is None or self.preprocessor is None:
            raise PolicyError(
                f"{self.policy_name} is not built yet",
                "train it on a LeRobotDataModule, load a checkpoint, or give it its features and dataset_stats",
            )
        return self.lerobot_policy

    # Saving ----------------------------------------------------------------------------------------------------------

    def save_pretrained(self, folder: str | Path, *, averaged: bool = True) -> None:
        """Write LeRobot's `pretrained_model` folder (configuration, weights, processors), as lerobot-eval loads it.

        Args:
            folder: where it is written.
            averaged: with `ema`, the averaged weights, not those of the last step.
        """
        policy = self._built()
        with self.averaged() if averaged else nullcontext():
            for model in self._peft_models:
                model.save_pretrained(str(folder))
            if not self._peft_models:
                policy.save_pretrained(Path(folder))
        self._config_to_save().save_pretrained(Path(folder))
        self.preprocessor.save_pretrained(Path(folder))
        self.postprocessor.save_pretrained(Path(folder))

    @classmethod
    def from_pretrained(cls, path: str | Path, *, revision: str | None = None, device: str = "cpu") -> Self:
        """As `load_pretrained`: a policy with its saved statistics, ready to act.

        Raises:
            getiaction.errors.PolicyError: as `load_pretrained`; or the policy is not of this class.
        """
        return load_pretrained(path, revision=revision, device=device, kind=cls)

    def push_to_hub(self, repo_id: str, *, private: bool | None = None) -> str:
        """Upload the policy with LeRobot's model card; returns the address of the repository.

        Args:
            repo_id: `user/name`; made if it does not exist.
            private: who may see a new repository; None is the account's default.

        Raises:
            getiaction.publishing.PublishingError: name, token or permission is wrong, or the Hub refused it.
        """
        upload = Upload(repo_id, private)
        publishing.check(upload)
        with TemporaryDirectory() as folder:
            self.save_pretrained(folder)
            model_card.write(Path(folder), self._config_to_save())
            return publishing.push(Path(folder), upload)

    def _config_to_save(self) -> PreTrainedConfig:
        """The configuration with the inputs of this training; LeRobot keeps those of the pretrained policy."""
        config = copy.copy(self._built().config)
        if self._trained_inputs is not None:
            config.input_features = self._trained_inputs
        return config

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what rebuilds the policy without its dataset, in plain values and tensors."""
        policy = self._built()
        checkpoint[CHECKPOINT_KEY] = {
            "config": configuration.config_to_plain(self._config_to_save()),
            **processors.processors_to_plain(self.preprocessor, self.postprocessor),
        }
        if (steps := self._counted_steps()) is not None:
            checkpoint[CHECKPOINT_KEY][COUNTED_KEY] = steps
        if self._peft_models:  # the frozen weights are those of pretrained_path
            frozen = {tensor.data_ptr() for tensor in policy.parameters() if not tensor.requires_grad}
            weights = checkpoint["state_dict"]
            checkpoint["state_dict"] = {
                name: tensor
                for name, tensor in weights.items()
                if tensor.data_ptr() not in frozen or not tensor.numel()
            }
        if self._average is not None:
            checkpoint[CHECKPOINT_KEY][AVERAGE_KEY] = self._average.state_dict()
            # Saved in the middle of a validation, the weights are still those of the training.
            for name, tensor in self._average.kept.items():
                checkpoint["state_dict"][_OWN + name] = tensor

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Build the policy as it was saved, or, when it is built, take over the saved processors."""
        saved = checkpoint.get(CHECKPOINT_KEY)
        if not isinstance(saved, dict) or not isinstance(saved.get("config"), dict):
            raise PolicyError(
                "this is not a checkpoint of a LeRobotPolicy", "name one that getiaction saved (last.ckpt)"
            )
        if self.lerobot_policy is None:
            found = saved["config"].get("type")
            if found != self.policy_name:
                raise PolicyError(f"the checkpoint holds the policy {found}, not {self.policy_name}")
            config = trust.plain(saved["config"], "the checkpoint's configuration")
            self.config = self._make_config(self._device_type(), config)
            weights = {name.removeprefix(_OWN): tensor for name, tensor in checkpoint["state_dict"].items()}
            if self._adapters_given is not None:
                self.config.pretrained_path = self._pretrained
                self.lerobot_policy = policies.load_policy(self.config)
                self._peft_models = [adapters.wrap(self.lerobot_policy, self._adapters_given)]
            else:
                self.lerobot_policy = policies.build_empty_policy(self.config, weights)
        assert self.config is not None
        self.preprocessor, self.postprocessor = processors.processors_from_plain(saved, self.config)
        self._average_saved = saved.get(AVERAGE_KEY)
        if isinstance(steps := saved.get(COUNTED_KEY), int):
            self._count_steps(steps)

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """As torch does it; the frozen weights under adapters may be missing."""
        if not self._peft_models:
            return super().load_state_dict(state_dict, strict, assign)
        result = super().load_state_dict(state_dict, False, assign)
        policy = self._built()
        trained = {f"{_OWN}{name}" for name, tensor in policy.named_parameters() if tensor.requires_grad}
        missing = sorted(trained & set(result.missing_keys))
        if strict and (missing or result.unexpected_keys):
            wrong = ", ".join([*missing, *result.unexpected_keys][:3])
            raise RuntimeError(f"Error(s) in loading state_dict for the adapters of {self.policy_name}: {wrong}")
        return result

    def merge_adapters(self) -> None:
        """Add the adapters to the weights; the policy is then an ordinary one, saved whole.

        Raises:
            getiaction.errors.PolicyError: it has no adapters.
        """
        if not self._peft_models:
            raise PolicyError(f"this {self.policy_name} policy has no adapters to merge")
        self.lerobot_policy = adapters.merge(self._peft_models.pop())
        self._adapters_given = None

    @classmethod
    def load_from_checkpoint(cls, checkpoint_path: Any, map_location: Any = None, **kwargs: Any) -> Self:
        """A policy as `Trainer.save_checkpoint` saved it, without its dataset and without running code from the file.

        With `ema` it has the averaged weights.

        Args:
            checkpoint_path: the `.ckpt` file.
            map_location: device to load onto; None puts it where it was, if that device exists.
            kwargs: parameters to change (`n_action_steps=1`), and `hparams_file`, `strict` as Lightning has them.

        Raises:
            getiaction.errors.PolicyError: the policy can't be rebuilt here (another policy, a missing extra).
        """
        kwargs["weights_only"] = True
        with trust.open_regular(checkpoint_path) as file:
            try:
                saved = torch.load(file, map_location="meta", weights_only=True)
            except OSError:
                raise
            except Exception:  # torch.load raises what its readers raise: KeyError, UnpicklingError, …
                saved = None
        if not isinstance(saved, dict) or CHECKPOINT_KEY not in saved:
            raise PolicyError(
                f"{checkpoint_path} is not a checkpoint of a LeRobotPolicy",
                "name one that getiaction saved (last.ckpt); `from_pretrained` loads a pretrained_model folder",
            )
        trust.checkpoint(saved, Path(checkpoint_path).parent)
        policy = super().load_from_checkpoint(checkpoint_path, map_location=map_location, **kwargs)
        policy._follow(policy.device.type)
        if policy._average_saved is not None:
            policy._continued_average().apply()
        return policy.eval()


def load_pretrained[Policy: LeRobotPolicy](
    path: str | Path,
    *,
    revision: str | None = None,
    device: str = "cpu",
    kind: type[Policy] = LeRobotPolicy,  # type: ignore[assignment]
) -> Policy:
    """A policy as it acts on a robot, from a `pretrained_model` folder or Hub id: weights and saved processors.

    Unlike `LeRobotPolicy(pretrained_path=…)`, which starts a training on a dataset, it keeps the statistics that the
    policy was saved with.

    Args:
        path: a folder that LeRobot or getiaction saved, or a Hub id.
        revision: branch, tag or commit of that Hub id.
        device: `cpu`, `cuda`, `mps` or `xpu`.
        kind: the class to make: `LeRobotPolicy`, or that of one policy.

    Raises:
        getiaction.errors.PolicyError: something of it is missing or can't be read, this LeRobot lacks the policy, or it
            is not of that class.
    """
    name = str(configuration.pretrained_json(str(path), "config.json", revision).get("type"))
    if kind.policy_name not in (None, name):
        raise PolicyError(f"{path} holds the policy {name}, not {kind.policy_name}")
    policy = kind(policy_name=name)
    saved = configuration.pretrained_config_values(name, str(path), revision)
    if saved.pop("use_peft", False):
        adapter = configuration.pretrained_json(str(path), adapters.CONFIG_FILE, revision)
        base, base_revision = adapters.base_of(adapter, str(path))
        values = saved | {"pretrained_path": base, "pretrained_revision": base_revision}
        policy.config = policy._make_config(device, values)
        policy.lerobot_policy, model = adapters.load(policy.config, str(path), revision)
        policy._peft_models = [model]
        policy.config.use_peft = True
        policy.config.pretrained_path, policy.config.pretrained_revision = str(path), revision  # its processors
    else:
        values = saved | {"pretrained_path": str(path), "pretrained_revision": revision}
        policy.config = policy._make_config(device, values)
        policy.lerobot_policy = policies.load_policy(policy.config)
    plain = processors.pretrained_processors(policy.config)
    policy.preprocessor, policy.postprocessor = processors.processors_from_plain(plain, policy.config)
    policy._rename_map = processors.renamed(policy.preprocessor)
    return policy.to(device).eval()


def class_for(policy: str, class_name: str) -> type[LeRobotPolicy]:
    """Make the class of one policy, with every field of its configuration in the signature.

    Args:
        policy: the name that LeRobot registers the policy under.
        class_name: the name of the class, which `getiaction.policies.lerobot` has to offer.

    Raises:
        getiaction.errors.PolicyError: LeRobot does not register the policy.
    """
    signature = _signature(policy)

    def init(self: LeRobotPolicy, **given: Any) -> None:
        # Only what the caller wrote: a default must not win over `config_kwargs`, `config` or a pretrained policy.
        signature.bind(self, **{name: value for name, value in given.items() if name != "policy_name"})
        LeRobotPolicy.__init__(self, **given)

    init.__name__, init.__qualname__ = "__init__", f"{class_name}.__init__"
    init.__signature__ = signature  # type: ignore[attr-defined]
    named = [parameter for parameter in signature.parameters.values() if parameter.name != "self"]
    about = (config_class(policy).__doc__ or "").strip().split("\n\n")[0]
    return type(
        class_name,
        (LeRobotPolicy,),
        {
            "__module__": __name__.rpartition(".")[0],
            "__init__": init,
            "__doc__": "\n".join(
                [f"LeRobot's policy `{policy}`.", "", *([about, ""] if about else []), "Args:"]
                + [f"    {parameter.name}: {str(parameter).partition(':')[2].strip()}" for parameter in named]
            ),
            "policy_name": policy,
        },
    )


def _signature(policy: str) -> inspect.Signature:
    """`LeRobotPolicy`'s own arguments and the policy's parameters, with LeRobot's defaults, all of them keywords."""
    own = inspect.signature(LeRobotPolicy.__init__).parameters
    wrapper = [own[name] for name in own if name not in ("self", "policy_name", "parameters")]
    parameters = [
        inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None if each.default is dataclasses.MISSING else each.default,
            annotation=each.type,
        )
        for each in dataclasses.fields(config_class(policy))
        if each.init and each.name not in own
    ]
    return inspect.Signature([own["self"], *parameters, *wrapper])


def _the_name(fixed: str | None, given: str | None, config: PreTrainedConfig | None) -> str:
    """The policy's name from the class, the argument and the configuration, which must agree."""
    names = {name for name in (fixed, given, config and config.type) if name}
    if len(names) != 1:
        said = f"conflicting names: {', '.join(sorted(names))}" if names else "no policy_name"
        raise PolicyError(f"LeRobotPolicy got {said}", f"one of: {', '.join(policy_names())}")
    name = names.pop()
    config_class(name)
    return name


def _chosen(given: Sequence[str] | Mapping[str, Any] | None, features: Any, argument: str) -> dict[str, Any]:
    """The features an argument asks for: all of them, the listed ones, or the given dictionary."""
    if given is None:
        return dict(features)
    if isinstance(given, Mapping):
        return as_policy_features(given)
    unknown = [key for key in given if key not in features]
    if unknown:
        raise PolicyError(
            f"{argument} names {', '.join(unknown)}, which the dataset doesn't have", f"it has {', '.join(features)}"
        )
    return {key: features[key] for key in given}


def _as_stats(stats: Mapping[str, Mapping[str, Any]] | None) -> dict[str, dict[str, Any]] | None:
    return None if stats is None else {key: dict(values) for key, values in stats.items()}


def _require_stats(config: PreTrainedConfig, view: DatasetView, rename_map: Mapping[str, str]) -> None:
    """LeRobot passes a feature without statistics through unnormalized, silently; here that is an error."""
    if view.stats is None:
        return
    stats = {rename_map.get(key, key) for key in view.stats}
    features = as_policy_features(view.features)
    for key, feature in features.items():
        name = rename_map.get(key, key)
        used = config.input_features is None or not config.input_features or name in config.input_features
        mode = (config.normalization_mapping or {}).get(feature.type.value, "IDENTITY")
        if feature.type is not FeatureType.ACTION and not used:
            continue
        if getattr(mode, "value", mode) != "IDENTITY" and name not in stats:
            raise PolicyError(
                f"{config.type} normalizes {key}, and the dataset has no statistics of it",
                "compute the dataset's statistics again (meta/stats.json), or set that normalization to IDENTITY",
            )


def _read(kind: Any, section: Any, example: str) -> Any:
    """A section of the arguments, or None.

    Raises:
        PolicyError: it can't be used.
    """
    try:
        return kind.read(section)
    except (TypeError, ValueError) as error:
        raise PolicyError(str(error).removeprefix(f"{kind.__name__}.__init__() "), f"for example {example}") from error


def _rows(batch: Batch, rows: Tensor) -> Batch:
    """Some samples of a batch."""
    return {
        key: value[rows.to(value.device)] if isinstance(value, Tensor) else [value[i] for i in rows.tolist()]
        for key, value in batch.items()
    }


def _batch_size(batch: Batch) -> int:
    """How many samples a batch holds."""
    return next(len(value) for value in batch.values() if isinstance(value, Tensor) and value.ndim)
