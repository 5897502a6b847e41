"""The numbers of the chain, each with its source; those of one subject alone stand at the head of its module.

Marks: [S] checked against a published text, [K] as known in the field, [E] our estimate, tuned on
even-handed development records (LUDB below number 100), [O] of a standard organisation.
Rule names are those of the clinical specification.
"""

from typing import Final

# --- The grid and what is measurable at all -----------------------------------------------------
ANALYSIS_RATE_HZ: Final = 500.0  # MEAS-1: median beats live at 500 Hz [S]
MIN_RATE_HZ: Final = 100.0  # below it a QRS is a handful of samples [E]
ST_MIN_RATE_HZ: Final = 240.0  # SIG-1 asks for 500/s; below 240/s the J point is not resolved [E]
MONITOR_HIGH_CUT_HZ: Final = 40.0  # at or below it J is smeared: never measure on a 40 Hz trace (SIG-3) [S]
ZERO_PHASE_LOW_CUT_HZ: Final = 0.67  # no diagnostic device cuts away more (SIG-1, Kligfield 2007) [S]
DIAGNOSTIC_HIGH_CUT_HZ: Final = 100.0  # a device that keeps so much records for diagnosis [E]
MONITOR_LOW_CUT_HZ: Final = 0.3
"""From here on a low cut is that of a monitor, but for a zero-phase one (SIG-1).  [E]

A causal first-order cut at 0.25 Hz moves ST by less than 0.1 mV after a QRS of 1 mV × 60 ms, one at 0.5 Hz by 0.17 mV
(SIG-2), so what diagnostic devices offer below (0.05, 0.16, 0.25 Hz) stays. Files do not say whether a filter was
zero-phase. Common carts write 0.56–150 Hz, so a low cut up to `ZERO_PHASE_LOW_CUT_HZ` beside the high cut of a
diagnostic device is taken for zero-phase: else no infarction recorded on them would ring.
"""
MIN_DURATION_S: Final = 2.5  # two beats at 60/min and their surroundings [E]
SHORT_GAP_S: Final = 0.010  # a gap no longer than this is bridged and measured [E]
OFFSET_STRIDE: Final = 64  # every so many samples make the mean that is taken off first [E]
MAX_BODY_MV: Final = 1000.0  # no electrode on a body gives a volt: such a sample is missing [E]

# --- QRS detection ------------------------------------------------------------------------------
QRS_SMOOTH_S: Final = 0.10  # window of the energy [K Pan, Tompkins 1985]
REFRACTORY_S: Final = 0.20  # [K Pan, Tompkins 1985]
EDGE_S: Final = 0.04  # a beat nearer to the end of the strip is cut off [E]
T_WAVE_S: Final = 0.36  # a weaker bump this soon after a QRS is its T wave [K Pan, Tompkins 1985]
T_WAVE_FRACTION: Final = 0.45  # "weaker" [E]
EARLY_BEAT_S: Final = 0.28  # but from here on a broad beat, if it has a T wave of its own … [E]
T_OF_EARLY_S: Final = (0.16, 0.36)  # … so far behind it … [E]
T_OF_EARLY: Final = 0.13  # … of so much of the energy of the beat before [E]
QRS_FRACTION: Final = 0.30  # of the local level of QRS energy (root) [E]
SEARCH_BACK_FRACTION: Final = 0.15  # the second look in a long pause [E]
SEARCH_BACK_RR: Final = 1.66  # a pause of this many median RR is looked at again [K Pan, Tompkins 1985]
LEVEL_BLOCK_S: Final = 2.0  # one block of the local level [E]
MIN_QRS_MV: Final = 0.03  # band amplitude below which no lead can vote for a beat [E]

# --- What is no beat ----------------------------------------------------------------------------
# Chosen on simulated paced, ectopic and slow rhythms of even seeds and on LUDB below 100.
BROAD_STEEPNESS: Final = (
    0.95  # root mean square speed over size: paced 0.7, left bundle 0.85 at most, narrow 1.1 [E]
)
T_OF_BROAD_S: Final = 0.50  # T peaks no later behind a broad QRS [E]
T_WEAKER: Final = 0.85  # of the steepness of its beat: T has no more [E]
T_ENERGY: Final = 1.08  # of its energy [E]
TALL_T_WEAKER: Final = 0.6  # of the energy of a narrow beat: a tall T wave has no more [E]
T_WEAKER_PACED: Final = 1.15  # where its beat has a pacing spike and it has none [E]
T_NO_LARGER: Final = 1.05  # times the size of its beat [E]
T_SMOOTHER: Final = 1.9  # energy over size, against its beat: a narrow beat behind a broad one has more [E]
T_STEADY_S: Final = 0.025  # all T waves stand this near to the middle distance from their beats [E]
T_TIMES: Final = 3  # so often at least [E]
T_UNLIKE: Final = 0.93  # correlation with its beat; electrical alternans has more [E]
T_ALIKE: Final = 0.80  # and with the other T waves, where no beat stands before it [E]
SILENT_BEAT: Final = 0.02  # of the size of the QRS: where less moves, nothing was left of what was found [E]
RARE_BEAT_TIMES: Final = 8.0  # of two things that were found the smaller is no beat [E]

# --- Beat classes -------------------------------------------------------------------------------
CLASS_CORRELATION: Final = 0.85  # same class at this correlation of the QRS [E]
CLASS_ENERGY_RATIO: Final = 2.5  # and no further apart in size than this [E]
MAX_CLASSES: Final = 6
MIN_MEDIAN_BEATS: Final = 3  # MEAS-1 [S]

# --- Delineation --------------------------------------------------------------------------------
BASELINE_FROM_S: Final = 0.020  # MEAS-2: B = mean over QRSon − 20 … QRSon − 4 ms [E]
BASELINE_TO_S: Final = 0.004
MIN_WAVE_MV: Final = 0.03  # SIG-4: a wave is ≥30 µV … [S]
MIN_WAVE_S: Final = 0.006  # … for ≥6 ms [S]
ONSET_SLOPE_FRACTION: Final = 0.04  # of the lead's steepest slope [E]
OFFSET_SLOPE_FRACTION: Final = 0.05  # [E]
MIN_SLOPE_MV_S: Final = 1.5  # below it nothing is called a QRS slope [E]
NOISE_SLOPES: Final = 4.5  # times the slope noise of the lead [E]
QUIET_ON_S: Final = 0.016  # a QRS starts after this much quiet [E]
QUIET_OFF_S: Final = 0.024  # and ends before this much: the foot of a broad S is quiet for less [E]
OFFSET_MAX_SLOPE_MV_S: Final = 3.0  # however tall the QRS, an offset this little later is quieter still [E]
OFFSET_SECOND_LOOK_S: Final = 0.020  # "this little" [E]
LATE_OFFSET_S: Final = 0.15  # a lead's QRS longer than this may be ST taken along: look for steady slope [E]
STEADY_MAX_SLOPE_MV_S: Final = 15.0  # ST climbs no faster than this [E]
STEADY_FRACTION: Final = 0.2  # nor than this share of the steepest slope [E]
MAX_QRS_S: Final = 0.28  # what is longer was a T wave taken along: the borders are unknown [E]
FAINT_QRS: Final = 4.0  # steepest slope over the floor: below it a lead has no QRS borders [E]
BUSY_FLOOR: Final = 0.1  # of the steepest slope, where no lead has a quiet stretch [E]
CLEAR_QRS: Final = 8.0  # from here a lead votes on the global borders [E]
LEAD_SUPPORT: Final = 3  # a border counts where as many leads … [E]
LEAD_SUPPORT_S: Final = 0.010  # … lie this close; lonely earlier or later ones are outliers [E]
QT_MIN_T_MV: Final = 0.10  # a T wave worth a vote on QT [E]

# --- Baseline and median beat ---------------------------------------------------------------------
KNOT_SPEED: Final = 0.06  # of the steepest: below it, the PR segment in a mean QRS [E]
HUBER_BOUND: Final = 2.0  # times the mean distance of a lead's beats from their middle [K Huber 1964: 1.5 SD]
MOST_MEDIAN_BEATS: Final = 64  # of a long recording [E]

# --- Mains (SIG-3) ------------------------------------------------------------------------------
MAINS_HZ: Final = (50.0, 60.0)
MAINS_MIN_MV: Final = 0.002  # weaker mains (RMS over leads) is left alone [E]
MAINS_COHERENCE: Final = 0.5  # share of its power that goes on from piece to piece; noise has none [E]
MAINS_OFFSET_HZ: Final = 0.5  # a grid is no further off than this [K]
MAINS_FEW: Final = 0.3  # fewer of its pieces between the QRS: those that touch one a little count too [E]
MAINS_QUIET: Final = 0.7  # so much of a piece then lies outside the QRS [E]
MAINS_PAIRS: Final = 4  # pairs of pieces that tell how phase moves on [E]
MAINS_LAGS: Final = 5  # such pairs may stand so many pieces apart [E]
MAINS_WINDOW_S: Final = 1.2  # amplitude and phase may drift at this pace [E]

# --- Quality (SIG-5) ----------------------------------------------------------------------------
HF_NOISE_MV: Final = 0.050  # RMS above 40 Hz between T and Q [E]
WANDER_PP_MV: Final = 0.5  # named from here [E]
WANDER_BAD_PP_MV: Final = 4.0  # whatever is left of it, nobody knows what moved so far [E]
WANDER_DOUBT_PP_MV: Final = 1.0  # from here on what the spline leaves of it decides [E]
WANDER_ERROR_MV: Final = 0.05  # standard error of ST in the median beat: beyond it no lead is read [E]
ST_OF_BEAT: Final = (0.3, 0.55)  # of the way from QRS to the end of T: there ST is looked at for it [E]
WANDER_WINDOW_S: Final = 10.0  # [E]
BEAT_CORRELATION: Final = 0.9  # of a beat with the median [E]
BEAT_RESIDUAL_MV: Final = 0.05  # and a small wave in ordinary noise is not unstable [E]
EINTHOVEN_RMS_MV: Final = 0.020  # [E]
COPY_SHARE: Final = 1e-5  # of its power a lead differs from its copy by less; real neighbours by 4e-5 [E]
COPY_MIN_MV: Final = 0.001  # moves (RMS, 20 ms) below which a lead shows nothing to be copied [E]
BASELINE_DISAGREE_MV: Final = 0.05  # MEAS-2 [E]
MAX_BAD_LEADS: Final = 2  # [E]
TERRITORIES: Final = (
    # A territory can be read while two of its recorded leads can be (no contiguous pair otherwise) [E].
    ("anterior", "前壁", ("V1", "V2", "V3", "V4")),
    ("lateral", "侧壁", ("I", "aVL", "V5", "V6")),
    ("inferior", "下壁", ("II", "III", "aVF")),
    ("posterior", "后壁", ("V7", "V8", "V9")),
    ("right ventricular", "右心室", ("V3R", "V4R", "V5R")),
)

# --- ST at J ---------------------------------------------------------------------------------------
ST_LINE_FROM_S: Final = 0.012  # STJ is the line through ST from here behind J … [E]
ST_BEHIND_J_S: Final = (
    0.003  # STJ is that line's value half way to the QRS offset, but no further behind J [E]
)
ST_LINE_S: Final = 0.032  # … over so long, at J itself [E]

# --- Waves of the QRS -----------------------------------------------------------------------------
QRS_TAIL_S: Final = 0.008  # before J that belong to no wave [E]
NOTCH_MV: Final = 0.1  # Jp of early repolarisation [S Macfarlane 2015]
NOTCH_RISE_MV: Final = 0.02  # a smaller rise is noise [E]
NOTCH_FALL_MV: Final = 0.05  # what does not come down again is the ST that follows [E]
NOTCH_STEP_MV: Final = 0.002  # a sample higher by so much than the one before rises [E]
NOTCH_BEYOND_J_S: Final = 0.02  # a notch peaks no later behind J [E]
SLUR_SLOWS: Final = 0.35  # of the steepest descent [E]
SLUR_S: Final = 0.01  # for so long [K Macfarlane 2015]

# --- Global borders -------------------------------------------------------------------------------
CLEAR_QRS_MV: Final = 0.15  # peak to peak: from here a lead votes on the global borders [E]
QRS_CORE: Final = 0.35  # of its steepest slope: the inner part of a QRS [E]
ONSET_LATER_S: Final = 0.014  # the QRS onset by slopes lies no further behind the learned one [E]
ONSET_EARLIER_S: Final = 0.06  # nor so much before it [E]
OFFSET_APART_S: Final = 0.03  # borders by slopes and learned ones further apart: the slopes are right [E]
OFFSET_LATER_S: Final = 0.012  # J by slopes lies no further behind the learned one [E]
OFFSET_EARLIER_S: Final = 0.014  # nor J so much before it [E]
J_EARLIER_S: Final = 0.028  # the J of ST lies no further before the learned one … [E]
J_LATER_S: Final = 0.032  # … nor behind it [E]
J_LEVEL_FROM_S: Final = 0.016  # behind the learned J the slope of ST is taken from here … [E]
J_LEVEL_TO_S: Final = 0.048  # … to here [E]
J_STEEPNESS: Final = 0.04  # of a lead's steepest slope: the QRS has passed into ST [E]
J_NOISE: Final = 3.0  # or this much of the rest's own noise, where that is more [E]
J_SURE: Final = 3.0  # times that limit: certainly QRS [E]
QRS_BEYOND_J_S: Final = 0.012  # the QRS that readers see ends no more than this behind that J [E]
MIN_BORDERS_S: Final = 0.02  # no QRS is shorter [E]
T_LEVEL_FROM_S: Final = 0.010  # behind the end of T the level that its tangent meets is taken from here …
T_LEVEL_TO_S: Final = 0.050  # … to here [E]

# --- Borders in fast rhythms ----------------------------------------------------------------------
# Chosen on simulated bundle branch block, tachycardia and infarction, and on real beats strung together at 130 to
# 180/min (LUDB below 100, half of the persons of PTB and CinC).
BUSY_RR_S: Final = 0.50  # shorter ones leave no quiet stretch between T, P and QRS [E]
LEVEL_RR_S: Final = 0.31  # below it (195/min) T of the beat before lies where the level should be [E]
BEND_S: Final = 0.024  # the slope's change is taken over so long … [E]
BEND_SMOOTH_S: Final = 0.010  # … and its square is smoothed over this [E]
BUSY_PEAK_S: Final = 0.08  # the steepest change of a QRS lies so near to R [E]
BUSY_CORE: Final = 0.35  # of the largest change: the inner part of a QRS [E]
BUSY_QUIET_S: Final = (0.024, 0.032)  # before and behind a QRS the slope does not change for so long [E]
BUSY_REST: Final = 0.2  # this share of a beat is no QRS, however broad and fast [E]
BUSY_NOISY_LEAD: Final = 3.0  # times the rest that most leads have [E]
BUSY_ON: Final = (3.0, 0.10)  # times that rest, or of the largest change: QRS and no longer P [E]
BUSY_OFF: Final = (2.0, 0.04)  # the same for QRS and not yet T: the end of a broad S bends little [E]
BUSY_ON_LEAD_S: Final = 0.012  # a change is seen so long before it comes … [E]
BUSY_OFF_LEAD_S: Final = 0.010  # … and so long behind [E]
LEARNED_EARLY_S: Final = 0.004  # the learned onset lies so much before that of the slopes [E]
CLIMB_MV: Final = 0.03  # a larger change leaves no certain level that ST can be measured against [E]
CLIMB_S: Final = 0.016  # the level before a QRS must not change within this [E]

# --- P in fast rhythms ----------------------------------------------------------------------------
P_FAST_RR_S: Final = 0.60  # where RR is shorter, P is looked for as a hump as well [E]
P_BEHIND_J_S: Final = 0.04  # T is looked for from here behind the QRS before [E]
P_LEAST_S: Final = 0.14  # less time between two QRS has no room for T and P [E]
P_PEAK_S: Final = (0.045, 0.24)  # P peaks so long before the QRS [K]
P_HUMP_APART_S: Final = 0.032  # humps are further apart [E]
P_LEAST_MV: Final = 0.03  # root mean square of the leads at the peak of P [E]
P_LONGEST_S: Final = 0.11  # from the foot of P to its peak [K]
P_VALLEY: Final = 0.6  # of P at most: the valley between T and P [E]
T_HUMP: Final = 0.25  # of P at least, above the valley: there is a T before it [E]
P_FOOT: Final = 0.12  # of P: its foot [E]

# --- Pacing spikes --------------------------------------------------------------------------------
SPIKE_REACH_S: Final = 0.006  # a spike has come and gone within this to either side [K]
SPIKE_MV: Final = 0.4  # in some lead [E]
SPIKE_SHARE_MV: Final = 0.1  # and in a second one [E]
SPIKE_FLAT_S: Final = 0.014  # so far from a spike …
SPIKE_FLAT: Final = 0.35  # … the trace has moved by no more than this share of its height [E]
MOST_SPIKES_HZ: Final = 5.0  # no pacemaker fires more often; what does is interference [E]
SPIKE_TO_BEAT_S: Final = 0.32  # a beat follows its spike within this [K]
SPIKE_BEFORE_S: Final = (-0.04, 0.16)  # a ventricular spike stands so far before the middle of its QRS [E]
SPIKE_WIDTH_S: Final = 0.036  # a blurred spike is steep no longer [E]
STEEP_PART: Final = 0.2  # of the steepest [E]
SPIKE_BRIDGE_S: Final = 0.010  # what a spike covers to either side [E]

# --- Intervals and axes ---------------------------------------------------------------------------
BROAD_QRS_MS: Final = 120.0  # MEAS-6 [K Bogossian 2014]
QTM_SHARE: Final = 0.485  # MEAS-6 [K Bogossian 2014]
AXIS_MIN_MV_MS: Final = 0.1  # a smaller net area has no direction [E]
