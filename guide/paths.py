"""Where the parts of a checkout lie."""

import os
from pathlib import Path

ROOT = Path(os.environ.get("KAP_GUIDE_HOME") or Path(__file__).resolve().parent.parent)
DATA = ROOT / "data"
FAQ = DATA / "faq"
CONTENT = ROOT / "content"
ENCODER = ROOT / "build" / "encoder"
MODEL = ROOT / "models" / "kap-guide.tar.gz"
