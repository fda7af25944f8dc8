"""`python -m getiaction …` is the command `getiaction`."""

from getiaction_cli.main import main

if __name__ == "__main__":
    main()
