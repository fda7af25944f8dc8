"""What a trained policy has learned, measured on recorded episodes.

    source.py       what RUN names: a run folder, a checkpoint, a pretrained_model folder or a Hub id
    open_loop.py    the policy's predictions at the moments at which a robot would let it predict
    baselines.py    what can be predicted without learning: holding still, the mean action, carrying on
    measures.py     errors per joint, step, episode and task; actions outside the recorded range; jumps between chunks
    probes.py       the error with other pictures or another state; how long a prediction takes
    result.py       all of it as plain values; knows no torch
    run.py          reads aloud as what an evaluation does

Thresholds and verdicts are not here: they are rules of the command line (GA6xx), which read `result.Evaluation`.

What was tried and left out (2026-11-27):
Errors are shares of each joint's range, averaged over joints: an average in the dataset's units adds degrees to metres.
"""
