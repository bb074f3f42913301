"""What all commands of this folder share: help from the docstring, errors of one sentence."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from degnext._common.errors import InputError


def parser(doc: str) -> argparse.ArgumentParser:
    """Return a parser that shows a module's docstring as its help."""
    return argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def call(main: Callable[[], None]) -> None:
    """Run a command's ``main``; an :class:`InputError` ends it with its sentence."""
    try:
        main()
    except InputError as error:
        raise SystemExit(str(error)) from None


def command_line(module: str) -> str:
    """Return the command as it was typed, without the paths of this machine."""
    return " ".join(["python", "-m", module, *sys.argv[1:]])
