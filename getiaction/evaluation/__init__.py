"""Measure a trained policy on recorded episodes.

    source.py       find the policy that RUN names: a run folder, a checkpoint, a pretrained_model folder or a Hub id
    open_loop.py    predictions at the moments at which the policy would predict on a robot
    baselines.py    predictions without learning: holding still, the mean action, continuing the last movement
    measures.py     errors per joint, step, episode and task; actions outside the recorded range; jumps between chunks
    probes.py       the error with other images or another state; the duration of a prediction
    result.py       the result as plain values, without torch
    rollouts.py     success rates in simulation
    run.py          the steps of an evaluation, in order

Thresholds are in the rules of the command line (GA6xx), which read `result.Evaluation`. Errors are shares of each
joint's range, averaged over joints, because an average in the dataset's units would add degrees to metres.
"""
