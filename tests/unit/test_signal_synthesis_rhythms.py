"""Each simulated rhythm has the beats it says."""

import numpy as np
import pytest
from numpy.typing import NDArray

from greenchannel.signal.leads import ALL
from greenchannel.signal.synthesis import RHYTHMS, Simulated, simulate
from greenchannel.signal.synthesis_noise import LIVE_FLOOR_MV
from greenchannel.signal.synthesis_rhythm import fibrillation
from greenchannel.signal.synthesis_tables import ROW


def rows(made: Simulated) -> dict[str, NDArray[np.float64]]:
    """The noise-free samples by lead."""
    return dict(zip(made.truth.leads, made.truth.clean_mv, strict=True))


def kinds(made: Simulated) -> list[str]:
    return [beat.kind for beat in made.truth.beats]


def distances(made: Simulated) -> NDArray[np.float64]:
    return np.diff([beat.qrs_on_s for beat in made.truth.beats])


def test_sinus_rhythm_has_a_p_before_each_beat() -> None:
    """At 75/min the strip has 12 beats 0.8 s apart, each 160 ms after its P, each with a T."""
    made = simulate(duration_s=9.6)
    assert kinds(made) == ["normal"] * 12
    assert distances(made) == pytest.approx(0.8)
    for beat in made.truth.beats[1:-1]:
        assert beat.p_on_s == pytest.approx(beat.qrs_on_s - 0.16)
        assert beat.t_off_s is not None and beat.t_peak_s is not None
        assert beat.qrs_on_s < beat.r_s < beat.qrs_off_s < beat.t_peak_s < beat.t_off_s


def test_waves_end_at_their_borders() -> None:
    """Outside its borders nothing of a beat is left: the trace is flat between T and the next P."""
    made = simulate(leads=ALL, heart_rate_bpm=60)
    rate_hz = made.recording.rate_hz
    for beat, following in zip(made.truth.beats[:-1], made.truth.beats[1:], strict=True):
        assert beat.t_off_s is not None and following.p_on_s is not None
        between = made.truth.clean_mv[
            :, round(beat.t_off_s * rate_hz) + 1 : round(following.p_on_s * rate_hz)
        ]
        assert np.abs(between).max() < 1e-12
        p_off_s = following.p_off_s
        assert p_off_s is not None
        pr = made.truth.clean_mv[:, round(p_off_s * rate_hz) : round(following.qrs_on_s * rate_hz)]
        assert np.abs(pr).max() < 1e-12


def test_fibrillation_is_irregular_without_p() -> None:
    """Atrial fibrillation has no P, distances that vary by more than a tenth, and waves of 4 to 9 Hz in V1."""
    made = simulate(rhythm="atrial_fibrillation", duration_s=20, seed=2)
    assert made.truth.p_on_s == () and made.truth.beats[3].p_on_s is None
    assert distances(made).std() > 0.1 * distances(made).mean()
    waves = fibrillation(np.arange(10_000) / 500, seed=2)[ROW["V1"]]
    assert np.sqrt(np.mean(waves**2)) == pytest.approx(0.055, rel=0.25)
    peak = np.abs(np.fft.rfft(waves)).argmax() / 20
    assert 4 < peak < 9


@pytest.mark.parametrize(("rate_bpm", "ratio"), [(150, 2), (100, 3), (75, 4)])
def test_flutter_conducts_every_second_to_fourth_wave(rate_bpm: float, ratio: int) -> None:
    """The atria make 240 to 350 waves a minute, of which each `ratio`-th is conducted."""
    made = simulate(rhythm="atrial_flutter", heart_rate_bpm=rate_bpm)
    assert made.truth.flutter_bpm is not None and made.truth.ventricular_bpm is not None
    assert 240 <= made.truth.flutter_bpm <= 350
    assert made.truth.flutter_bpm / made.truth.ventricular_bpm == pytest.approx(ratio)
    assert made.truth.p_on_s == ()
    varied = simulate(rhythm="atrial_flutter", heart_rate_bpm=rate_bpm, variation=1, seed=1)
    assert np.ptp(distances(varied)) > 0.1


def test_ventricular_tachycardia_is_fast_wide_and_dissociated() -> None:
    """At 170/min all beats are ventricular, 170 ms wide, and P waves keep a slower time of their own."""
    made = simulate(rhythm="ventricular_tachycardia")
    assert set(kinds(made)) == {"ventricular"}
    assert made.truth.ventricular_bpm == pytest.approx(170)
    assert made.truth.beats[0].qrs_off_s - made.truth.beats[0].qrs_on_s == pytest.approx(0.17)
    assert 11 <= len(made.truth.p_on_s) <= 14
    assert simulate(rhythm="ventricular_tachycardia", missing_p=True).truth.p_on_s == ()
    fast = simulate(rhythm="ventricular_tachycardia", heart_rate_bpm=210)
    assert fast.truth.ventricular_bpm == pytest.approx(210)


def test_without_beats_nothing_is_claimed() -> None:
    """Ventricular fibrillation is large and without beats; asystole is flat, but not as flat as a lead that is off."""
    chaos = simulate(rhythm="ventricular_fibrillation")
    still = simulate(rhythm="asystole")
    for made in (chaos, still):
        assert made.truth.beats == () and made.truth.stj_mv == {} and made.truth.ventricular_bpm is None
    assert np.ptp(chaos.truth.clean_mv, axis=1).min() > 0.3
    assert np.abs(still.truth.clean_mv).max() == 0
    assert still.recording.samples_mv.std(axis=1) == pytest.approx(LIVE_FLOOR_MV, rel=0.2)


def test_paced_beats_follow_their_spikes() -> None:
    """A spike of 2 ms stands before each paced beat at every rate of sampling; the device tells of it if asked."""
    for rate_hz in (200.0, 500.0, 2000.0):
        made = simulate(rhythm="paced", rate_hz=rate_hz)
        assert set(kinds(made)) == {"paced"}
        for spike_s, beat in zip(made.truth.spikes_s, made.truth.beats, strict=False):
            assert beat.qrs_on_s - 0.01 < spike_s < beat.qrs_on_s
        at = round((made.truth.spikes_s[2] + 0.001) * rate_hz)
        assert rows(made)["II"][at - 1 : at + 2].max() > 0.4
        assert made.recording.pace_spikes == ()
    told = simulate(rhythm="paced", report_spikes=True)
    assert told.recording.pace_spikes == tuple(round(at * 500) for at in told.truth.spikes_s)


def test_in_second_degree_block_each_other_p_is_alone() -> None:
    """With a sinus rate of 80 the ventricles beat 40 times, and each beat has its P."""
    made = simulate(rhythm="av_block_2_1", heart_rate_bpm=80, duration_s=15)
    assert made.truth.ventricular_bpm == pytest.approx(40)
    assert np.diff(made.truth.p_on_s) == pytest.approx(0.75)
    assert all(beat.p_on_s is not None for beat in made.truth.beats[1:])


@pytest.mark.parametrize("rate_bpm", [60, 75, 90, 110])
def test_in_complete_block_atria_and_ventricles_keep_their_own_time(rate_bpm: float) -> None:
    """A regular escape of 30 to 46/min; from P to QRS any time passes."""
    made = simulate(rhythm="av_block_3", heart_rate_bpm=rate_bpm, duration_s=20)
    assert set(kinds(made)) == {"escape"}
    assert made.truth.ventricular_bpm is not None and 30 <= made.truth.ventricular_bpm <= 46
    assert np.diff(made.truth.p_on_s) == pytest.approx(60 / rate_bpm)
    p = np.array(made.truth.p_on_s)
    gaps = [beat.qrs_on_s - p[p <= beat.qrs_on_s].max() for beat in made.truth.beats[1:]]
    assert np.ptp(gaps) > 0.5 * 60 / rate_bpm


def test_ectopics_come_early_and_the_rest_keeps_time() -> None:
    """Each fifth beat is ectopic, in bigeminy each second; it has no P and the beat after it is in time."""
    made = simulate(rhythm="ectopics", duration_s=20)
    assert kinds(made).count("ectopic") == 5
    assert kinds(simulate(rhythm="bigeminy"))[:4] in (["ectopic", "normal"] * 2, ["normal", "ectopic"] * 2)
    early = next(i for i, beat in enumerate(made.truth.beats) if beat.kind == "ectopic" and i > 0)
    before, ectopic, after = made.truth.beats[early - 1 : early + 2]
    assert ectopic.qrs_on_s - before.qrs_on_s == pytest.approx(0.7 * 0.8)
    assert after.qrs_on_s - before.qrs_on_s == pytest.approx(1.6)
    assert ectopic.p_on_s is None


def test_a_sinus_pause_is_longer_than_three_seconds() -> None:
    """One distance is above 3 s, the others are as they were."""
    gaps = np.sort(distances(simulate(rhythm="sinus_pause", duration_s=12)))
    assert gaps[-1] > 3.0 and gaps[:-1] == pytest.approx(0.8)


@pytest.mark.parametrize("rhythm", RHYTHMS)
def test_every_rhythm_is_finite_at_odd_lengths(rhythm: str) -> None:
    """One sample or a minute, slow or fast: all samples are finite and the beats lie in the strip."""
    for duration_s, rate_bpm, rate_hz in ((0.002, 75, 500), (2.0, 30, 100), (30.0, 220, 250)):
        made = simulate(
            rhythm=rhythm,
            duration_s=duration_s,
            heart_rate_bpm=rate_bpm,
            rate_hz=rate_hz,
            variation=1,
            emg_mv=0.02,
        )
        assert np.isfinite(made.recording.samples_mv).all()
        assert all(0 <= b.qrs_on_s < b.qrs_off_s <= duration_s for b in made.truth.beats)
