"""A training run: `run.train` is the whole of it, from top to bottom; each other file is one thing that it uses.

    run.py            one training job: claim a folder, seed, build, fit, save, summarise
    build.py          the objects that a recipe names; a ``class_path`` is looked up, never imported
    folder.py         the run folder, and finding the checkpoint to resume from
    run_recorder.py   writes recipe.yaml and run.json and prints the header, once model and data exist
    checkpoints.py    last.ckpt and best.ckpt
    interrupt.py      Ctrl-C and SIGTERM: finish the step, save, print how to resume
    reseed.py         makes the random numbers of a step a function of seed, rank and step
    metrics.py        metrics.csv
    progress.py       the progress bar, or lines where there is no terminal
    data_progress.py  progress of downloading and decoding a dataset
    screen.py         sends library output to log.txt and prints ours to stderr
    summary.py        the result of a run
    smoke.py          shrinks a recipe to two small batches
    failures.py       explains exceptions of torch and Lightning

`folder`, `screen` and this file import nothing heavy; the command line imports them before torch is loaded.
"""
