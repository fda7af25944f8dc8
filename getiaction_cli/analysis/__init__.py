"""What rules share: keys, classes and values of a recipe, and how recipe, dataset and policy fit together."""
