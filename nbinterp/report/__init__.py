"""Reports: parametrised notebooks that become one HTML file.

In: a template's name and parameters.  Out: a folder with ``report.ipynb``, ``report.html`` (one file, interactive with no
kernel and no network), tables, figures and a manifest.  A template is a short sequence of public calls; what they
computed is kept, so that a run that was killed goes on where it was.
"""

from .grid import Grid
from .html import to_html, write_html
from .inputs import Explained, Inputs, read_explained, read_inputs
from .page import Facts, Findings
from .parameters import (
    AnnotationsParameters,
    AttributionParameters,
    ContextParameters,
    DesignParameters,
    HitsParameters,
    MarginalizationParameters,
    MechanismsParameters,
    PatternsParameters,
    ReportParameters,
    SpacingParameters,
    SurrogateParameters,
    TemplateParameters,
    VariantsParameters,
    check_parameters,
    describe,
    list_templates,
)
from .patterns import Patterned, read_patterns
from .run import run_report
from .steps import Run

__all__ = [
    "AnnotationsParameters",
    "AttributionParameters",
    "ContextParameters",
    "DesignParameters",
    "Explained",
    "Facts",
    "Findings",
    "Grid",
    "HitsParameters",
    "Inputs",
    "MarginalizationParameters",
    "MechanismsParameters",
    "Patterned",
    "PatternsParameters",
    "ReportParameters",
    "Run",
    "SpacingParameters",
    "SurrogateParameters",
    "TemplateParameters",
    "VariantsParameters",
    "check_parameters",
    "describe",
    "list_templates",
    "read_explained",
    "read_inputs",
    "read_patterns",
    "run_report",
    "to_html",
    "write_html",
]
