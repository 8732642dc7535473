"""Lets `python -m guide.command` do what `kap-guide` does."""

from guide.command import app

app(prog_name="kap-guide")
