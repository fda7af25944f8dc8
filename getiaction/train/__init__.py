"""What a training run is: `run.train` reads aloud what happens; the rest is one file per thing it uses.

    run.py          the story: seed, build, fit, save, sum up
    build.py        the objects a recipe names; a ``class_path`` is a name to look up, never an import
    folder.py       the run folder, and finding the checkpoint to resume from
    checkpoints.py  last.ckpt and best.ckpt
    interrupt.py    Ctrl-C and SIGTERM: finish the step, save, say how to go on
    repeat.py       the random numbers of a step are a function of seed, rank and step
    metrics.py      metrics.csv
    progress.py     the bar (or the lines) that a user watches
    screen.py       where talk goes, and where the libraries' talk goes instead
    failures.py     what torch and Lightning raise, in the user's words
    upstream.py     every ``import lerobot`` of the core

`folder`, `screen` and this file import nothing heavy; the command line asks them before torch is loaded.
"""
