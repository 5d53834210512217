"""A wheel whose pure core is compiled: the same source through mypyc, some twice as fast. Only when asked for.

    TROPPLEIN_COMPILE=1 pip wheel --no-deps --no-build-isolation .

It needs mypy, setuptools and a C compiler where the wheel is built, and none of them where it runs. Without the
variable the wheel is pure Python, as the editable install always is: tests and coverage see the source.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VALUES = ("__init__", "decisions", "events", "plan", "state")
"""Modules of values only: named tuples and enums gain nothing, and stay what any tool can look into."""
BUILD = """
import sys
from mypyc.build import mypycify
from setuptools import setup
setup(name="core", ext_modules=mypycify(sys.argv.pop().split(","), opt_level="3", group_name="tropplein_core"))
"""


class CompiledCore(BuildHookInterface[Any]):
    """Puts the compiled core beside its source in the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, if asked to, and add what came of it."""
        if os.environ.get("TROPPLEIN_COMPILE") != "1" or version == "editable":
            return
        folder = Path(tempfile.mkdtemp(prefix="tropplein-core-"))
        source = Path(self.root) / "streams"
        shutil.copytree(source / "core", folder / "streams" / "core", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(source / "__init__.py", folder / "streams")
        modules = sorted(path for path in (folder / "streams" / "core").glob("*.py") if path.stem not in VALUES)
        names = ",".join(str(path.relative_to(folder)) for path in modules)
        command = [sys.executable, "-c", BUILD, "build_ext", "--inplace", names]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        shutil.rmtree(folder / "build")
        for built in sorted(folder.rglob("*.so")):
            build_data["force_include"][str(built)] = str(built.relative_to(folder))
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
