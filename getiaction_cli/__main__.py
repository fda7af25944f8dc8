"""Entry point of `python -m getiaction_cli …` and `torchrun … -m getiaction_cli …`."""

from getiaction_cli.main import main

if __name__ == "__main__":
    main()
