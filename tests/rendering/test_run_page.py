"""report.html of a run: what is on it, in a real browser, and what strangers can't put on it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import av
import made_evaluation
import numpy as np
import pytest

from getiaction_cli import runs
from getiaction_cli.commands import run_report
from getiaction_cli.diagnostics import Diagnostic, Report, Severity
from getiaction_cli.rendering import evaluation_json

HOSTILE = '</script><script>document.title="taken over"</script><img src=x onerror=alert(1)>\x1b[31m'
RECIPE = """\
model:
  class_path: getiaction.policies.lerobot.ACT
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args: {repo_id: made/reach}
trainer: {max_steps: 3000}
evaluation:
  env: {type: pusht}
"""


def film(path: Path) -> None:
    """A video as LeRobot writes them."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for shade in range(0, 200, 20):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((64, 64, 3), shade, np.uint8), format="rgb24")))
        file.mux(stream.encode())


def make_run(folder: Path, word: str = "reach", recipe: str = RECIPE) -> Path:
    """A finished run with three validations, three rollouts, videos and an evaluation; `word` is in all its texts."""
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "checkpoints" / "last.ckpt").write_bytes(b"")
    (folder / "pretrained_model").mkdir()
    (folder / "pretrained_model" / "config.json").write_text("{}")
    (folder / "recipe.yaml").write_text(recipe)
    facts = {
        "started": f"2026-01-01T10:00:00 {word}",
        "platform": word,
        "versions": {"lerobot": "0.6.1", word: word},
        "seed": word,
        "policy": {"name": f"ACT {word}", "parameters": 1_234_567},
        "hardware": {"device": "cuda", "gpu": f"H100 {word}", "cores": 8},
        "dataset": {"repo_id": f"made/{word}", "fingerprint": "0123456789abcdef0000", word: word},
        "batch": {"samples": word},
        "frames": {"order": word},
        "resumed": [{"from_step": word, "started": word}],
    }
    (folder / "run.json").write_text(json.dumps(facts))
    names = "train/loss_smooth", "train/lr", "train/samples_per_second", "train/grad_norm", "val/loss"
    success = "eval/success_rate", "eval/success_rate_low", "eval/success_rate_high", "eval/max_reward"
    rows = [",".join(("epoch", "step", *names, *success, f"other {word}".replace('"', "").replace("\x1b", "")))]
    for step in range(29, 3000, 30):
        rows.append(f"0,{step},{3 / (step + 1)},0.001,{1000 + step},1.5,,,,,,1")
        if step % 1000 > 960:
            rows += [f"0,{step},,,,,{2 / step},,,,,", f",{step},,,,,,{step / 6000},{step / 9000},{step / 4000},0.5,"]
    (folder / "metrics.csv").write_text("\n".join(rows))
    for step in (1000, 2000, 3000):
        place = folder / "rollouts" / f"step_{step:06}"
        place.mkdir(parents=True)
        film(place / "pusht_0_seed_1000.mp4")
        episodes = [
            {"task": word, "seed": word, "success": True, "max_reward": 0.9, "video": "pusht_0_seed_1000.mp4"},
            {"task": word, "seed": 1001, "success": False, "max_reward": 0.1, "video": f"../../{word}.mp4"},
        ]
        values = {"env": {"type": word}, "metrics": {"eval/max_reward": 0.5}, "episodes": episodes}
        (place / "rollouts.json").write_text(json.dumps(values))
    shutil.copy(place / "pusht_0_seed_1000.mp4", place / "a 'seed' & <b>.mp4")
    joints = (made_evaluation.joint(word), made_evaluation.joint("elbow"))
    evaluation = made_evaluation.evaluation(model=word, policy=word, dataset=word, joints=joints, tasks={word: 0.02})
    found = Diagnostic("GA601", word, Severity.ERROR, f"found {word}", word, word, help=word)
    (folder / "evaluation.json").write_text(evaluation_json.dump(evaluation, Report(word, (found,)), 2000))
    return folder


def test_an_evaluation_comes_back_from_its_file_as_it_was() -> None:
    before = made_evaluation.evaluation(no_state="the dataset has no state", borders=None)
    found = Diagnostic("GA603", "ignores-cameras", Severity.WARNING, "it does", "a/b", "", help="look")
    kept = evaluation_json.parse(json.loads(evaluation_json.dump(before, Report("a", (found,)), 70)))
    assert kept is not None and kept.steps == 70
    assert kept.report.diagnostics == (found,)
    for name in before.__dataclass_fields__:
        if name != "trajectories":
            assert getattr(kept.evaluation, name) == getattr(before, name), name
    for one, other in zip(kept.evaluation.trajectories, before.trajectories, strict=True):
        assert one.episode == other.episode and one.pictures == ()
        for name in ("recorded", "predicted", "starts"):
            np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-5)


def damaged() -> list[Any]:
    document = json.loads(evaluation_json.dump(made_evaluation.evaluation(), Report("a"), 70))
    shapes: list[Any] = [
        [],
        {},
        "text",
        3,
        {**document, "version": 2},
        {**document, "fps": 0},
        {**document, "fps": None},
    ]
    shapes += [{**document, key: "</script>"} for key in document if key not in ("version", "verdict")]
    shapes += [{key: value for key, value in document.items() if key != left} for left in document]
    ragged = {**document["trajectories"][0], "predicted": [[1.0], [2.0, 3.0]]}
    return [*shapes, {**document, "trajectories": [ragged]}, {**document, "baselines": {}}]


def test_a_damaged_evaluation_is_left_out(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    for document in damaged():
        (run / "evaluation.json").write_text(json.dumps(document))
        run_report.write(run)
        assert "</script>" not in (run / "report.html").read_text()
    (run / "evaluation.json").write_text("{")
    run_report.write(run)
    assert "GA601" not in (run / "report.html").read_text()


def test_a_folder_with_hardly_anything_has_a_page(tmp_path: Path) -> None:
    run = tmp_path / "recipe" / "run"
    run.mkdir(parents=True)
    (run / "run.json").write_text('{"versions": 3, "resumed": {}, "dataset": []}')
    run_report.write(run)
    assert "No step was logged" in (run / "report.html").read_text()


def test_the_page_leads_to_the_next_commands(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a folder" / "it's a run")
    run_report.write(run)
    text = (run / "report.html").read_text()
    quoted = "&#x27;" + str(run).replace("'", "&#x27;&quot;&#x27;&quot;&#x27;") + "&#x27;"
    assert f"<pre>getiaction evaluate {quoted}</pre>" in text
    assert f"<pre>getiaction train --resume {quoted} --trainer.max_steps 6000</pre>" in text
    assert f"<pre>getiaction evaluate {quoted} --env pusht --episodes 50 --seed 5000</pre>" in text


def test_a_command_to_copy_runs_nothing_that_a_recipe_names(tmp_path: Path) -> None:
    recipe = RECIPE.replace("{type: pusht}", '{type: "pusht; touch owned"}')
    run = make_run(tmp_path / "run", recipe=recipe)
    run_report.write(run)
    assert "--env &#x27;pusht; touch owned&#x27; --episodes" in (run / "report.html").read_text()


def open_page(browser: Any, file: Path, width: int = 1200, scheme: str = "light") -> tuple[Any, list[str]]:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("request", lambda request: said.append(request.url) if request.url.startswith("http") else None)
    page.goto(file.as_uri())
    return page, said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("width", "scheme", "background"),
    [(1200, "light", "rgb(255, 255, 255)"), (1200, "dark", "rgb(17, 19, 21)"), (390, "dark", "rgb(17, 19, 21)")],
)
def test_the_page_in_a_browser(browser: Any, width: int, scheme: str, background: str, tmp_path: Path) -> None:
    run = make_run(tmp_path / "reach" / "run")
    run_report.write(run)
    page, said = open_page(browser, run / "report.html", width, scheme)
    assert said == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "nothing hangs over the edge"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == background
    header = page.inner_text("header")
    for words in (
        "3,000",
        "finished",
        "ACT reach, 1.23 M parameters",
        "made/reach",
        "H100 reach",
        "50 % (95 % interval",
    ):
        assert words in header, header
    titles = page.locator("h2").all_inner_texts()
    assert titles[:4] == ["Findings", "Success in simulation", "Rollouts", "Training"]
    assert {"On recorded episodes", "Episode 7", "Next", "Machine and versions"} <= set(titles)
    captions = page.locator("figure.chart figcaption").all_inner_texts()
    assert {"loss over steps", "learning rate", "samples per second", "reach", "elbow"} <= set(captions)
    page.wait_for_function("[...document.querySelectorAll('video')].every(v => v.videoWidth == 64)")
    assert page.locator("video").count() == 4
    assert "1,000 steps before this run's last one" in page.inner_text("body")
    page.close()


@pytest.mark.slow
def test_strangers_texts_stay_texts(browser: Any, tmp_path: Path) -> None:
    recipe = RECIPE + f"# {HOSTILE[:-5]}\n"
    run = make_run(tmp_path / "<img src=x onerror=alert(1)>" / "run", HOSTILE, recipe)
    run_report.write(run)
    page, said = open_page(browser, run / "report.html")
    page.wait_for_timeout(300)
    assert said == []
    assert page.title() == "<img src=x onerror=alert(1)> 2026-01-01 10:00"
    assert page.locator("script").count() == 0
    assert page.locator("img").count() == 0
    assert "\x1b" not in (run / "report.html").read_text()
    sources = page.evaluate("[...document.querySelectorAll('video')].map(v => v.getAttribute('src'))")
    assert len(sources) == 4 and all(source.startswith("rollouts/step_") for source in sources)
    page.close()


@pytest.mark.slow
def test_nothing_that_slips_through_runs(browser: Any, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    run_report.write(run)
    text = (run / "report.html").read_text()
    (run / "report.html").write_text(text.replace("</header>", f"</header>{HOSTILE}"))
    page, said = open_page(browser, run / "report.html")
    page.wait_for_timeout(300)
    assert page.title() != "taken over"
    assert all("Content Security Policy" in line for line in said) and said
    page.close()


@pytest.mark.slow
def test_runs_are_compared_on_one_axis(browser: Any, tmp_path: Path) -> None:
    from getiaction_cli.rendering import run_html

    folders = [make_run(tmp_path / "one"), make_run(tmp_path / "two", recipe=RECIPE.replace("3000", "4000"))]
    found = [runs.read(folder) for folder in folders]
    (tmp_path / "page.html").write_text(run_html.compared(found, runs.differences(found)))
    page, said = open_page(browser, tmp_path / "page.html", 390)
    assert said == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("section table tr").nth(1).inner_text().split() == ["trainer.max_steps", "3000", "4000"]
    assert page.locator("figure.chart").first.locator("polyline").count() == 2
    page.close()
