"""`python -m ironhub` is the same as `ironhub`."""

from ironhub.app.cli import main

if __name__ == "__main__":
    main()
