"""Shell completion: words that never change are in the shell scripts, what depends on a recipe is answered by a
light process.

`words` reads the commands and options from the Typer application, `scripts` writes them into one script a shell,
`index` keeps what LeRobot's and Lightning's source say of the keys of a recipe, and `answer` is the process behind a
TAB on an override key, an override value or a dataset id. It imports the standard library alone: 25 ms a TAB, where
importing Typer would cost 70.
"""
