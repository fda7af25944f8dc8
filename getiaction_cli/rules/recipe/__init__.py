"""GA1xx: the recipe itself. What needs neither the policy's own checks nor the dataset.

``expected`` says what may stand where; ``words`` holds the names that were once, or are elsewhere, called otherwise;
``strays`` decides what an unknown key was meant to be. The other files are one rule each.
"""
