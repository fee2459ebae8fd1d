"""What several commands take: parameters ``-p NAME VALUE``, switches that readers look at."""

import os
from typing import Annotated

import typer

from msalib.base.errors import UserError

Parameter = Annotated[
    list[str] | None,
    typer.Option("-p", metavar="NAME VALUE", help="A parameter of the notebooks; repeatable."),
]

Clean = Annotated[
    bool, typer.Option("--clean", help="Replace NaN and infinite feature values by zero.")
]

AcceptCut = Annotated[
    bool,
    typer.Option("--accept-cut", help="Take sound and videos that are cut short as they are."),
]

Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]


def set_accept_cut(accept: bool) -> None:
    """Set MSALIB_ACCEPT_CUT, which decoders look at and a notebook's own process inherits."""
    if accept:
        os.environ["MSALIB_ACCEPT_CUT"] = "1"


def set_clean(clean: bool) -> None:
    """Set MSALIB_CLEAN, which readers look at and a notebook's own process inherits."""
    if clean:
        os.environ["MSALIB_CLEAN"] = "1"


def values(parameters: list[str] | None, option: str = "-p") -> dict[str, str]:
    """Return items ``name=value``, as ``fold`` makes them, by name."""
    given = {}
    for item in parameters or []:
        name, separator, value = item.partition("=")
        if not separator:
            form = {"-p": "-p NAME VALUE"}.get(option, f"{option} NAME=VALUE")
            raise UserError(
                f"{option} {item}", found="no value", expected=form, remedy="Give both."
            )
        if name in given:
            raise UserError(
                f"{option} {name}", found="two values", expected="one", remedy="Leave one out."
            )
        given[name] = value
    return given


def fold(arguments: list[str]) -> list[str]:
    """Fold ``-p name value`` to ``-p name=value``, since an option of typer takes one value."""
    folded, rest = [], list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "-p" and len(rest) >= 2 and "=" not in rest[0] and rest[1] != "-p":
            folded += [word, f"{rest.pop(0)}={rest.pop(0)}"]
        else:
            folded.append(word)
    return folded
