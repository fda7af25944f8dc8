"""What a user watches: a bar on a terminal, lines in a pipe. Also the measurements that the closing summary needs."""

from __future__ import annotations

import math
import time
from collections import deque
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import lightning as L
import torch

from getiaction.errors import TrainingError
from getiaction.train.screen import Screen

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

REDRAWS_PER_SECOND = 8
LINES_PER_RUN = 10
SECONDS_BETWEEN_LINES = 60
BARS = "▁▂▃▄▅▆▇█"
CURVE = 16
SMALLEST_BAR = 5
STATE = "getiaction/progress"
SMOOTH_LOSS = "train/loss_smooth"
THROUGHPUT = "train/samples_per_second"


class Watch(L.Callback):
    """Counts, times and shows the steps, and stops a run whose loss is no longer a number.

    The training loss that a user reads is one number everywhere: `train/loss_smooth`, the fading average of the losses
    of the last batches over all ranks. The bar and the closing summary show it, metrics.csv has it beside `train/loss`,
    the loss of a single batch, and without validation the lowest one at a save decides about best.ckpt. Everything here
    is kept in checkpoints, so that a resumed run includes all its parts.

    Args:
        screen: where to show them.

    Attributes:
        losses: the loss of a bounded number of steps, evenly spread over the run.
        samples: how many samples were trained on, over all ranks.
        seconds: how long training took, over all parts of the run, validation left out.
        part_seconds: how long this part of it took.
    """

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.losses = Thinned()
        self.first_loss = math.nan
        self.loss = math.nan
        self.val_loss: float | None = None
        self.samples = 0
        self.seconds = 0.0
        self._seconds_before = 0.0
        self.started = False
        self.device = ""
        self.total: float = math.inf
        self.begun_at = 0
        self._smooth = Smooth()
        self._pace: deque[tuple[float, int]] = deque(maxlen=200)
        self._ticked = 0.0
        self._shown = 0.0
        self._shown_step = 0
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    @property
    def state_key(self) -> str:
        """The name of this callback's state in a checkpoint."""
        return STATE

    def state_dict(self) -> dict[str, Any]:
        """What was measured so far."""
        return {
            "seconds": self.seconds,
            "samples": self.samples,
            "first_loss": self.first_loss,
            "val_loss": self.val_loss,
            "smooth": self._smooth.state(),
            "losses": self.losses.state(),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue the measurements of the earlier part of the run; start anew where they can't be read."""
        try:
            seconds, samples, first = (state_dict[name] for name in ("seconds", "samples", "first_loss"))
            self.seconds = self._seconds_before = float(seconds)
            self.samples, self.first_loss = int(samples), float(first)
            self.val_loss = None if state_dict["val_loss"] is None else float(state_dict["val_loss"])
            self._smooth.restore(state_dict["smooth"])
            self.losses.restore(state_dict["losses"])
        except (KeyError, TypeError, ValueError):
            self.__init__(self.screen)  # type: ignore[misc]

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """The first step is about to be done."""
        self.started = True
        self.device = where(trainer)
        self.total = trainer.estimated_stepping_batches
        self.begun_at = self._shown_step = trainer.global_step
        self.screen.still()
        if self.screen.live:
            self._bar, self._task = _bar(self.screen, self.total, trainer.global_step)
        self._ticked = self._shown = time.monotonic()

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count, and show it now and then (reading the loss from a GPU waits for the GPU)."""
        now = time.monotonic()
        loss = outputs["loss"].detach().float() * trainer.accumulate_grad_batches  # Lightning has divided it
        loss = trainer.strategy.reduce(loss, reduce_op="mean")  # over all processes
        self._smooth.add(loss)
        pl_module.log(SMOOTH_LOSS, self._smooth.average, batch_size=1)
        count = _samples(batch) * trainer.world_size
        self.samples += count
        self.seconds += now - self._ticked
        self._ticked = now
        self._pace.append((self.seconds, self.samples))
        if trainer._logger_connector.should_update_logs:
            pl_module.log(THROUGHPUT, self._samples_per_second(), batch_size=1)
        step, last = trainer.global_step, trainer.global_step >= self.total
        due = now - self._shown > 1 / REDRAWS_PER_SECOND
        if not (due or last or step == 1 or pl_module.device.type == "cpu" or step % trainer.log_every_n_steps == 0):
            return
        self._take(float(loss), step)
        if self._bar is not None and (due or last):
            self._draw(step)
        elif not self.screen.live and self._line_is_due(now, step, last):
            self._line(step)

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Validation is not training time."""
        if self.started:
            self.seconds += time.monotonic() - self._ticked

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Show what it found."""
        self._ticked = time.monotonic()
        if trainer.sanity_checking or "val/loss" not in trainer.callback_metrics:
            return
        self.val_loss = float(trainer.callback_metrics["val/loss"])
        self._draw(trainer.global_step)

    def teardown(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """The bar stays as it is."""
        self._draw(trainer.global_step)
        self.close()

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        """The bar stays where it was."""
        self._draw(trainer.global_step)
        self.close()

    def show(self, text: str) -> None:
        """Show beside the bar what takes time between two steps."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, description="", said=text)

    def resume_clock(self) -> None:
        """Leave the time since the last step out of training time."""
        self._ticked = time.monotonic()

    def close(self) -> None:
        """Stop moving."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    @property
    def samples_per_second(self) -> float:
        """Over the whole run, validation left out."""
        return self.samples / self.seconds if self.seconds else 0.0

    @property
    def part_seconds(self) -> float:
        """How long this part of the run took, validation left out."""
        return self.seconds - self._seconds_before

    @property
    def smoothed(self) -> float:
        """The training loss now, an average of the last steps over all ranks."""
        return self._smooth.value

    def final_loss(self, trainer: L.Trainer) -> float:
        """The training loss at the end over all ranks, as metrics.csv has it."""
        metric = trainer.callback_metrics.get(SMOOTH_LOSS)
        return self.smoothed if metric is None else float(metric)

    def _take(self, loss: float, step: int) -> None:
        if not math.isfinite(loss):
            raise TrainingError(
                f"the loss is {loss} at step {step}: training has diverged",
                "try a lower learning_rate, `precision: 32-true`, or gradient_clip_val; "
                "`getiaction validate-config` looks at the dataset's statistics",
            )
        self.loss = loss
        if math.isnan(self.first_loss):
            self.first_loss = loss
        self.losses.add(loss)

    def _draw(self, step: int) -> None:
        if self._bar is None or self._task is None:
            return
        self._shown = time.monotonic()
        parts = {
            "word": "training",
            "count": f"{step}/{self.total:.0f}" if math.isfinite(self.total) else f"{step}",
            "loss": f"loss {number(self._smooth.value)}",
            "curve": sparkline(self.losses.values, CURVE),
            "validation": self._validation().rstrip(),
            "pace": rate(self._samples_per_second()),
            "left": f"{left} left" if (left := self._left(step)) else "",
        }
        parts = fitted(parts, self.losses.values, self.screen.console.width - SMALLEST_BAR)
        parts["loss"] = f"loss [bold]{parts['loss'].removeprefix('loss ')}[/bold]"
        parts["curve"] = parts["curve"] and f"[cyan]{parts['curve']}[/cyan]"
        self._bar.update(
            self._task, completed=step, description=parts.pop("word"), said=" ".join(filter(None, parts.values()))
        )

    def _line_is_due(self, now: float, step: int, last: bool) -> bool:
        if step == self._shown_step:  # inside an accumulated step
            return False
        share = (step - self._shown_step) / self.total if math.isfinite(self.total) else 0
        return last or share >= 1 / LINES_PER_RUN or now - self._shown > SECONDS_BETWEEN_LINES

    def _line(self, step: int) -> None:
        self._shown, self._shown_step = time.monotonic(), step
        total = f"/{self.total:.0f}" if math.isfinite(self.total) else ""
        loss = f"loss {number(self._smooth.value)}  {self._validation()}"
        left = f"  {left} left" if (left := self._left(step)) else ""
        self.screen.say(f"step {step}{total}  {loss}{rate(self._samples_per_second())}{left}")

    def _validation(self) -> str:
        return "" if self.val_loss is None else f"val {number(self.val_loss)}  "

    def _samples_per_second(self) -> float:
        (then, before), (now, after) = self._pace[0], self._pace[-1]
        return (after - before) / (now - then) if now > then else self.samples_per_second

    def _left(self, step: int) -> str:
        if not math.isfinite(self.total) or step <= self.begun_at:
            return ""
        seconds = self.part_seconds / (step - self.begun_at) * (self.total - step)
        return str(timedelta(seconds=round(seconds)))


class Smooth:
    """An average of the last values, older ones fading; fair from the first value on.

    Tensors stay on their device until `value` is read: reading from a GPU waits for it.
    """

    def __init__(self, keep: float = 0.95) -> None:
        self._keep, self._weight = keep, 0.0
        self._sum: torch.Tensor | float = 0.0

    def add(self, value: torch.Tensor | float) -> None:
        """Take one more."""
        if isinstance(self._sum, torch.Tensor) and isinstance(value, torch.Tensor):
            self._sum = self._sum.to(value.device)
        self._sum = self._keep * self._sum + (1 - self._keep) * value
        self._weight = self._keep * self._weight + (1 - self._keep)

    @property
    def average(self) -> torch.Tensor | float:
        """The average where it was computed; nan when there is none yet."""
        return self._sum / self._weight if self._weight else math.nan

    @property
    def value(self) -> float:
        """The average, nan when there is none yet."""
        return float(self.average)

    def state(self) -> dict[str, float]:
        """Plain values that `restore` takes."""
        return {"sum": float(self._sum), "weight": self._weight}

    def restore(self, state: dict[str, float]) -> None:
        """Continue where `state` was asked for."""
        self._sum, self._weight = torch.tensor(float(state["sum"])), float(state["weight"])


class Thinned:
    """Keeps at most ``size`` means of equally many values each, however many are added."""

    def __init__(self, size: int = 512) -> None:
        self.values: list[float] = []
        self._size, self._every, self._bucket = size, 1, list[float]()

    def add(self, value: float) -> None:
        """Take one more; when full, neighbours become one."""
        self._bucket.append(value)
        if len(self._bucket) < self._every:
            return
        self.values.append(sum(self._bucket) / len(self._bucket))
        self._bucket = []
        if len(self.values) == self._size:
            self.values = [(a + b) / 2 for a, b in zip(self.values[::2], self.values[1::2], strict=True)]
            self._every *= 2

    def state(self) -> dict[str, Any]:
        """Plain values that `restore` takes."""
        return {"values": list(self.values), "every": self._every, "bucket": list(self._bucket)}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue where `state` was asked for."""
        self.values, self._bucket = [float(v) for v in state["values"]], [float(v) for v in state["bucket"]]
        self._every = max(1, int(state["every"]))


def fitted(parts: dict[str, str], course: list[float], room: int) -> dict[str, str]:
    """The parts of the moving line that a terminal has room for.

    Args:
        parts: texts by name; where they are too long the `word` goes first, then the `curve` gets shorter and goes,
            then the `pace`, then the time `left`.
        course: the losses so far, which the curve shows.
        room: columns beside the bar.
    """
    parts = dict(parts)
    for name in ("word", "curve", "pace", "left"):
        over = sum(len(text) + 1 for text in parts.values() if text) - room
        if over > 0:
            parts[name] = sparkline(course, len(parts["curve"]) - over) if name == "curve" else ""
    return parts


def sparkline(values: list[float], width: int) -> str:
    """The course of the values in so many characters, each the mean of its stretch; logarithmic where it can be."""
    if not values or width < 1:
        return ""
    width = min(width, len(values))
    edges = [round(i * len(values) / width) for i in range(width + 1)]
    means = [sum(values[a:b]) / (b - a) for a, b in pairwise(edges)]
    if min(means) > 0:
        means = [math.log(mean) for mean in means]
    low, high = min(means), max(means)
    scale = (len(BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(BARS[round((mean - low) * scale)] for mean in means)


def number(value: float) -> str:
    """Four significant digits, no more than a reader compares."""
    return f"{value:.4g}"


def rate(samples_per_second: float) -> str:
    """As "96 samples/s" or, where it matters, "1.4 samples/s"."""
    return f"{samples_per_second:.{0 if samples_per_second >= 10 else 1}f} samples/s"


def where(trainer: L.Trainer) -> str:
    """The hardware, as "cpu" or "2 x cuda"."""
    kind = trainer.strategy.root_device.type
    return kind if trainer.world_size == 1 else f"{trainer.world_size} x {kind}"


def _bar(screen: Screen, total: float, completed: int) -> tuple[Progress, TaskID]:
    from rich.progress import BarColumn, Progress, TextColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[said]}"),
        console=screen.console,
        auto_refresh=True,
        refresh_per_second=REDRAWS_PER_SECOND,
        expand=True,
        redirect_stdout=False,  # the libraries' talk belongs in the log, not above the bar
        redirect_stderr=False,
    )
    task = bar.add_task("training", total=total if math.isfinite(total) else None, completed=completed, said="")
    bar.start()
    return bar, task


def _samples(batch: Any) -> int:
    """How many samples are in a batch: the first dimension of its first tensor."""
    for value in batch.values():
        if isinstance(value, torch.Tensor) and value.ndim:
            return value.shape[0]
    return 0
