"""The `kap-guide` command."""

from guide.command.main import app

__all__ = ["app"]
