"""The only package of the core that imports LeRobot.

    names.py          policies, registered by LeRobot and its plugins
    configuration.py  policy configurations
    features.py       features and statistics in LeRobot's form
    policies.py       building a policy
    weights.py        downloads of backbone weights, and whether a checkpoint contains all weights of a policy
    steps.py          checks of the steps in untrusted processors
    foreign_code.py   checks of which Python code may run
    processors.py     preprocessor and postprocessor of a policy
    acting.py         how predictions become actions
    datasets.py       statistics, transforms, time steps, decoding
    environments.py   simulated environments and rollouts
    image_transforms.py  random changes of training images
    model_card.py     the README.md of a policy
    adapters.py       adapters (PEFT) of a policy
    errors.py         LeRobot's output and exceptions

Written for lerobot 0.6. The functions are thin wrappers that call LeRobot's own code wherever possible.
"""
