"""A Lightning module for any LeRobot policy, with the behaviour of LeRobot's own training loop."""

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
from getiaction.spec.overridden import POLICY_DEFAULTS
from getiaction.spec.publishing import Upload

Batch = dict[str, Any]

# Keys of a checkpoint for what a policy needs besides its weights.
CHECKPOINT_KEY = "getiaction"
AVERAGE_KEY = "ema"
COUNTED_KEY = "counted_steps"
_OWN = "lerobot_policy."  # prefix of the names of its weights
_SHARDED = ("FSDP", "ModelParallel", "DeepSpeed")


class LeRobotPolicy(L.LightningModule):
    """A LeRobot policy by name.

    Without features it is built in `setup`, from the dataset of the trainer's data module. With both `input_features`
    and `output_features` as dictionaries it is built immediately, on the CPU, and moved to the trainer's device later.

    Args:
        policy_name: the name LeRobot registers the policy under: `act`, `diffusion`, `vqbet`, …
        learning_rate: sets the configuration's `optimizer_lr`; None keeps the policy's own preset.
        config_kwargs: fields of the policy's configuration class; `parameters` override them.
        input_features: a list of keys of the dataset's features to use, or a dictionary of features (LeRobot's raw ones
            with dtype and shape, or `PolicyFeature`), for example the dataset's whole feature dictionary.
        output_features: likewise.
        config: a LeRobot configuration to start from; `config_kwargs` and `parameters` override its fields.
        dataset_stats: statistics per feature, for a policy built immediately; None for the data module's.
        pretrained_path: start from the weights and processors of this `pretrained_model` folder or Hub id.
        pretrained_revision: branch, tag or commit of that Hub id.
        rename_map: dataset key → key of the pretrained policy.
        ema: compute an exponential moving average of the trained weights: true, or fields of
            `getiaction.spec.averaging.Averaging`. Validation, rollouts, `save_pretrained` and `load_from_checkpoint`
            use the average; checkpoints contain both.
        peft: train only adapters (LoRA) on the policy of `pretrained_path`: fields of
            `getiaction.spec.adapters.Adapters`. Checkpoints and `save_pretrained` do not contain the frozen weights.
        parameters: fields of the policy's configuration class.

    Attributes:
        config: LeRobot's configuration, once the features are known.
        lerobot_policy: LeRobot's policy, once built.
        preprocessor: LeRobot's steps from a raw batch to the policy's input.
        postprocessor: LeRobot's steps from the policy's action to the dataset's units.

    Raises:
        getiaction.errors.PolicyError: the policy does not accept its parameters or features (raised by `setup` if no
            features are given).
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
        self.policy_name = _resolve_name(type(self).policy_name, policy_name, config)
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
        self._excluded_cameras: set[str] = set()
        self._trained_inputs: dict[str, Any] | None = None
        self._pretrained = str(pretrained_path) if pretrained_path else None
        self._revision = pretrained_revision
        self._rename_map = dict(rename_map or {})
        self._averaging = _read(Averaging, ema, "`ema: true`")
        self._adapters_given = _read(Adapters, peft, "`peft: {r: 16}`")
        self._peft_models: list[
            Any
        ] = []  # PEFT's model, in a list so that torch does not register it: it contains the policy
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
        # Only the constructor's arguments: the checkpoint has the features, statistics and configuration as built.
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
        """Make LeRobot's configuration for a dataset, from which windows are derived, without building the network.

        Args:
            meta: a `LeRobotDatasetMetadata`.

        Raises:
            getiaction.errors.PolicyError: the policy does not accept its parameters, or a listed feature is not in the
                dataset.
        """
        if self.config is None:
            self._select_features(DatasetView(meta.features, meta.stats, meta))
            self.config = self._make_config(self._device_type())
        return self.config

    def setup(self, stage: str) -> None:
        """Build the policy from the data module's dataset, unless it is built already; called by Lightning.

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
            # Built immediately, without statistics: training without normalization would give a useless policy.
            assert self.config is not None
            features = as_raw_features({**self.config.input_features, **self.config.output_features})
            self._make_processors(DatasetView(features, stats, meta))
        self._set_device(self._device_type())
        if stage == "fit":
            self.train()  # select_action and LeRobot's from_pretrained leave it in evaluation mode
            # Some policies keep frozen modules in evaluation mode, which Lightning warns about.
            warnings.filterwarnings("ignore", r"Found \d+ module\(s\) in eval mode at the start of training")

    def build(self, meta: Any, stats: Any) -> None:
        """Build the policy for a dataset; download and load its weights.

        Args:
            meta: a `LeRobotDatasetMetadata`.
            stats: the statistics for normalization; None builds no processors.

        Raises:
            getiaction.errors.PolicyError: the policy can't be built from it.
        """
        self._build(DatasetView(meta.features, stats, meta), self._device_type())

    def _device_type(self) -> str:
        """The device type of the trainer, or without one of the module."""
        if self._trainer is not None:
            return self._trainer.strategy.root_device.type
        return self.device.type

    def _make_config(self, device: str, saved: Mapping[str, Any] | None = None) -> PreTrainedConfig:
        """Make the configuration: the user's parameters override the saved, given or pretrained ones."""
        name = str(self.policy_name)
        values: dict[str, Any] = dict(POLICY_DEFAULTS)
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

    def _select_features(self, view: DatasetView) -> dict[str, Any]:
        """Restrict a view of the dataset to the chosen features; return the inputs among them.

        The other cameras are also removed from batches, because some policies use every camera in the batch.
        """
        features = as_policy_features(view.features)
        inputs, _ = split_features(_chosen(self._inputs_given, features, "input_features"))
        _, outputs = split_features(_chosen(self._outputs_given, features, "output_features"))
        self._excluded_cameras = {
            key for key, feature in features.items() if feature.type.value == "VISUAL" and key not in inputs
        }
        view.features = {
            key: feature
            for key, feature in view.features.items()
            if key not in features or key in inputs or key in outputs
        }
        return inputs

    def _config_for(self, view: DatasetView, device: str) -> PreTrainedConfig:
        """Make the configuration for the chosen features of a dataset, and restrict the view to them."""
        inputs = self._select_features(view)
        if self.config is None:
            self.config = self._make_config(device)
        if self._inputs_given is not None:
            self.config.input_features = {self._rename_map.get(key, key): feature for key, feature in inputs.items()}
        return self.config

    def _build(self, view: DatasetView, device: str) -> None:
        """Build the policy and its processors from a dataset's features and statistics."""
        config = self._config_for(view, device)
        _require_stats(config, view, self._rename_map)
        self.lerobot_policy = policies.build_policy(config, view, self._rename_map)
        if self._pretrained:
            self._trained_inputs = trained_inputs(config, view, self._rename_map)
        if self._adapters_given is not None:
            self._peft_models = [adapters.wrap(self.lerobot_policy, self._adapters_given)]
        if view.stats is not None:
            self._make_processors(view)

    def build_without_weights(self, meta: Any, stats: Any, context: AbstractContextManager[Any]) -> None:
        """Build the policy for measurements, not for training: no weights are downloaded or loaded.

        Args:
            meta: a `LeRobotDatasetMetadata`.
            stats: the statistics for normalization.
            context: the network is built inside of this context, the processors outside.
        """
        view = DatasetView(meta.features, stats, meta)
        config = self._config_for(view, "cpu")
        with context:
            self.lerobot_policy = policies.build_policy_without_weights(config, view)
            if self._adapters_given is not None:
                self._peft_models = [adapters.wrap(self.lerobot_policy, self._adapters_given)]
        self._make_processors(view)

    def _make_processors(self, view: DatasetView) -> None:
        assert self.config is not None
        self.preprocessor, self.postprocessor = processors.make_processors(self.config, view, self._rename_map)

    def _set_device(self, device: str) -> None:
        """Set the device of the configuration and of the preprocessor to that of the weights."""
        if self.config is not None and self.config.device != device:
            self.config.device = device
            if self.preprocessor is not None:
                processors.set_device(self.preprocessor, device)

    # Averaged weights ------------------------------------------------------------------------------------------------

    @property
    def averaging(self) -> Averaging | None:
        """The settings of `ema`; None without it."""
        return self._averaging

    def averaged(self) -> AbstractContextManager[None]:
        """Context in which the policy has its averaged weights, if it has any."""
        if self._average is None or self._average.applied:
            return nullcontext()
        return self._average.swapped_in()

    def on_fit_start(self) -> None:
        """Start the average or continue that of a checkpoint; the weights are on their device and restored by now."""
        if self._averaging is None:
            return
        strategy = type(self.trainer.strategy).__name__
        if strategy.startswith(_SHARDED):
            raise PolicyError(f"ema needs the whole policy in each process, and {strategy} divides it", "use ddp")
        self._average = self._continued_average()

    def _continued_average(self) -> AveragedWeights:
        """The average of a checkpoint, or one that starts with the current weights."""
        average = AveragedWeights(self._averaging or Averaging(), self._built().named_parameters())
        saved, self._average_saved = self._average_saved, None
        if saved is not None:
            try:
                average.load_state_dict(saved)
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                raise PolicyError(str(error), "name another checkpoint of the run, or leave ema out") from error
        return average

    def on_validation_epoch_start(self) -> None:
        """Use the averaged weights for validation."""
        self._val_losses = None
        if self._average is not None:
            self._average.apply()

    def on_validation_epoch_end(self) -> None:
        """Restore the weights without averaging, before callbacks save a checkpoint at the end of validation."""
        if self._dataset_names():  # also in a process without a batch: the reduction is collective
            self._log_by_dataset("val/loss", self._val_losses)
        if self._average is not None:
            self._average.restore()

    # Training --------------------------------------------------------------------------------------------------------

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Log the loss of each dataset of a mixture as `train/loss/<dataset>`, before a step that is logged.

        It is computed like the validation loss, so that the two can be compared, and does not advance the random state
        of the training.
        """
        trainer = self.trainer
        if not self._dataset_names() or not trainer._logger_connector.should_update_logs:
            return
        if type(trainer.strategy).__name__.startswith(
            _SHARDED
        ):  # outside of a step, a process has only a part of the policy
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
        """Compute and log the loss of a raw batch, and log the scalars that the policy reports with it."""
        self._built().train()
        loss, scalars = self._loss(batch)
        size = _batch_size(batch)
        self.log("train/loss", loss.detach(), prog_bar=True, batch_size=size, sync_dist=True)
        self.log_dict({f"train/{name}": value for name, value in scalars.items()}, batch_size=size)
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Compute the loss of a raw held-out batch and log it as `val/loss`; some policies (ACT) omit terms of it."""
        steps = self._counted_steps()
        self._count_steps(-1)  # below every threshold that it is compared with
        if self._dataset_names():
            loss, sums = self._loss_by_dataset(batch)
            self._val_losses = sums if self._val_losses is None else self._val_losses + sums
        else:
            loss, _ = self._loss(batch)
        self._count_steps(steps)
        self.log("val/loss", loss, prog_bar=True, batch_size=_batch_size(batch), sync_dist=True)
        return loss

    def _dataset_names(self) -> list[str]:
        """The names of the datasets of a mixture; empty for a single dataset."""
        return getattr(getattr(self.trainer.datamodule, "meta", None), "dataset_names", [])

    def _loss_by_dataset(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The loss of a mixture's batch, and `(datasets, 2)`: the summed loss and the number of samples per dataset."""
        whose = batch[DATASET_INDEX]
        sums = torch.zeros(len(self._dataset_names()), 2, device=self.device)
        for number in torch.unique(whose).tolist():
            rows = torch.nonzero(whose == number).flatten()
            loss, _ = self._loss(_rows(batch, rows) if len(rows) < len(whose) else batch)
            sums[number, 0], sums[number, 1] = loss.detach() * len(rows), len(rows)
        return sums[:, 0].sum() / len(whose), sums

    def _log_by_dataset(self, name: str, sums: Tensor | None) -> None:
        """Log the mean loss of each dataset over all processes; a process may have no sample of a dataset."""
        names = self._dataset_names()
        none = torch.zeros(len(names), 2, device=self.device)
        sums = self.trainer.strategy.reduce(none if sums is None else sums, reduce_op="sum")
        for dataset, (summed, count) in zip(names, sums.tolist(), strict=True):
            if count:
                self.log(f"{name}/{dataset}", summed / count, sync_dist=True)

    def _counted_steps(self) -> int | None:
        """The training steps that the policy's network counts; None for a policy that does not count them."""
        path = facts.value(self.policy_name or "", "step_counter")
        return operator.attrgetter(path)(self._built()) if path else None

    def _count_steps(self, steps: int | None) -> None:
        """Set the network's count of training steps, if it has one."""
        path = facts.value(self.policy_name or "", "step_counter")
        if path:
            owner, _, name = path.rpartition(".")
            setattr(operator.attrgetter(owner)(self._built()), name, steps)

    def test_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Compute the open-loop error of predicted against recorded actions, for a batch of `Moments`.

        Logs the mean absolute error in the dataset's units: `test/error` over all joints, `test/error_<joint>` each.
        """
        predicted = self.predict_step(batch, batch_idx)
        valid = batch["valid"].cpu()
        error = (predicted - batch["recorded"].cpu()).abs()[valid]
        count = len(error)
        if count == 0:  # all episodes of the batch have ended
            return error.sum()
        self.log("test/error", error.mean(), batch_size=count, on_epoch=True, sync_dist=True)
        for i, joint in enumerate(error.mean(dim=0)):
            self.log(f"test/error_{i}", joint, batch_size=count, on_epoch=True, sync_dist=True)
        return error.mean()

    def predict_step(self, batch: Batch, batch_idx: int = 0) -> Tensor:
        """Predict the next actions in the dataset's units, shape (batch, steps, action), on the CPU.

        Args:
            batch: a batch of `Moments` (from the data module's `predict_dataloader`), or observations as for
                `select_action`.
            batch_idx: not used.
        """
        if "observations" in batch:
            return self.predict_chunk(batch["observations"], new_episode=bool(batch["new_episode"]))
        return self.predict_chunk([{k: v for k, v in batch.items() if k.startswith("observation") or k == "task"}])

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, Any] | None]:
        """Run LeRobot's forward pass on a raw batch; return the loss and the values that the policy reports."""
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
        """Convert a raw batch to the policy's input: images in 0..1, then LeRobot's preprocessor. Copies `batch`."""
        assert self.config is not None
        batch = {
            key: value for key, value in batch.items() if key.removesuffix("_is_pad") not in self._excluded_cameras
        }
        for key in self._camera_keys():
            image = batch.get(key)
            if image is None:
                continue
            if image.dtype == torch.uint8:
                image = image.to(torch.float32) / 255.0
            if facts.holds(self.config.type, "stacks_time") and f"{key}_is_pad" in batch and image.ndim == 4:
                image = image.unsqueeze(1)
            batch[key] = image
        with no_foreign_code(self.config.type):  # some steps load their tokenizer on first use
            return self.preprocessor(batch)

    def _camera_keys(self) -> list[str]:
        """The dataset's keys of the images that the policy reads."""
        assert self.config is not None
        dataset_key = {new: old for old, new in self._rename_map.items()}
        return [dataset_key.get(key, key) for key in self.config.image_features]

    def _autocast(self) -> AbstractContextManager[Any]:
        """Mixed precision as set in the policy's configuration; the trainer's `precision` overrides it."""
        assert self.config is not None
        if self._trainer is None or self._trainer.precision != "32-true":
            return nullcontext()
        if not self.uses_bfloat16:
            return nullcontext()
        return torch.autocast(self._device_type(), dtype=torch.bfloat16)

    @property
    def uses_bfloat16(self) -> bool:
        """Whether the policy's configuration sets mixed precision; only used if the trainer's `precision` is 32."""
        assert self.config is not None
        dtype = getattr(self.config, "dtype", None)
        if dtype is None and self.config.use_amp:
            # LeRobot uses the device's default, float16 on CUDA, for which Lightning needs precision: 16-mixed.
            dtype = "bfloat16"
        return dtype in ("bfloat16", torch.bfloat16)

    def configure_optimizers(self) -> dict[str, Any] | torch.optim.Optimizer:
        """Build the optimizer and scheduler of the policy's presets; the scheduler steps once per optimizer step.

        Outside of a trainer's run only the optimizer is returned, for custom loops: a schedule needs the number of
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
        """Clip gradients by the preset, or by the trainer's `gradient_clip_val` (0: no clipping); log their norm."""
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
        """Step the optimizer, then call the policy's `update` (TD-MPC's target network)."""
        super().optimizer_step(*args, **kwargs)
        # As in LeRobot. Lightning keeps gradients during the next forward pass, where memory use is highest.
        self.trainer.optimizers[0].zero_grad()
        update = getattr(self.lerobot_policy, "update", None)
        if callable(update):
            update()
        if self._average is not None:
            self._average.update()

    # Acting ----------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def select_action(self, observation: Batch) -> Tensor:
        """Return the next action for an observation.

        Args:
            observation: tensors or NumPy arrays by dataset key, with or without a batch dimension, of any float type;
                images (C, H, W) or (H, W, C), uint8 or 0..1; `task` for policies that read language. Or an observation
                of a Gym environment (`pixels`, `agent_pos`).

        Returns:
            The action in the dataset's units, shape (batch, action), on the CPU.

        Raises:
            getiaction.errors.PolicyError: the observation lacks an input of the policy, or a size differs.
        """
        return self._act(observation, self._built().select_action)

    @torch.no_grad()
    def predict_action_chunk(self, observation: Batch) -> Tensor:
        """Return all actions of one prediction for an observation, in the dataset's units.

        Args:
            observation: as for `select_action`, with a batch dimension.

        Returns:
            Actions, shape (batch, chunk, action), on the CPU.

        Raises:
            getiaction.errors.PolicyError: as `select_action`.
        """
        return self._act(observation, self._built().predict_action_chunk)

    def _act(self, observation: Batch, predict: Callable[[Batch], Tensor]) -> Tensor:
        self._built().eval()
        self._set_device(self.device.type)
        recorded = self._as_dataset_sample(observation)
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

    def _as_dataset_sample(self, observation: Batch) -> Batch:
        """Convert an observation of a robot or an environment to a sample in the dataset's format.

        Raises:
            PolicyError: it is not a dictionary, or an array does not have the size that the policy reads.
        """
        if not isinstance(observation, Mapping):
            raise PolicyError(
                f"an observation is a dictionary of arrays, not {type(observation).__name__}",
                f"{self.policy_name} reads {', '.join(self.inputs)}",
            )
        features = self._by_dataset_key(self._trained_inputs or self._built().config.input_features or {})
        shapes = {key: tuple(feature.shape) for key, feature in features.items()}
        taken: Batch = {}
        for key, value in acting.to_lerobot_keys(observation).items():
            if isinstance(value, np.ndarray):
                value = torch.from_numpy(np.ascontiguousarray(value))
            if isinstance(value, Tensor):
                value = value.float() if value.dtype == torch.float64 else value
            if isinstance(value, Tensor) and len(shape := shapes.get(key, ())) in (1, 3):
                axis = -len(shape)  # the axis of channels, or of vector components
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
        """Return the actions that a robot executes from one prediction, for many moments at once.

        The result equals that of `reset` and then `select_action` for each observation. A policy that remembers more
        than its last observations (TD-MPC, temporal ensembling; see `predictions_are_independent`) returns one action,
        and must be called for every frame of its episodes, in order.

        Args:
            observations: the last observations up to the moment of the prediction, oldest first: either
                `observations_per_prediction` of them (at the start of an episode, its first frame is repeated), or one.
                Each as for `select_action`, with a batch dimension.
            new_episode: reset the policy first; False continues the same episodes.

        Returns:
            Actions in the dataset's units, shape (batch, steps, action), on the CPU.
        """
        policy = self._built().eval()
        self._set_device(self.device.type)
        if new_episode:
            self.reset()
        prepared = [self._prepare(observation) for observation in observations]
        if not acting.predictions_are_independent(policy):
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
        """The features that the policy reads, by the dataset's keys."""
        return self._by_dataset_key(self._built().config.input_features or {})

    def _by_dataset_key(self, features: Mapping[str, Any]) -> dict[str, Any]:
        """Features of the policy by the dataset's keys."""
        dataset_key = {new: old for old, new in self._rename_map.items()}
        return {dataset_key.get(key, key): feature for key, feature in features.items()}

    @property
    def predictions_are_independent(self) -> bool:
        """Whether a prediction depends only on the last observations, so that moments can be batched in any order."""
        return acting.predictions_are_independent(self._built())

    @property
    def steps_per_prediction(self) -> int:
        """Number of actions executed from one prediction (`n_action_steps`)."""
        return acting.steps_per_prediction(self._built())

    @property
    def observations_per_prediction(self) -> int:
        """Number of observations that one prediction depends on (`n_obs_steps`)."""
        return acting.observations_per_prediction(self._built())

    def reset(self) -> None:
        """Clear queued actions and past observations, before a new episode."""
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
        """Write a `pretrained_model` folder (configuration, weights, processors) that lerobot-eval can load.

        Args:
            folder: the folder to write.
            averaged: with `ema`, save the averaged weights instead of those of the last step.
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
        """Load a policy with its saved statistics, ready to act; see `load_pretrained`.

        Raises:
            getiaction.errors.PolicyError: as in `load_pretrained`, or the policy is not of this class.
        """
        return load_pretrained(path, revision=revision, device=device, kind=cls)

    def push_to_hub(self, repo_id: str, *, private: bool | None = None) -> str:
        """Upload the policy with LeRobot's model card; returns the address of the repository.

        Args:
            repo_id: `user/name`; created if it does not exist.
            private: whether a new repository is private; None for the account's default.

        Raises:
            getiaction.publishing.PublishingError: name, token or permission is invalid, or the Hub rejects it.
        """
        upload = Upload(repo_id, private)
        publishing.check(upload)
        with TemporaryDirectory() as folder:
            self.save_pretrained(folder)
            model_card.write(Path(folder), self._config_to_save())
            return publishing.push(Path(folder), upload)

    def _config_to_save(self) -> PreTrainedConfig:
        """The configuration with the inputs of this training; LeRobot would save those of the pretrained policy."""
        config = copy.copy(self._built().config)
        if self._trained_inputs is not None:
            config.input_features = self._trained_inputs
        return config

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the data that rebuilds the policy without its dataset, as plain values and tensors."""
        policy = self._built()
        checkpoint[CHECKPOINT_KEY] = {
            "config": configuration.config_to_plain(self._config_to_save()),
            **processors.processors_to_plain(self.preprocessor, self.postprocessor),
        }
        if (steps := self._counted_steps()) is not None:
            checkpoint[CHECKPOINT_KEY][COUNTED_KEY] = steps
        if self._peft_models:  # the frozen weights can be loaded from pretrained_path
            frozen = {tensor.data_ptr() for tensor in policy.parameters() if not tensor.requires_grad}
            weights = checkpoint["state_dict"]
            checkpoint["state_dict"] = {
                name: tensor
                for name, tensor in weights.items()
                if tensor.data_ptr() not in frozen or not tensor.numel()
            }
        if self._average is not None:
            checkpoint[CHECKPOINT_KEY][AVERAGE_KEY] = self._average.state_dict()
            # A checkpoint saved during validation contains the weights without averaging, too.
            for name, tensor in self._average.raw_weights.items():
                checkpoint["state_dict"][_OWN + name] = tensor

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Build the policy as it was saved, or, if it is built already, use the saved processors."""
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
        """As in torch, but the frozen weights of a policy with adapters may be missing."""
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
        """Merge the adapters into the weights; the policy is then saved completely.

        Raises:
            getiaction.errors.PolicyError: the policy has no adapters.
        """
        if not self._peft_models:
            raise PolicyError(f"this {self.policy_name} policy has no adapters to merge")
        self.lerobot_policy = adapters.merge(self._peft_models.pop())
        self._adapters_given = None

    @classmethod
    def load_from_checkpoint(cls, checkpoint_path: Any, map_location: Any = None, **kwargs: Any) -> Self:
        """Load a policy from a Lightning checkpoint, without its dataset and without running code from the file.

        With `ema` it has the averaged weights.

        Args:
            checkpoint_path: the `.ckpt` file.
            map_location: device to load onto; None for the device that it was saved on, if that exists.
            kwargs: parameters to change (`n_action_steps=1`), and Lightning's `hparams_file` and `strict`.

        Raises:
            getiaction.errors.PolicyError: the policy can't be rebuilt here (another policy, a missing extra).
        """
        kwargs["weights_only"] = True
        with trust.open_regular(checkpoint_path) as file:
            try:
                saved = torch.load(file, map_location="meta", weights_only=True)
            except OSError:
                raise
            except Exception:  # torch.load raises many types: KeyError, UnpicklingError, …
                saved = None
        if not isinstance(saved, dict) or CHECKPOINT_KEY not in saved:
            raise PolicyError(
                f"{checkpoint_path} is not a checkpoint of a LeRobotPolicy",
                "name one that getiaction saved (last.ckpt); `from_pretrained` loads a pretrained_model folder",
            )
        trust.checkpoint(saved, Path(checkpoint_path).parent)
        policy = super().load_from_checkpoint(checkpoint_path, map_location=map_location, **kwargs)
        policy._set_device(policy.device.type)
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
    """Load a policy for acting from a `pretrained_model` folder or Hub id: weights and saved processors.

    Unlike `LeRobotPolicy(pretrained_path=…)`, which starts a training on a dataset, it uses the statistics saved with
    the policy.

    Args:
        path: a folder that LeRobot or getiaction saved, or a Hub id.
        revision: branch, tag or commit of that Hub id.
        device: `cpu`, `cuda`, `mps` or `xpu`.
        kind: the class to instantiate: `LeRobotPolicy`, or the class of one policy.

    Raises:
        getiaction.errors.PolicyError: a file is missing or can't be read, the installed LeRobot lacks the policy, or it
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
        policy.lerobot_policy, model = adapters.load(policy.config, str(path), revision, adapter)
        policy._peft_models = [model]
        policy.config.use_peft = True
        policy.config.pretrained_path, policy.config.pretrained_revision = str(path), revision  # its processors
    else:
        values = saved | {"pretrained_path": str(path), "pretrained_revision": revision}
        policy.config = policy._make_config(device, values)
        policy.lerobot_policy = policies.load_policy(policy.config)
    plain = processors.pretrained_processors(policy.config)
    policy.preprocessor, policy.postprocessor = processors.processors_from_plain(plain, policy.config)
    policy._rename_map = processors.rename_map_of(policy.preprocessor)
    return policy.to(device).eval()


def class_for(policy: str, class_name: str) -> type[LeRobotPolicy]:
    """Create the class of one policy, with every field of its configuration in the signature.

    Args:
        policy: the name that LeRobot registers the policy under.
        class_name: the name of the class in `getiaction.policies.lerobot`.

    Raises:
        getiaction.errors.PolicyError: LeRobot does not register the policy.
    """
    signature = _signature(policy)

    def init(self: LeRobotPolicy, **given: Any) -> None:
        # Without defaults, which must not override `config_kwargs`, `config` or a pretrained policy.
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
    """The policy's parameters with LeRobot's defaults and `LeRobotPolicy`'s own arguments, all keyword-only."""
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


def _resolve_name(fixed: str | None, given: str | None, config: PreTrainedConfig | None) -> str:
    """Return the policy's name from the class, the argument and the configuration, which must agree."""
    names = {name for name in (fixed, given, config and config.type) if name}
    if len(names) != 1:
        problem = f"conflicting names: {', '.join(sorted(names))}" if names else "no policy_name"
        raise PolicyError(f"LeRobotPolicy got {problem}", f"one of: {', '.join(policy_names())}")
    name = names.pop()
    config_class(name)
    return name


def _chosen(given: Sequence[str] | Mapping[str, Any] | None, features: Any, argument: str) -> dict[str, Any]:
    """Select features by an argument: all for None, the listed ones, or the given dictionary itself."""
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
    """Raise an error for a normalized feature without statistics, which LeRobot silently leaves unnormalized."""
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
    """Read a section of the arguments; None for None.

    Raises:
        PolicyError: the section is invalid.
    """
    try:
        return kind.read(section)
    except (TypeError, ValueError) as error:
        raise PolicyError(str(error).removeprefix(f"{kind.__name__}.__init__() "), f"for example {example}") from error


def _rows(batch: Batch, rows: Tensor) -> Batch:
    """Select samples of a batch."""
    return {
        key: value[rows.to(value.device)] if isinstance(value, Tensor) else [value[i] for i in rows.tolist()]
        for key, value in batch.items()
    }


def _batch_size(batch: Batch) -> int:
    """Number of samples in a batch."""
    return next(len(value) for value in batch.values() if isinstance(value, Tensor) and value.ndim)
