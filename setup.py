"""Build hook: compiles the wire layer and the way of an MQTT message with mypyc, or says why it does not.

Everything else about the package stands in pyproject.toml. IRONHUB_PURE=1 leaves everything as ordinary Python.
"""

import os
import shlex
import shutil
import sys
import sysconfig
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

COMPILED_PACKAGES = ("src/ironhub/wire/mqtt", "src/ironhub/wire/amqp")
"""Ordinary typed Python without imports from elsewhere; `__init__.py` stays as it is, so that it can look."""
COMPILED_MODULES = (
    *(f"src/ironhub/wire/tls/{name}.py" for name in ("records", "engine", "openssl", "stdlib")),
    *(f"src/ironhub/heads/{name}.py" for name in ("connection", "work")),
    *(f"src/ironhub/heads/mqtt/{name}.py" for name in ("conversation", "device", "services")),
    "src/ironhub/messaging/telemetry/service.py",
)
"""What every TLS record passes (OpenSSL's bindings have no types, and are called as before), and every MQTT message."""


def sources() -> list[str]:
    """The files to compile."""
    found = (path for package in COMPILED_PACKAGES for path in Path(package).glob("*.py"))
    return sorted(str(path) for path in found if path.name != "__init__.py") + list(COMPILED_MODULES)


def report(reason: str) -> None:
    """Tell whoever installs that the slower form is used, and why."""
    sys.stderr.write(f"ironhub: the wire layer and the hot path stay pure Python: {reason}\n")


def why_pure() -> str:
    """Why not to compile; empty: nothing speaks against it."""
    if os.environ.get("IRONHUB_PURE", "") not in ("", "0"):
        return "IRONHUB_PURE is set"
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")[0]
    return "" if shutil.which(compiler) else f"there is no C compiler ({compiler})"


def extensions() -> list[Extension]:
    """The compiled modules, or none; only a command that builds pays for the translation to C."""
    if not any(command in sys.argv for command in ("bdist_wheel", "build", "build_ext", "editable_wheel", "install")):
        return []
    reason = why_pure()
    if not reason:
        try:
            from mypyc.build import mypycify

            made: list[Extension] = mypycify(sources(), opt_level="3", debug_level="0", group_name="ironhub_wire")
            return made
        except ImportError:
            reason = "mypyc is not installed"
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a translator trips over, the package installs
            reason = f"mypyc failed: {error}"
    report(reason)
    return []


class OptionalBuild(build_ext):
    """Compiles all or nothing: half a compiled package would not load."""

    def run(self) -> None:
        """Build the extensions; a compiler that fails leaves the Python files to do the work."""
        try:
            super().run()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - see above
            report(f"the C compiler failed: {error}")
            self.discard()

    def discard(self) -> None:
        """Remove what was compiled before the failure, and promise none of it."""
        for extension in self.extensions:
            Path(self.get_ext_fullpath(extension.name)).unlink(missing_ok=True)
        self.extensions = []


setup(ext_modules=extensions(), cmdclass={"build_ext": OptionalBuild})
