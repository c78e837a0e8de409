"""The look of the docs site and of the report: frame.html.jinja around every page, look.css with all colours and letters.

A page's template extends the frame and says what is its own.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

LOOK = Path(__file__).parent


def render(template: Path, filters: Mapping[str, Callable[..., str]] | None = None, **values: Any) -> str:
    """The page as HTML: the template with its values. Raises UndefinedError for a value that the template lacks."""
    environment = Environment(
        loader=FileSystemLoader([template.parent, LOOK]), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= filters or {}
    return environment.get_template(template.name).render(values)


def script_policy(*scripts: str) -> str:
    """What a page adds to its policy so that these scripts run and no other. Raises ValueError for one that HTML would not leave whole."""
    for code in scripts:
        # Either would end the script, or make a comment of what follows.
        if "</script" in code.lower() or "<!--" in code:
            raise ValueError("a script cannot be written into HTML: it has </script or <!--")
    digests = (base64.b64encode(hashlib.sha256(code.encode()).digest()).decode() for code in scripts)
    return "script-src " + " ".join(f"'sha256-{digest}'" for digest in digests)
