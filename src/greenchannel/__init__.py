"""greenchannel: real-time remote ECG and imaging triage for chest-pain networks."""

import os

from greenchannel.late import gdcm_loads_late

# Recordings are measured side by side, never one by several threads: the matrices of one ECG are too small to share,
# and threads that wait for each other cost more than they bring (docs/decisions/0008-one-thread-an-ecg.md). It counts
# where numpy is not loaded yet; who loads it first decides for himself.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

gdcm_loads_late()
