"""Shell completion: fixed words are in the shell scripts, candidates that depend on a recipe come from a process.

`cli_words` reads the commands and options from the Typer application, `scripts` writes a script for each shell, `index`
caches the keys of recipes, read from the source of LeRobot and Lightning, and `answer` is the process that completes an
override key, an override value or a dataset id. It imports only the standard library: it takes 25 ms, while importing
Typer would take 70.
"""
