"""Pictures for reports that need nothing beside them."""

import io

import matplotlib
from matplotlib.figure import Figure


def svg(figure: Figure) -> str:
    """Return the figure as an SVG element; its letters are paths, so that no font is needed."""
    drawn = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "path", "svg.hashsalt": "kap-guide"}):
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    text = drawn.getvalue()
    return text[text.index("<svg") :]
