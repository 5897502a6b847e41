"""Which group a recording belongs to, by the words of its source's own label. The first group that fits counts."""

from typing import Final

HEALTHY: Final = "healthy control"
SINUS: Final = "sinus rhythm alone"

# In this order: what alone explains a trace comes before what only colours it.
GROUPS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("pacing", ("pacemaker presence", "pacing", "paced")),
    ("acute infarction (days after)", ("acute infarction", "stemi:", "acute myocardial")),
    ("infarction, old or of unknown age", ("infarction", "scar formation", "q wave abnormal", "old myocardial")),
    ("complete bundle branch block", ("complete left bundle", "complete right bundle", "bundle branch block")),
    ("early repolarisation", ("early repolari",)),
    ("hypertrophy", ("hypertrophy", "overload", "high voltage", "cardiomyopathy")),
    ("ischaemia, ST or T changes", ("ischemi", "ischaemi", "st depression", "st segment", "t wave", "st t abnormal",
                                    "repolarization", "st-t", "st elevation", "t-wave")),
    ("fibrillation or flutter", ("atrial fibrillation", "flutter")),
    ("other arrhythmia or block", ("tachycardia", "premature", "ectop", "av block", "pacemaker", "arrhythmia",
                                   "hemiblock", "fascicular", "bradycardia", "conduction", "dysrhythmia",
                                   "axis deviation", "extrasystole", "rhythm,", "qt interval", "pr interval",
                                   "low qrs", "escape", "junctional")),
)  # fmt: skip
# Words within words that would lead to the wrong group.
_OTHERWISE: Final = {
    "incomplete right bundle": "partly delayed",
    "incomplete left bundle": "partly delayed",
    "undefined ischemia/scar/supp.nstemi": "ischemia",
}


def group_of(label: str) -> str:
    """The group of one label; ``unlabelled`` where the source says nothing, ``other`` where no word is known."""
    text = label.lower()
    if not text.strip() or text.strip() == "n/a":
        return "unlabelled"
    if "healthy control" in text:
        return HEALTHY
    parts = {part.strip() for part in text.split(";")}
    if parts <= {"sinus rhythm", "normal ecg", "sinus rhythm (finding)"}:
        return SINUS
    for words, instead in _OTHERWISE.items():
        text = text.replace(words, instead)
    for name, known in GROUPS:
        if any(word in text for word in known):
            return name
    return "other"
