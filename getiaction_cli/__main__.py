"""`python -m getiaction_cli …` and `torchrun … -m getiaction_cli …` are the command `getiaction`."""

from getiaction_cli.main import main

if __name__ == "__main__":
    main()
