"""Typer as this command line uses it: an option that takes one value is given once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand


class SingleOptionsCommand(TyperCommand):
    """Refuses an option that is given twice and keeps one value: without this the last one would replace the
    others, and nothing would say so."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        _, _, given = self.make_parser(ctx).parse_args(args=list(args))
        for option, count in Counter(given).items():
            if count > 1 and option.param_type_name == "option" and not _keeps_all(option):
                name = max(option.opts, key=len)
                ctx.fail(
                    f"{name} is given {count} times, and one value is kept. Give it once; "
                    "where it takes several values, separate them by commas"
                )
        return super().parse_args(ctx, args)


def _keeps_all(option: Any) -> bool:
    """Whether nothing is lost when `option` is given again: its values are collected, or it is a flag."""
    return bool(option.multiple or option.is_flag or option.count)


class Commands(typer.Typer):
    """Its commands are SingleOptionsCommand."""

    def command(self, *given: Any, **options: Any) -> Callable[[Any], Any]:
        return super().command(*given, **{"cls": SingleOptionsCommand} | options)
