"""A training run from start to end: run folder, seed, objects of the recipe, Lightning's fit, result."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import lightning as L
import torch.distributed

from getiaction import publishing
from getiaction.errors import TrainingError
from getiaction.lerobot import model_card
from getiaction.spec import launch, slurm
from getiaction.spec.evaluation import Evaluation
from getiaction.spec.launch import rank
from getiaction.spec.publishing import Upload, upload_of
from getiaction.spec.seed import draw, with_seed
from getiaction.train import batch_size, build, folder
from getiaction.train.checkpoints import Checkpoints, SafeCheckpointIO
from getiaction.train.data_progress import DataProgress
from getiaction.train.failures import in_plain_words, is_lost_process
from getiaction.train.folder import RunFolder
from getiaction.train.interrupt import Interrupt, Interrupted, end_others
from getiaction.train.job import Job
from getiaction.train.progress import Watch
from getiaction.train.reseed import Reseed
from getiaction.train.run_page import RunPage
from getiaction.train.run_recorder import RunRecorder
from getiaction.train.screen import Screen, follows
from getiaction.train.summary import Summary


def train(
    recipe: dict[str, Any],
    *,
    recipe_name: str,
    recipe_text: str,
    resolved_text: str = "",
    output_dir: str | Path | None = None,
    resume: str | Path | None = None,
    quiet: bool = False,
    screen: Screen | None = None,
    draw: Callable[[Path], None] | None = None,
    ignored: Sequence[str] = (),
) -> Summary:
    """Train what the recipe describes.

    Args:
        recipe: the recipe as plain values, overrides applied.
        recipe_name: names the run's folder.
        recipe_text: the same recipe as text, kept in the folder.
        resolved_text: its text with all defaults written out, kept in the folder; empty for none.
        output_dir: the run's folder; must be new or empty. By default ``outputs/<recipe_name>/<time>/``.
        resume: a run folder or a checkpoint to resume from; a run resumes in its own folder.
        quiet: no progress.
        screen: where progress is shown, when the caller has taken the screen already.
        draw: writes the page of a run folder (report.html), after each validation and at the end.
        ignored: codes of findings despite which the recipe is trained; kept in run.json for `--resume`.

    Returns:
        What was trained and where it is. When it was interrupted, ``stopped_by`` says with which signal.

    Raises:
        TrainingError: the run can't start or continue for a reason that the user can fix.
        Interrupted: it was stopped before the first step, or at once by a second signal.
    """
    screen = screen or Screen(quiet=quiet)
    upload = None if _leaves_nothing(recipe) else upload_of(recipe["model"].get("init_args") or {})
    if upload and rank() == 0:
        screen.doing(f"checking {upload.repo_id} on the Hub")
        publishing.check(upload)
    prepared = _Preparation(recipe, recipe_text, resolved_text)
    prepared.claim(recipe_name, output_dir, resume, screen)
    prepared.decide(screen)
    recipe, run = prepared.recipe, prepared.run
    prepared.write(screen)

    interrupt = Interrupt(
        lambda name: screen.say(f"{name}: finishing this step, then saving (again: stop at once)"),
        screen.hung_up,
        screen.say,
    )
    watch = Watch(screen)
    page = RunPage(run, draw, screen)
    recorder = RunRecorder(run, recipe, prepared.text, prepared.resolved, screen, ignored)
    callbacks: list[L.Callback] = [Reseed(recipe), recorder, page, watch]
    if run:
        saves = (recipe.get("trainer") or {}).get("enable_checkpointing") is not False
        callbacks.append(Checkpoints(run, interrupt, saves=saves))
        callbacks += _rollouts(recipe, run, interrupt, watch, page, screen)
    with _ended(run, recorder, watch, page, screen), interrupt.listening(), in_plain_words():
        trainer = build.trainer(recipe, run, callbacks)
        checkpoint = prepared.checkpoint
        if launch.read().world_size > 1:
            checkpoint = _agree(trainer, run, checkpoint, recipe)
        SafeCheckpointIO.use(trainer)
        interrupt.alone(trainer)
        L.seed_everything(recipe["seed"], workers=True, verbose=False)
        data = build.data(recipe)
        data.progress = DataProgress(screen)
        policy = build.policy(recipe)
        screen.doing(f"reading {getattr(data, 'repo_id', 'the dataset')}")
        stopped_by = _fit(recipe, trainer, policy, data, checkpoint)
        if not (watch.started or checkpoint):
            raise TrainingError(
                "nothing was trained: the recipe sets zero steps",
                "look at trainer.max_steps, max_epochs, max_time and limit_train_batches",
            )
        if run and trainer.is_global_zero:
            screen.doing("writing pretrained_model")
            run.write_pretrained_model(partial(_save_with_card, policy, data, trainer, recipe))
            if policy.averaging and policy.averaging.keep_raw:
                run.write_pretrained_model(partial(policy.save_pretrained, averaged=False), raw=True)
    summary = Summary.of(trainer, policy, data, watch, run, stopped_by)
    if upload and run and stopped_by is None and trainer.is_global_zero:
        return replace(summary, uploaded=_upload(run, upload, screen))
    return summary


@dataclass
class _Preparation:
    """A run before its first step: the recipe with every choice made, and the folder it trains in.

    Attributes:
        recipe: as plain values.
        text: the same as text.
        resolved: its text with all defaults; empty for none.
        run: the run's folder; None where a try leaves nothing.
        checkpoint: where the run continues; None from the beginning.
    """

    recipe: dict[str, Any]
    text: str
    resolved: str
    run: RunFolder | None = None
    checkpoint: Path | None = None

    def claim(self, name: str, output_dir: str | Path | None, resume: str | Path | None, screen: Screen) -> None:
        """Take the folder to resume in, or a new one; that of an earlier start of the same job is resumed, too."""
        if resume:
            self.run, self.checkpoint = folder.resumable(resume)
        if _leaves_nothing(self.recipe):
            self.run = None
        elif self.run is None:
            here = launch.read()
            self.run = _claim(name, output_dir or self.recipe.get("output_dir"), Job.this(here, self.recipe))
            if self.run.resumed:
                screen.say(f"{here.job} was started again: resuming {self.run.path}")
                self.checkpoint = self.run.last if self.run.last.is_file() else None

    def decide(self, screen: Screen) -> None:
        """Draw the seed and choose the batch size, where the recipe leaves them open."""
        earlier = self.run if self.run and self.run.resumed else None
        self.recipe = dict(self.recipe)
        if self.recipe.get("seed") is None:
            self.recipe["seed"] = seed = _seed(earlier)
            self.text = with_seed(self.text, seed)
            self.resolved = self.resolved and with_seed(self.resolved, seed)
        if batch_size.is_auto(self.recipe):
            try:
                with in_plain_words():
                    number = batch_size.chosen(self.recipe, earlier, screen)
            except BaseException:
                if self.run and self.run.fresh and rank() == 0:
                    self.run.abandon()
                raise
            self.recipe, self.text = batch_size.with_number(self.recipe, self.text, number)
            self.resolved = self.resolved and batch_size.replaced(self.resolved, number)

    def write(self, screen: Screen) -> None:
        """On the first rank: lock the folder, and write the recipe and the log into it."""
        if self.run is None or rank() > 0:
            return
        self.run.hold()
        if self.run.resumed and self.checkpoint is None:
            screen.say(f"{self.run.path} was stopped before its first checkpoint: starting from step 0")
        if self.run.fresh:
            self.run.write_recipe(self.text)  # a run that continues keeps its own until it does (`RunRecorder`)
        screen.log_to(self.run.log)


@contextmanager
def _ended(run: RunFolder | None, recorder: RunRecorder, watch: Watch, page: RunPage, screen: Screen) -> Iterator[None]:
    """After the run: keep what a failure says, or remove a folder in which nothing began, and release the rest."""
    try:
        yield
    except (TrainingError, Interrupted, KeyboardInterrupt) as error:
        if isinstance(error, TrainingError):
            slurm.ignore_signals()  # the SIGTERM that follows ends this step, and must not requeue the job
            if is_lost_process(error.__cause__) and (gone := recorder.ended()):
                who = " and ".join(f"rank {number} on {recorder.processes[number][0]}" for number in gone)
                error.message, error.hint = f"{who} has ended", f"its log: {run.log_of(gone[0])}" if run else ""
        if run and not watch.started and not run.resumed and rank() == 0:
            run.abandon()
        elif run and isinstance(error, Interrupted):
            error.folder = run.path
        elif run and isinstance(error.__cause__, Exception) and rank() == 0:
            run.write_fault(error.__cause__)
        raise
    except Exception as fault:
        slurm.ignore_signals()
        if run and run.announced:
            fault.add_note(f"the traceback is in {run.write_fault(fault, rank())}")
        raise
    finally:
        watch.close()
        screen.still()
        batch_size.forget()
        if run:
            run.release()
            if rank() == 0 and run.metrics.is_file():
                page.update(last=True)


def _save_with_card(policy: Any, data: Any, trainer: L.Trainer, recipe: dict[str, Any], folder: Path) -> None:
    """Write the policy in LeRobot's format, with the model card that says what it was trained on."""
    policy.save_pretrained(folder)
    preset = policy.config.get_optimizer_preset()
    model_card.write(
        folder,
        policy.config,
        meta=data.meta,
        training={
            "steps": trainer.global_step,
            "batch_size": data.train_batch_size,
            "seed": recipe["seed"],
            "optimizer": preset.type,
            "lr": preset.lr,
        },
        rate=data.meta.fps / data.frames_apart,
    )


def _upload(run: RunFolder, upload: Upload, screen: Screen) -> str:
    """Upload the run's policy; a failure costs no training, so it is reported and not raised."""
    screen.doing(f"uploading to {upload.repo_id}")
    try:
        return publishing.push(run.pretrained_model, upload, publishing.evaluation_of(run.path))
    except TrainingError as error:
        again = f"getiaction push {shlex.quote(str(run.path))} {upload.repo_id}"
        screen.say(f"not uploaded: {error.message}\nhint: {again}")
        return ""


def _fit(
    recipe: dict[str, Any],
    trainer: L.Trainer,
    policy: L.LightningModule,
    data: L.LightningDataModule,
    checkpoint: Path | None,
) -> int | None:
    """Train to the end or to a signal after which everything is saved; returns that signal."""
    try:
        trainer.fit(policy, datamodule=data, ckpt_path=checkpoint, weights_only=True)
    except BaseException as error:
        if isinstance(error, Interrupted) and error.saved:
            return error.signum
        end_others(trainer)
        if batch_size.is_out_of_memory(error):
            raise batch_size.out_of_memory(error, recipe, trainer, data) from error
        raise
    return None


def _rollouts(
    recipe: dict[str, Any], run: RunFolder, interrupt: Interrupt, watch: Watch, page: RunPage, screen: Screen
) -> list[L.Callback]:
    """The callback of the recipe's `evaluation:` section, where it has one."""
    if not recipe.get("evaluation"):
        return []
    from getiaction.train.rollouts import Rollouts

    return [Rollouts(Evaluation.read(recipe["evaluation"]), run, interrupt, watch, page, screen)]


def _agree(trainer: L.Trainer, run: RunFolder | None, checkpoint: Path | None, recipe: dict[str, Any]) -> Path | None:
    """Take over the first process' folder and seed, and return its checkpoint: torchrun or srun started them all."""
    attempt = launch.read().restarts[1]
    if attempt and not torch.distributed.is_initialized():
        # torchrun keeps its store for all starts; Lightning would read where the processes of the last one listened.
        store = torch.distributed.TCPStore(os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]), is_master=False)
        torch.distributed.init_process_group(
            trainer.strategy._get_process_group_backend(),
            store=torch.distributed.PrefixStore(f"start-{attempt}", store),
            rank=trainer.global_rank,
            world_size=trainer.world_size,
        )
    trainer.strategy.setup_environment()
    path = run.path if run else None
    path, checkpoint, recipe["seed"] = trainer.strategy.broadcast((path, checkpoint, recipe["seed"]))
    if run and path:
        run.path = path
    return checkpoint


def _seed(resumed: RunFolder | None) -> int:
    """The seed of a recipe without one: that of the resumed run, of the first process, or a new one."""
    seed = resumed.seed if resumed else None
    if seed is None and follows():
        seed = int(os.environ["PL_GLOBAL_SEED"])  # the first process has set it before it started this one
    return draw() if seed is None else seed


def _leaves_nothing(recipe: dict[str, Any]) -> bool:
    """Lightning's `fast_dev_run` is a try: no logs, no checkpoints, so no folder either."""
    return bool((recipe.get("trainer") or {}).get("fast_dev_run"))


def _claim(recipe_name: str, output_dir: str | Path | None, job: Job | None) -> RunFolder:
    """Make the folder on the first rank; the others receive its path from it (`_agree`, `RunRecorder`)."""
    if rank() > 0:
        return RunFolder(Path(), fresh=False, announced=False)
    return folder.claim(recipe_name, Path(output_dir).expanduser() if output_dir else None, job=job)
