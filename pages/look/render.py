"""The look of the docs site and of the report: frame.html.jinja around every page, look.css with all colours and letters.

A page's template extends the frame and says what is its own.
"""

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
