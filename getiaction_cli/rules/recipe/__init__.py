"""GA1xx: the recipe itself. What needs neither the policy's own checks nor the dataset.

``expected`` lists the keys of each section; ``words`` maps old names and those of other trainers to ours;
``strays`` decides what an unknown key was meant to be. The other files are one rule each.
"""
