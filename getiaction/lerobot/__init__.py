"""The only package of the core that imports LeRobot.

    names.py          policies, registered by LeRobot and its plugins
    configuration.py  policy configurations
    features.py       features and statistics in LeRobot's form
    policies.py       building a policy
    weights.py        backbones that are fetched, and whether a checkpoint fills a policy
    steps.py          the steps that a stranger's processors may be made of
    foreign_code.py   whose Python code may run
    processors.py     the steps before and after a policy
    acting.py         how a policy gives one action after another
    datasets.py       statistics, transforms, time steps, decoding
    environments.py   simulated environments and rollouts
    errors.py         LeRobot's output and exceptions

Written for lerobot 0.6. The functions are thin: where LeRobot's own code can do a thing, it does it.
"""
