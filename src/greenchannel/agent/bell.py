"""The sound of advice: two tones, made here, so that no file of anybody's is needed."""

import io
import math
import struct
import wave
from functools import cache
from typing import Final

RATE_HZ: Final = 16000
_TONES: Final = ((880.0, 0.35), (0.0, 0.08), (1174.7, 0.55))  # Hz and seconds


@cache
def bell_wav() -> bytes:
    """A WAV file of about a second."""
    samples: list[int] = []
    for pitch_hz, lasts_s in _TONES:
        count = int(lasts_s * RATE_HZ)
        for index in range(count):
            fade = min(1.0, index / 200, (count - index) / 2000)
            samples.append(int(24000 * fade * math.sin(2 * math.pi * pitch_hz * index / RATE_HZ)))
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return out.getvalue()
