"""Evidence out: what every check, test, monitor and comparison returns, shown how, left behind how."""

from workbench.evidence.answer import Evidence, Verdict, judged, label, light, summary, worst, worst_first
from workbench.evidence.leaving import LEFT_BEHIND, digest_file, digest_folder, leave, touch, touched
from workbench.evidence.picture import Picture
from workbench.evidence.sight import Sight
from workbench.words import number

__all__ = [
    "LEFT_BEHIND",
    "Evidence",
    "Picture",
    "Sight",
    "Verdict",
    "digest_file",
    "digest_folder",
    "judged",
    "label",
    "leave",
    "light",
    "number",
    "summary",
    "touch",
    "touched",
    "worst",
    "worst_first",
]
