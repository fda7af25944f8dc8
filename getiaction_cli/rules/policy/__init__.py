"""GA2xx: the policy and its parameters, for any dataset.

GA20x what LeRobot's own configuration refuses or rewrites · GA21x what it accepts and the model can't be built or
trained with · GA22x parameters that contradict each other at inference or in time · GA23x weights, fine-tuning and
what can be trained at all · GA24x learning rate, normalization, precision.
"""
