"""The drawing library as it lies in plotly's wheel, and what it needs to live under a strict policy.

The library writes style elements, which our content security policy forbids. It leaves each of them out
where an element of its id is there already, so pages hold an empty one: the sheet for its own rules, which
it fills through the object model, and one for the maps that nobody draws here.
"""

import re
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

_STYLE_GUARD = re.compile(
    r'document\.getElementById\("([0-9a-f]{64})"\)\)\{var \w+=document\.createElement\("style"\)'
)


def library_path() -> Path:
    """The library's file: from the wheel that our figures are made with, so that the two always fit."""
    return Path(str(files("plotly"))) / "package_data" / "plotly.min.js"


@cache
def library_version() -> str:
    """What its address ends with: browsers keep the file for a year, and must ask for the next one."""
    return version("plotly")


@cache
def guarded_style_ids() -> tuple[str, ...]:
    """Ids of the style elements that the library writes unless an element of that id exists."""
    return tuple(_STYLE_GUARD.findall(library_path().read_text(encoding="utf-8")))
