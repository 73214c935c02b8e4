"""``nbinterp``: reports, attributions, seqlets, motifs and marginalizations from a shell.

In: words.  Out: files, and an exit code: 0 when all went well, 2 with one line on standard error when something was wrong
with what was asked.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from .. import __version__
from ..core.native import about_native
from ..errors import NbinterpError, NbinterpWarning
from .annotate import add_annotate
from .fimo import add_fimo
from .hits import add_hits
from .late import load_late
from .mechanisms import add_mechanisms
from .mutagenize import add_mutagenize
from .surrogate import add_surrogate
from .tomtom import add_tomtom

__all__ = ["main"]


def main(words: Sequence[str] | None = None) -> int:
    """Run the command; give its exit code."""
    words = sys.argv[1:] if words is None else words
    load_late("torch")
    for folder in ("sequence", "motif"):  # whose signatures speak of torch
        load_late(f"nbinterp.{folder}", parts=True)
    options = _parser(words).parse_args(words)
    with warnings.catch_warnings():
        warnings.simplefilter("always", NbinterpWarning)
        warnings.showwarning = _say
        try:
            options.do(options)
        except NbinterpError as error:
            print(f"nbinterp: {error}", file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            print("nbinterp: interrupted; finished steps are kept", file=sys.stderr)
            return 130
        except BrokenPipeError:  # whoever read our output, head for one, has had enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 141
    return 0


def _say(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Put a warning in one line."""
    print(f"nbinterp: warning: {message}", file=sys.stderr)


def _parser(words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """What can be said; of the groups of commands that need nothing else, the one that is."""
    parser = argparse.ArgumentParser(
        prog="nbinterp", description="Ask a trained model of the genome what it has learned."
    )
    parser.add_argument("--version", action="version", version=f"nbinterp {__version__}, {about_native()}")
    verbs = parser.add_subparsers(required=True, metavar="COMMAND")
    groups = {
        "fimo": add_fimo, "tomtom": add_tomtom, "annotate": add_annotate, "hits": add_hits,
        "mutagenize": add_mutagenize, "mechanisms": add_mechanisms, "surrogate": add_surrogate,
    }  # fmt: skip
    if words and words[0] in groups:
        groups[words[0]](verbs)
        return parser

    report = verbs.add_parser(
        "report", help="run a report", description="Run a report and write one offline HTML file."
    )
    reports = report.add_subparsers(required=True, metavar="REPORT")
    reports.add_parser("list", help="list the reports").set_defaults(do=_list_reports)
    one = reports.add_parser("help", help="list the parameters of a report")
    one.add_argument("name")
    one.set_defaults(do=_help_report)
    _add_reports(reports)
    # a report's name alone runs it, too, but for those that are commands themselves
    _add_reports(verbs, but=("hits", "mechanisms", "surrogate"))

    for name, about, call in (
        ("attribute", "attribute loci, in the three-file form that modisco and Fi-NeMo read", _attribute),
        ("seqlets", "call seqlets on attributions and write a BED file", _seqlets),
        ("marginalize", "run the marginalization report from a parameter file of Cherimoya's form", _marginalize),
    ):
        verb = verbs.add_parser(name, help=about, description=about.capitalize() + ".")
        verb.add_argument("-p", "--parameters", required=True, type=Path, metavar="FILE.json", help="parameter file")
        verb.set_defaults(do=call)
    for add in groups.values():
        add(verbs)
    export = verbs.add_parser("export", help="write an executed notebook as one offline HTML file")
    export.add_argument("notebook", type=Path)
    export.add_argument("-o", "--out", type=Path, help="the page; beside the notebook by default")
    export.set_defaults(do=_export)
    return parser


def _add_reports(reports: Any, but: tuple[str, ...] = ()) -> None:
    """A subcommand for each template, with an option for each of its parameters."""
    from ..report.parameters import describe, list_templates

    for name, about in list_templates().items():
        if name in but:
            continue
        verb = reports.add_parser(
            name, help=about, description=about.capitalize() + ".",
            epilog=f"example: nbinterp {name} --demo -o out/",
        )  # fmt: skip
        verb.add_argument("-o", "--out", type=Path, required=True, help="the report's folder")
        verb.add_argument(
            "-p",
            "--parameters",
            type=Path,
            metavar="FILE.json",
            help="parameters by name; what is said here goes before",
        )
        for word, kind, default, meaning in describe(name):
            flag = f"--{word.replace('_', '-')}"
            if kind == "bool":
                action = argparse.BooleanOptionalAction if default else "store_true"
                verb.add_argument(flag, dest=word, action=action, default=argparse.SUPPRESS, help=meaning)
            else:
                text = f"{meaning} (default {default!r})" if default != "" else meaning
                verb.add_argument(
                    flag, dest=word, default=argparse.SUPPRESS, metavar=kind.upper(), help=text.replace("%", "%%")
                )
        verb.set_defaults(do=_report, report=name)


def _list_reports(options: Any) -> None:
    from ..report import list_templates

    for name, about in list_templates().items():
        print(f"{name:<14} {about}")


def _help_report(options: Any) -> None:
    from ..report import describe

    for word, kind, default, about in describe(options.name):
        print(f"{word:<20} {kind:<6} {default!r:<18} {about}")


def _report(options: Any) -> None:
    from ..report import run_report

    values = {k: v for k, v in vars(options).items() if k not in ("do", "report", "out", "parameters")}
    if options.parameters is not None:
        from .files import read_json

        values = {**read_json(f"report {options.report}", options.parameters), **values}
    page = run_report(options.report, values, options.out, progress=sys.stderr.isatty())
    print(f"report: {page.resolve()}")


def _attribute(options: Any) -> None:
    from .files import attribute_from_file

    for path in attribute_from_file(options.parameters):
        print(path)


def _seqlets(options: Any) -> None:
    from .files import seqlets_from_file

    print(seqlets_from_file(options.parameters))


def _marginalize(options: Any) -> None:
    from .files import marginalize_from_file

    print(f"report: {marginalize_from_file(options.parameters).resolve()}")


def _export(options: Any) -> None:
    from ..report import write_html

    print(write_html(options.notebook, options.out or options.notebook.with_suffix(".html")))
