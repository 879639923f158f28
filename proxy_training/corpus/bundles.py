"""Takes JavaScript bundles apart into the source files that they were made of.

A bundler writes hundreds of source files into one, each wrapped in a function. Such a file can be
most of the web text of a machine: as one document it cannot be split, and cut at arbitrary places it
would stand in training and held-out text at once. Its modules are documents of their own.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

# `name=wrap((exports,module)=>{` of esbuild, and `"src/plots/ticks.js"(exports,module){` of rspack.
_MODULE = re.compile(r'(?:"[\w@./-]+\.js"\(\w*(?:,\w+)*\)|\b\w+=\w{1,3}\(\(\w*(?:,\w+)*\)=>)\{')


def modules(text: str, /) -> Iterator[tuple[str, str]]:
    """Cut a bundle at the start of every module; a file without modules is one document.

    Yields:
        What to add to the origin (`#3` for the third module), and the text.
    """
    starts = [0, *(match.start() for match in _MODULE.finditer(text)), len(text)]
    for number, (start, end) in enumerate(pairwise(starts)):
        if end > start:
            yield f"#{number}", text[start:end]
