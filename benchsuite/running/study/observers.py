"""Calls the observers among the plugins; one that fails is named, and the others are called all the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pluggy


class Observers:
    """Calls observer hooks one plugin at a time; `warn` is called for those that fail."""

    def __init__(self, manager: pluggy.PluginManager, warn: Callable[[str], None]) -> None:
        self._manager, self._warn = manager, warn

    def tell(self, hook: str, **facts: Any) -> None:
        """Call `hook` of every plugin that has it."""
        caller = getattr(self._manager.hook, hook)
        listening = [implementation.plugin for implementation in caller.get_hookimpls()]
        for plugin in listening:
            others = [other for other in listening if other is not plugin]
            try:
                self._manager.subset_hook_caller(hook, others)(**facts)
            except Exception as error:  # a plugin may fail in any way
                name = self._manager.get_name(plugin)
                self._warn(f"plugin {name} failed in {hook}: {type(error).__name__}: {error}")
