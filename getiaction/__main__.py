"""Run the command line with `python -m getiaction`."""

from getiaction_cli.main import main

if __name__ == "__main__":
    main()
