"""`getiaction train --slurm` on the login node: what it reads, what it says, and the batch script that it writes."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from test_train import recipe, root  # noqa: F401
from typer.testing import CliRunner

from getiaction.spec import memory
from getiaction.spec.memory import Need
from getiaction_cli.checking.recipe_context import RecipeContext, SharedInputs
from getiaction_cli.commands import submit, time_limit
from getiaction_cli.errors import UsageError
from getiaction_cli.main import app


def dry_run(*given: object, words: str = "--time=1:00:00 -p gpu") -> str:
    done = CliRunner().invoke(app, ["train", *map(str, given), f"--slurm={words}", "--dry-run"])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_dry_run_prints_the_script_and_writes_nothing(recipe: Path) -> None:  # noqa: F811
    script = dry_run(recipe, "--output-dir", "mine")
    options = re.findall(r"^#SBATCH (.*)", script, re.MULTILINE)
    assert options == [
        "--job-name=tiny",
        f"--output={recipe.parent}/mine/slurm-%j.txt",
        "--open-mode=append",
        "--requeue",
        "--signal=USR1@120",
        "--time=1:00:00",
        "-p gpu",
    ]
    assert not Path("mine").exists()
    assert subprocess.run(["bash", "-n"], input=script, text=True, timeout=20).returncode == 0


@pytest.mark.parametrize("way", ["recipe", "output_dir", "--output-dir"])
def test_a_line_break_in_a_name_is_not_a_command(recipe: Path, way: str, tmp_path: Path) -> None:  # noqa: F811
    evil = "x\ntouch ran\n#"
    words = ["--output-dir", evil] if way == "--output-dir" else []
    if way == "recipe":
        recipe = recipe.rename(recipe.with_name(f"{evil}.yaml"))
    if way == "output_dir":
        recipe.write_text(f"{recipe.read_text()}\noutput_dir: {json.dumps(evil)}\n")
    done = CliRunner().invoke(app, ["train", str(recipe), *words, "--slurm=--time=1:00:00", "--dry-run"])
    assert isinstance(done.exception, UsageError) and "contains a line break" in str(done.exception)
    assert "#SBATCH" not in done.output


def test_a_percent_sign_in_a_folder_is_not_a_pattern_of_sbatch(recipe: Path) -> None:  # noqa: F811
    script = dry_run(recipe, "--output-dir", "50%j")
    assert f"#SBATCH --output={recipe.parent}/50%%j/slurm-%j.txt" in script
    assert "/50%j/slurm-7.txt" in submit._next("7", Path("job.sbatch"), "/50%%j/slurm-%j.txt", 1)


def test_the_script_starts_a_process_for_each_device(recipe: Path) -> None:  # noqa: F811
    assert "--ntasks-per-node=2" in dry_run(recipe, "--trainer.devices=2", "--trainer.strategy=ddp")
    task = submit.Task("", submit_recipe(recipe), "")
    script = submit.script([task], "tiny", Path("/home"), submit.options("--gpus-per-node=a100:4 --job-name=mine"))
    assert "#SBATCH --ntasks-per-node=4" in script
    assert script.count("--job-name") == 1


@pytest.mark.parametrize(
    ("words", "read"),
    [
        ("", []),
        ("-p a100 -J mine", [("p", "a100"), ("job-name", "mine")]),
        ("-pa100 -N2", [("p", "a100"), ("nodes", "2")]),
        ("--partition gpu --exclusive --time=9", [("partition", "gpu"), ("exclusive", ""), ("time", "9")]),
        ("-H -t 1:00:00", [("H", ""), ("time", "1:00:00")]),
        ("--comment='two words'", [("comment", "two words")]),
    ],
)
def test_the_options_of_sbatch_are_read(words: str, read: list[tuple[str, str]]) -> None:
    assert [(option.name, option.value) for option in submit.options(words)] == read


@pytest.mark.parametrize(
    "words", ["--comment='open", "gpu", "partition=gpu", "--time=1 script.sh", "-", "--", "-t 1\n2"]
)
def test_what_is_not_an_option_of_sbatch_is_a_usage_error(recipe: Path, words: str) -> None:  # noqa: F811
    done = CliRunner().invoke(app, ["train", str(recipe), "--seed=1", f"--slurm={words}"])
    assert isinstance(done.exception, UsageError)
    assert not Path("outputs").exists()


def test_the_value_of_an_option_is_not_an_option(recipe: Path) -> None:  # noqa: F811
    script = dry_run(recipe, "--array", "seed=1-3", words="-p a100")
    assert "#SBATCH --array=0-2" in script
    assert "#SBATCH --job-name=tiny" in script


@pytest.mark.parametrize("words", ["--array=0-3", "-a 0-3", "-a0-3"])
def test_an_array_of_sbatch_needs_what_differs(recipe: Path, words: str) -> None:  # noqa: F811
    done = CliRunner().invoke(app, ["train", str(recipe), f"--slurm={words}", "--dry-run"])
    assert isinstance(done.exception, UsageError)
    assert "#SBATCH --array=0-2%1" in dry_run(recipe, "--array", "seed=1-3", words="--array=0-2%1")


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        ("--gres=gpu:2", ["--ntasks-per-node=2"]),
        ("--gres=tmp:9,gpu:a100:4", ["--ntasks-per-node=4"]),
        ("-G 8 -N 2", ["--ntasks=8"]),
        ("--gpus-per-node=4 -n 2", []),
        ("--gres=gpu", []),
    ],
)
def test_one_task_for_each_gpu(recipe: Path, words: str, lines: list[str]) -> None:  # noqa: F811
    assert re.findall(r"--ntasks\S*", dry_run(recipe, words=words)) == lines


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("--time=30", 1800),
        ("-t 30:15", 1815),
        ("-t8:00:00", 28800),
        ("--time 1-12", 129600),
        ("--time=1-0:30", 88200),
        ("--time=2-1:00:05", 176405),
        ("--time=UNLIMITED", None),
        ("--time=0", None),
        ("-p gpu", None),
    ],
)
def test_the_time_limit_is_read_in_all_forms(words: str, seconds: int | None) -> None:
    assert time_limit.seconds_of(submit.options(words)) == seconds


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("--gres=gpu:a100:4", "a100"),
        ("--gres=gpu:a100", "a100"),
        ("--gres=tmp:9,gpu:h100:1", "h100"),
        ("--gpus-per-node=nvidia_a100-sxm4-80gb:8", "nvidia_a100-sxm4-80gb"),
        ("-G l40s:2", "l40s"),
        ("--gres=gpu:4,nvme:fast:1", ""),
        ("-p a100", ""),
    ],
)
def test_the_type_of_the_gpu_is_read(words: str, name: str) -> None:
    assert time_limit.type_of(submit.options(words)) == name


def earlier_run(recipe: Path, gpu: str | None, rate: float) -> Path:  # noqa: F811
    """What a run of the recipe leaves: its speed, over its two processes."""
    run = Path("outputs/tiny/2026-01-01_00-00-00")
    run.mkdir(parents=True)
    shutil.copy(recipe, run / "recipe.yaml")
    (run / "run.json").write_text(json.dumps({"hardware": {"gpu": gpu}, "batch": {"processes": 2, "samples": 8}}))
    (run / "metrics.csv").write_text(f"step,train/samples_per_second\n0,{rate}\n1,{rate}\n")
    return run


def said_of(recipe: Path, words: str, *given: str) -> str:  # noqa: F811
    done = CliRunner().invoke(app, ["train", str(recipe), *given, f"--slurm={words}", "--dry-run"])
    assert done.exit_code == 0, done.output
    return " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("words", "ending"),
    [
        ("-t 1:00:00", "; the job is requeued and resumes, up to 10 times"),
        (
            "-t 1:00:00 --no-requeue",
            "; the job ends at the limit, and its script resumes the run when it is submitted again",
        ),
        ("-t 30 --gres=gpu:a100:2", "; that takes 21 requeues, of 20 at most: set GETIACTION_MAX_REQUEUES=21"),
        ("-t 30 --signal=USR1@300 --gpus-per-node=2", "; the job is requeued and resumes, up to 19 times"),
        ("-t 10:00:01", None),
    ],
)
def test_a_time_limit_is_compared_with_the_speed_of_an_earlier_run(
    recipe: Path,  # noqa: F811
    words: str,
    ending: str | None,
) -> None:
    # 50 samples/s a process, 4 samples a step.
    run = earlier_run(recipe, "NVIDIA A100-SXM4-80GB", 100.0)
    said = said_of(recipe, words, "--steps=450000")
    source = f"10.0 h at 50 samples/s a process, as in {run} on NVIDIA A100-SXM4-80GB"
    limit = "30 min" if "-t 30" in words else "60 min"
    assert said == (f"the time limit of {limit} is shorter than the training: {source}{ending}" if ending else "")


@pytest.mark.parametrize(
    ("gpu", "words", "options"),
    [
        (None, "-t 10 --gpus-per-node=1", ()),
        ("NVIDIA H100 80GB HBM3", "-t 10 --gres=gpu:a100:1", ()),
        ("NVIDIA H100 80GB HBM3", "-t 10", ("--model.chunk_size=8",)),
        ("NVIDIA H100 80GB HBM3", "-t 10", ("--batch-size=2",)),
    ],
)
def test_a_run_of_another_recipe_or_device_says_nothing_about_the_time(
    recipe: Path,  # noqa: F811
    gpu: str | None,
    words: str,
    options: tuple[str, ...],
) -> None:
    earlier_run(recipe, gpu, 0.001)
    assert said_of(recipe, words, *options).startswith(
        "the time limit of 10 min is not compared with the time of training"
    )


def test_a_measured_recipe_is_compared_with_its_time_by_arithmetic(
    recipe: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GETIACTION_CACHE", str(recipe.parent / "cache"))
    fit = RecipeContext(submit_recipe(recipe), SharedInputs()).fit
    features = {key: feature.raw for key, feature in fit.dataset.features.items()}
    need = Need(1, 1, 4, 4, 4, 8, 0, ((0.0, 500e6),), flops=989e12 / 8, operations=0)  # 0.5 s a step on an H100
    memory.store(memory.cache_key(fit.recipe.plain(), features, fit.fps), need)
    source = "4.0 h to 16.0 h on H100, by arithmetic and its datasheet, not measured"
    for limit, verb in ("3:00:00", "is"), ("5:00:00", "may be"):
        said = said_of(recipe, f"-t {limit} --gpus=h100:1", "--steps=28800")
        assert f"{verb} shorter than the training: {source}; the job is requeued" in said
    assert said_of(recipe, "-t 17:00:00 --gpus=h100:1", "--steps=28800") == ""
    # Two processes need half the steps of an epoch.
    epochs = ("--trainer.max_steps=-1", "--trainer.max_epochs=28800")
    one, two = (said_of(recipe, f"-t 3 --gpus=h100:{count}", *epochs) for count in (1, 2))
    hours = [float(re.search(r"training: ([\d,.]+) h", said)[1].replace(",", "")) for said in (one, two)]  # type: ignore[index]
    assert hours[0] == pytest.approx(2 * hours[1], rel=0.1)


def test_a_time_limit_without_time_to_train_is_shown(recipe: Path) -> None:  # noqa: F811
    assert said_of(recipe, "-t 2").startswith("a time limit of 2 min leaves no time to train: SIGUSR1 comes 2 min")


def test_the_folder_of_the_recipe_is_the_folder_of_the_run(recipe: Path) -> None:  # noqa: F811
    assert f"run={recipe.parent}/runs/mine\n" in dry_run(recipe, "--output_dir=runs/mine")


def test_a_command_line_that_describes_nothing_is_a_usage_error() -> None:
    done = CliRunner().invoke(app, ["train", "--slurm", "--steps=20", "--dry-run"])
    assert isinstance(done.exception, UsageError)
    assert "no recipe was named" in done.exception.message


def test_values_with_the_same_letters_have_folders_of_their_own() -> None:
    first = submit.Task(submit.folder_of(("data.root", "a/b"), []), None, "")  # type: ignore[arg-type]
    assert first.folder == "data.root=a-b"
    assert submit.folder_of(("data.root", "a-b"), [first]) == "data.root=a-b.1"


def submit_recipe(path: Path):
    from getiaction_cli.recipe import read

    return read(str(path))


def test_an_array_has_a_folder_for_each_value(recipe: Path) -> None:  # noqa: F811
    script = dry_run(recipe, "--array", "seed=1-3")
    assert "#SBATCH --array=0-2" in script
    assert "folders=(seed=1 seed=2 seed=3)" in script
    assert submit.array("model.learning_rate=1e-4,1e-3") == [
        ("model.learning_rate", "1e-4"),
        ("model.learning_rate", "1e-3"),
    ]
    for wrong in ("seed", "seed=5-1", "seed=1,1", "seed=1-100000"):
        with pytest.raises(UsageError):
            submit.array(wrong)


def test_a_wrong_recipe_is_not_submitted(recipe: Path) -> None:  # noqa: F811
    done = CliRunner().invoke(app, ["train", str(recipe), "--slurm", "--model.chunk_size=2"])
    assert done.exit_code == 1
    assert not Path("outputs").exists()


def test_a_login_node_needs_no_gpu(recipe: Path) -> None:  # noqa: F811
    assert "srun" in dry_run(recipe, "--trainer.accelerator=gpu")


def test_a_second_array_is_not_dropped_in_silence(recipe: Path) -> None:  # noqa: F811
    words = ["train", str(recipe), "--slurm", "--array", "seed=1-2", "--array", "steps=2,3", "--dry-run"]
    assert isinstance(CliRunner().invoke(app, words).exception, UsageError)
