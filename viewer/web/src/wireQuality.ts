/** What `/api/v1/quality/…` answers: minutes end in `_min`, shares are 0 to 1, unknown is null. */

export interface Said {
  id: string;
  zh: string;
  en: string;
}

export interface Counted extends Said {
  n: number;
}

export interface Tally extends Counted {
  case_ids: string[];
  more: number;
}

export interface QualityView {
  standard: string;
  from_month: string;
  to_month: string;
  by: string;
  group: string;
  hours: string;
}

export interface Frame {
  view: QualityView;
  standards: Said[];
  groupings: Said[];
  groups: Counted[];
  months: string[];
  cases: number;
  at: string;
}

export interface MetricNumber {
  n: number;
  mean_min: number | null;
  median_min: number | null;
  q1_min: number | null;
  q3_min: number | null;
  met: number | null;
  late: number | null;
  share: number | null;
  share_low: number | null;
  share_high: number | null;
  reached: boolean | null;
}

export interface MonthValue {
  month: string;
  n: number;
  value: number | null;
  share: number | null;
}

export interface Metric extends Said {
  label: string;
  from: Said | null;
  to: Said | null;
  statistic: "mean" | "median" | "share";
  target_min: number | null;
  below: boolean;
  target_share: number | null;
  source: string;
  mark: string;
  without: MetricNumber;
  with_all: MetricNumber;
  missing: number;
  negative: number;
  excluded: number;
  reasons: Counted[];
  uncertain: number;
  possibly: number;
  half_width_min: number | null;
  trend: MonthValue[];
  first: boolean;
}

export interface Overview {
  frame: Frame;
  metrics: Metric[];
}

export interface GroupRow extends Said {
  number: MetricNumber;
  missing: number;
  excluded: number;
}

export interface Groups {
  frame: Frame;
  metric: Metric;
  rows: GroupRow[];
}

export type CaseSet =
  | "counted"
  | "met"
  | "late"
  | "possibly"
  | "uncertain"
  | "missing"
  | "excluded"
  | "negative";

export interface CaseLine {
  case_id: string;
  opened_at: string;
  site: Said;
  arrival_mode: number | null;
  minutes: number | null;
  uncertainty_min: number | null;
  set: CaseSet;
  lacks: Said[];
  reasons: Said[];
  corrected: boolean;
}

export interface QualityCases {
  frame: Frame;
  metric: Metric | null;
  set: CaseSet;
  total: number;
  cases: CaseLine[];
}

export interface Segment extends Said {
  n: number;
  missing: number;
  median_min: number | null;
  low_min: number | null;
  high_min: number | null;
  share: number | null;
  best_min: number | null;
  excess_min: number | null;
  excess_low_min: number | null;
  excess_high_min: number | null;
  first_probability: number | null;
  slow_probability: number | null;
  explained: Said[];
  case_ids: string[];
  on_the_way: boolean;
}

export interface ChangePart extends Said {
  kind: "segment" | "mix" | "beside" | "group";
  change_min: number | null;
  low_min: number | null;
  high_min: number | null;
  n_before: number;
  n_now: number;
}

export interface Change {
  from_month: string;
  to_month: string;
  n_before: number;
  n_now: number;
  before_min: number | null;
  now_min: number | null;
  change_min: number | null;
  low_min: number | null;
  high_min: number | null;
  rest_min: number | null;
  parts: ChangePart[];
}

export interface Waterfall {
  frame: Frame;
  n: number;
  mode: number;
  modes: Counted[];
  whole_min: number | null;
  best: string;
  best_n: number;
  segments: Segment[];
  ranking: Segment[];
  chance: number | null;
  change: Change | null;
}

export interface ChartPoint {
  at: string;
  value: number;
  signal: boolean;
  case_id: string | null;
}

export interface Signal {
  rule: string;
  at: string;
  zh: string;
  en: string;
  case_ids: string[];
}

export interface ControlChart extends Said {
  kind: "xmr" | "cusum";
  unit: "min" | "sd" | "sum";
  where: Said;
  centre: number | null;
  lower: number | null;
  upper: number | null;
  points: ChartPoint[];
  signals: Signal[];
  usual: number | null;
  is_share: boolean;
  baseline: number;
}

export interface ControlCharts {
  frame: Frame;
  charts: ControlChart[];
  watch_month: string;
  watched: number;
  points: number;
  vain: number;
}

export interface Rate extends Said {
  n: number;
  of: number;
  share: number | null;
  low: number | null;
  high: number | null;
  median_min: number | null;
  q3_min: number | null;
  case_ids: string[];
  more: number;
}

export interface RateTable extends Said {
  rows: Rate[];
  lower_is_better: boolean;
}

export interface Loop {
  frame: Frame;
  counts: Tally[];
  tables: RateTable[];
}

export interface Gap {
  case_id: string;
  opened_at: string;
  site: Said;
  field: Said;
  owner: string;
  milestone: string | null;
}

export interface Gaps {
  frame: Frame;
  owners: Counted[];
  fields: Counted[];
  total: number;
  gaps: Gap[];
  required: number;
  filled: number;
  untyped: number;
}

export interface FormField extends Said {
  value: string | null;
  value_zh: string | null;
  value_en: string | null;
  required: boolean;
  owner: Said;
  source: string | null;
  corrected: boolean;
  problem_zh: string | null;
  problem_en: string | null;
  milestone: string | null;
  fact: string | null;
}

export interface FormSection extends Said {
  fields: FormField[];
}

export interface CaseForm {
  case_id: string;
  state: string;
  site: Said;
  sections: FormSection[];
  required: number;
  filled: number;
  untyped: number;
}
