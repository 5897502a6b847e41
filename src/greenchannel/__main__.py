"""`python -m greenchannel`."""

from greenchannel.cli.main import main

if __name__ == "__main__":
    main()
