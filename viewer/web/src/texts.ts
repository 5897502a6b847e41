/**
 * Every word of the pages that is not the service's: Chinese first, English beside it. `{name}` is filled in. Here are those
 * that every page has, the clinic's and the login page's; `textsRest` brings those of all other pages.
 */
import { lang } from "./state/prefs";
import { BOARD_TEXTS } from "./textsBoard";
import { CLINIC_TEXTS } from "./textsClinic";
import { DRILL_TEXTS } from "./textsDrill";
import { DUTY_TEXTS } from "./textsDuty";
import { PROBLEM_TEXTS } from "./textsProblems";
import type { REST_TEXTS } from "./textsRest";
import { TASK_TEXTS } from "./textsTasks";
import type { Role, Tier } from "./wire";

type Pair = readonly [zh: string, en: string];

export const TEXTS = {
  helpPage: ["帮助", "Help"],
  helpMore: ["更多帮助", "More help"],
  tourLink: ["看示例病例", "Take the tour"],
  firstTime: ["首次使用请看", "new here?"],
  adminPage: ["管理", "Administration"],
  joinLink: ["我有邀请码(首次登录)", "I have an invitation (first sign-in)"],
  centre: ["胸痛中心 · 实时分诊", "Chest pain · live triage"],
  product: ["绿色通道", "Green channel"],
  demoBanner: ["演示:账号与病人均为模拟", "Demo: all accounts and patients are simulated"],
  unknown: ["— 未知", "— unknown"],
  loading: ["正在读取…", "Loading…"],
  serverTime: ["服务器时间", "Server time"],
  onDuty: ["值班", "On duty"],
  offDuty: ["您现在不值班", "You are not on duty"],
  nextShift: ["下一班", "Next"],
  connected: ["已连接", "Connected"],
  lost: ["断线 {for}", "Offline {for}"],
  staleNote: [
    "断线 {for}:下面是断线前的内容,可能已过时。正在自动重连;紧急请打电话。",
    "Offline {for}: what you see is from before and may be out of date. Reconnecting; if urgent, telephone.",
  ],
  soundOn: ["声音 开", "Sound on"],
  soundOff: ["声音 关", "Sound off"],
  soundWaiting: ["声音未开启", "No sound yet"],
  soundHint: ["点一下页面即可开启声音", "Tap the page once to enable sound"],
  themeLight: ["浅色", "Light"],
  themeDark: ["深色", "Dark"],
  signOut: ["退出", "Sign out"],
  help: ["键盘", "Keys"],
  helpTitle: ["键盘操作", "Keyboard"],
  helpNext: ["下一行 / 上一行", "Next / previous row"],
  helpOpen: ["打开心电图", "Open the ECG"],
  helpAck: ["确认收到", "Acknowledge"],
  helpGreen: ["启动绿色通道", "Open the green channel"],
  helpClose: ["关闭", "Close"],
  close: ["关闭", "Close"],
  back: ["返回列表", "Back to the board"],
  sectionNow: ["立即 ACT/CRIT", "Now ACT/CRIT"],
  sectionUrgent: ["紧急复核 URG", "Urgent over-read URG"],
  sectionRest: ["其他", "Other"],
  sectionClosed: ["已关闭的病例", "Closed cases"],
  emptyNow: ["没有需要立即处理的病例", "No case needs you now"],
  emptyAll: ["还没有病例。收到心电图后会自动出现。", "No cases yet. They appear when an ECG arrives."],
  newBelow: ["{n} 个病例待排序", "{n} to be put in order"],
  rowAge: ["收到后", "Since received"],
  noRule: ["没有规则触发,不能排除心肌梗死", "No rule fired; this does not exclude an infarction"],
  patientUnknown: ["性别年龄未知", "Age, sex unknown"],
  leadCount: ["{n} 个导联", "{n} leads"],
  noUrgency: ["未定紧急分级", "No urgent tier"],
  machineSaid: ["自动分析", "Automatic analysis"],
  notAgreed: ["医师未同意", "the doctor did not agree"],
  orderConflict: ["顺序矛盾", "Order conflict"],
  orderConflictHint: ["结束早于开始({n})", "ends before it begins ({n})"],
  callClinic: ["拨打村医", "Call the clinic"],
  fromClinic: ["基层填写(查看会被记录)", "From the clinic (looking is logged)"],
  patientName: ["姓名", "Name"],
  patientPhone: ["患者电话", "Patient's phone"],
  callbackPhone: ["回拨电话", "Call-back phone"],
  patientRef: ["患者编号(可不填)", "Patient number (optional)"],
  patientNameOptional: ["姓名(可不填)", "Name (optional)"],
  callbackOptional: ["回拨电话(可不填)", "Call-back phone (optional)"],
  patientHistory: ["病史", "History"],
  vitals: ["生命体征", "Vital signs"],
  again: ["再做一份", "Record again"],
  againFor: ["再做一份 · {who} {at} 的病例", "Record again · case of {who} {at}"],
  againNew: ["改为新病人", "For a new patient instead"],
  sendNew: ["发送新病人的心电图", "Send a new patient's ECG"],
  electrodes: ["胸前电极位置", "Chest electrodes"],
  electrodesStandard: ["标准 V1–V6", "Standard V1–V6"],
  electrodesRight: ["右胸 V3R–V5R", "Right V3R–V5R"],
  electrodesPosterior: ["后壁 V7–V9", "Posterior V7–V9"],
  electrodesBoth: ["后壁 V7–V9 + 右胸 V3R–V5R", "Posterior V7–V9 + right V3R–V5R"],
  otherCases: ["本机构的其他病例", "This clinic's other cases"],
  show: ["查看", "Show"],
  caseClosed: ["已关闭", "Closed"],
  caseMerged: ["已并入另一病例", "Merged into another case"],
  endedUnanswered: ["关闭时无人应答", "Not answered when closed"],
  storyWaits: ["故事时钟在等您:{what}", "The story waits for you: {what}"],
  storyWaitsOthers: ["故事时钟在等值班医师:{what}", "The story waits for the doctor on duty: {what}"],
  identityConflict: ["请核对身份", "Check the identity"],
  identityConflictText: [
    "同一份心电图曾以另一患者编号上传,请核对身份。",
    "The same ECG was sent for another patient number: check the identity.",
  ],
  identityConflictEcg: ["另一份心电图", "The other ECG"],
  ...BOARD_TEXTS,
  ...CLINIC_TEXTS,
  ...DRILL_TEXTS,
  ...DUTY_TEXTS,
  ...TASK_TEXTS,
  noEcg: ["还没有心电图", "No ECG yet"],
  notAnalysed: ["正在分析", "Being analysed"],
  limit: ["限", "limit"],
  km: ["{n}\u00a0km", "{n}\u00a0km"],
  male: ["男", "Male"],
  female: ["女", "Female"],
  sexUnknown: ["性别未知", "Sex unknown"],
  ageUnknown: ["年龄未知", "age unknown"],
  ack: ["确认收到", "Acknowledge"],
  openGreen: ["启动绿色通道", "Open green channel"],
  openCase: ["打开病例", "Open case"],
  openEcg: ["打开心电图", "Open ECG"],
  decline: ["无法接手", "I cannot take it"],
  declineSend: ["转给下一位", "Call the next person"],
  declineReason: ["其他原因", "Another reason"],
  declineOperating: ["手术中", "Operating"],
  declineAway: ["不在院", "Not in the hospital"],
  silence: ["静音 2 分钟", "Mute 2 min"],
  silenced: ["本机静音 {for}", "Muted here {for}"],
  alertUnanswered: ["未应答 {for}", "Unanswered {for}"],
  alertNext: ["{for} 后通知下一位", "next person in {for}"],
  alertNextNow: ["正在通知下一位", "calling the next person"],
  alertExhausted: ["无人应答", "Nobody answered"],
  signAmends: [
    "更正({n} 次签发);首次 {who} {at}:{text}",
    "amended ({n} readings); first by {who} {at}: {text}",
  ],
  signWhy: ["不同意自动分析:{reason}", "disagrees with the machine: {reason}"],
  alertGiven: ["已转交{who},待其确认", "given to {who}, not taken yet"],
  alertAcked: ["{who} 已收", "{who} has it"],
  alertNone: ["未发出警报", "No alert"],
  bannerMore: ["另有 {n} 个", "{n} more"],
  bannerTitle: ["急", "URGENT"],
  greenOpen: ["绿色通道已开 {at}", "Green channel open {at}"],
  greenDown: ["绿色通道已取消 {at}", "Green channel stood down {at}"],
  greenReported: ["绿色通道 {at}({by})", "Green channel {at} ({by})"],
  perReport: ["据报告", "per report"],
  greenNone: ["没有绿色通道记录", "No green channel on record"],
  greenNot: ["绿色通道未启动", "Green channel not open"],
  signed: ["已签发", "Signed"],
  signedBy: ["{who} 已签发 {at}", "Signed by {who} {at}"],
  unconfirmed: ["未审核", "unconfirmed"],
  machine: ["自动分析(未审核)", "Automatic analysis (unconfirmed)"],
  reading: ["医师诊断", "Doctor's reading"],
  track: ["首次医疗接触 → 导丝通过", "First medical contact → wire"],
  minutes: ["{n} 分钟", "{n} min"],
  target: ["目标 ≤{n} 分钟", "target ≤{n} min"],
  lateBy: ["迟 {n} 分钟", "{n} min late"],
  missing: ["缺 {what}", "missing {what}"],
  uncertain: ["±{n} 秒", "±{n} s"],
  intervals: ["时间间期", "Intervals"],
  moreIntervals: ["其他间期", "Other intervals"],
  milestones: ["时间节点", "Milestones"],
  required: ["国家填报必填", "Required by the national form"],
  unsetMilestones: ["未记录的节点", "Not recorded"],
  unsetOthers: ["其他未记录的节点 {n}", "{n} others not recorded"],
  source: ["来源", "Source"],
  clock: ["时钟", "Clock"],
  clockOffset: ["时钟偏差 {n},已校正", "Clock offset {n}, corrected"],
  clockUnknown: ["时钟未比对", "Clock never compared"],
  rawTime: ["原始读数 {at}", "raw {at}"],
  recordedBy: ["{who} 于 {at} 记录", "entered by {who} {at}"],
  correction: ["更正", "correction"],
  valid: ["采用", "in use"],
  notValid: ["保留,不采用", "kept, not in use"],
  details: ["详情", "Details"],
  tasks: ["各岗位", "Roles"],
  tasksNone: [
    "绿色通道启动后,这里显示每个岗位的进展。",
    "Once the green channel is open, each role's state stands here.",
  ],
  taskNotTold: ["未通知", "Not told"],
  taskTold: ["已通知 {for}", "Told {for} ago"],
  taskAccepted: ["已接受", "Accepted"],
  taskDone: ["已完成", "Done"],
  accept: ["接受", "Accept"],
  done: ["完成", "Done"],
  afterSeconds: ["{n} 秒后", "after {n} s"],
  afterMinutes: ["{n} 分钟后", "after {n} min"],
  problems: ["时间顺序问题", "Order problems"],
  levelError: ["错误", "Error"],
  levelWarning: ["提醒", "Warning"],
  ecgs: ["心电图", "ECGs"],
  advice: ["给基层的建议", "Advice to the clinic"],
  adviceNone: ["还没有建议", "No advice yet"],
  standDown: ["取消绿色通道", "Stand down"],
  closeCase: ["关闭病例", "Close the case"],
  reason: ["原因(必填)", "Reason (required)"],
  enterMilestone: ["记录时间节点", "Enter a milestone"],
  which: ["哪个节点", "Which"],
  when: ["时间", "When"],
  keyPerson: ["哪一位", "Which person"],
  keyDose: ["第几剂", "Which dose"],
  note: ["备注", "Note"],
  noteRequired: ["备注(更正必填)", "Note (required for a correction)"],
  save: ["保存", "Save"],
  saved: ["已保存", "Saved"],
  history: ["全部经过", "History"],
  identity: ["姓名与电话(查看会被记录)", "Name and phone (looking is logged)"],
  arrivalMode1: ["呼叫救护车", "Ambulance called"],
  arrivalMode2: ["转院", "Transfer"],
  arrivalMode3: ["自行来院", "Walk-in"],
  arrivalMode4: ["院内发病", "In hospital"],
  scale: ["25 mm/s 10 mm/mV", "25 mm/s 10 mm/mV"],
  paperOpen: ["打开图片或文件", "Open the picture or document"],
  paperPicture: ["纸质心电图", "Paper ECG"],
  noWaveform: ["没有可以画出的波形", "There is no waveform to draw"],
  live: ["实时", "Live"],
  conclusion: ["结论", "Conclusion"],
  evidence: ["依据", "Evidence"],
  rule: ["规则", "Rule"],
  evidenceSame: ["依据见上方 {ids}", "Evidence: see {ids} above"],
  traceCorrected: [
    "按纠正反接后的导联,未在此图标出",
    "with swapped leads put right; not drawn on this trace",
  ],
  traceOther: ["取自另一份心电图", "from another ECG"],
  rulesPage: ["规则", "Rules"],
  rulesIntro: [
    "机器按这些规则提示,由医师决定。数值即计算所用的数值。",
    "By these rules the machine proposes; a physician decides. The numbers are those it calculates with.",
  ],
  rulesVersionLabel: ["规则版本", "Version"],
  rulesNewest: ["{v}(现行)", "{v} (in force)"],
  rulesOld: [
    "这是旧版本 {v}。现行版本是 {newest}。",
    "This is the earlier version {v}. In force is version {newest}.",
  ],
  rulesFilter: ["查找:编号、名称或导联", "Find: id, term or lead"],
  rulesFilterHint: ["如 STE-1、高钾、V4R", "such as STE-1, Wellens, V4R"],
  rulesShown: ["版本 {v} · {n} / {all} 条规则", "Version {v} · {n} of {all} rules"],
  rulesNone: [
    "没有符合的规则。请改用编号(如 STE-1)、名称或导联。",
    "No rule fits. Try an id (such as STE-1), a term or a lead.",
  ],
  rulesNoPlace: ["版本 {v} 中没有 {id}", "There is no {id} in version {v}"],
  rulesSections: ["章节", "Sections"],
  tierMost: ["最高", "at most"],
  tierLowersTo: ["把{what}降为", "lowers {what} to"],
  tierRestored: ["可由 {by} 恢复原级别", "{by} restores what it lowers"],
  conductionWhere: ["传导", "Conduction"],
  conductionAny: ["不限", "any"],
  rulesLeads: ["导联", "Leads"],
  rulesEffect: ["作用", "Effect"],
  rulesNumbers: ["数值", "Numbers"],
  rulesSource: ["来源", "Source"],
  rulesMarks: ["数值来源的标记", "Marks of where a number comes from"],
  rulesTiers: ["级别", "Tiers"],
  rulesThresholds: ["STE-1 阈值(J点ST段抬高)", "STE-1 thresholds (ST elevation at J)"],
  rulesThresholdOf: ["性别、年龄与阈值", "Sex, age and threshold"],
  rulesReciprocal: ["STE-RECIP 对应性ST段压低", "STE-RECIP reciprocal depression"],
  rulesElevation: ["抬高见于", "Elevation in"],
  rulesDepression: ["压低见于", "Depression in"],
  rulesDepth: ["J点ST段", "ST at J"],
  rulesShared: ["多条规则共用的数值", "Numbers that several rules share"],
  rulesName: ["名称", "Name"],
  ageFrom: ["{from} 岁起", "from {from} y"],
  ageFromTo: ["{from} 岁至 {to} 岁以下", "{from} to below {to} y"],
  rulesVersion: ["规则版本 {rules} · 软件 {software}", "Rules {rules} · software {software}"],
  lead: ["导联", "Lead"],
  value: ["测值", "Value"],
  threshold: ["阈值", "Threshold"],
  downgraded: ["因 {by} 降级", "Lowered by {by}"],
  restored: ["因 {by} 恢复", "Restored by {by}"],
  measurements: ["测量", "Measurements"],
  quality: ["信号质量", "Signal quality"],
  qualityPoor: ["信号质量差,请重新采集", "Poor signal, please record again"],
  badLeads: ["不可用导联:{leads}", "Unusable leads: {leads}"],
  recordAgain: ["请重新采集", "Record again"],
  heartRate: ["心率", "Heart rate"],
  rhythm: ["节律", "Rhythm"],
  axis: ["电轴", "Axis"],
  signText: ["诊断文字", "Reading"],
  signTier: ["分级", "Tier"],
  sign: ["签发", "Sign"],
  cancel: ["取消", "Cancel"],
  adviceFor: ["建议给基层(可不填)", "Advice to the clinic (optional)"],
  signIn: ["登录", "Sign in"],
  user: ["账号", "User"],
  password: ["密码", "Password"],
  endedTitle: ["(!) 已退出登录", "(!) Signed out"],
  ended: ["{who} 的登录已结束。请重新登录。", "The session of {who} is over. Please sign in again."],
  endedCalled: [
    "{who} 的登录已结束:这里不再响起预警。请马上重新登录。",
    "The session of {who} is over: no alert sounds here any more. Please sign in again now.",
  ],
  endedHeard: ["知道了,停止响铃", "Heard: stop the sound"],
  sessionEnds: ["登录将于 {at} 到期,请提前重新登录", "This session ends at {at}: sign in anew before"],
  signInWrong: [
    "账号或密码不对。没有登录。请再输入一次。",
    "User or password is wrong. You are not signed in. Please try again.",
  ],
  demoTap: ["演示:点一个角色即可进入", "Demo: tap a role to enter"],
  clinicTitle: ["基层 · 发送心电图", "Clinic · send an ECG"],
  age: ["年龄", "Age"],
  sex: ["性别", "Sex"],
  chestPain: ["胸痛", "Chest pain"],
  onset: ["发病时间", "Onset"],
  yes: ["有", "Yes"],
  no: ["无", "No"],
  notKnown: ["未知", "Unknown"],
  ...PROBLEM_TEXTS,
  feedbackNew: ["县医院反馈了转归,请查看", "The hospital has sent the outcome: please read it"],
  contactsPage: ["联系方式", "Contacts"],
  clocksPage: ["设备时钟", "Device clocks"],
  rosterPage: ["值班表", "Roster"],
  qualityPage: ["质控", "Quality"],
  rosterNobody: ["无人值班", "nobody"],
  followupsPage: ["随访", "Follow-ups"],
  notFound: ["没有这个页面。病例都在列表里。", "There is no such page. All cases are on the board."],
  qualityRole: [
    "您的角色只看时间与质量,不接收警报。",
    "Your role sees times and quality and gets no alerts.",
  ],
} as const satisfies Record<string, Pair>;

export type TextKey = keyof typeof TEXTS | keyof typeof REST_TEXTS;

/** Words that come with the pages that need them. */
export function addTexts(more: Readonly<Record<string, Pair>>): void {
  Object.assign(TEXTS, more);
}

export function t(key: TextKey, fill: Record<string, string | number> = {}): string {
  const text = (TEXTS as Record<string, Pair>)[key]?.[lang.value === "zh" ? 0 : 1] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(fill[name] ?? whole));
}

/** Shape and word for each tier: colour alone never says it. */
export const TIERS: Record<Tier, { shape: string; word: Pair }> = {
  ACT: { shape: "■", word: ["立即", "Act now"] },
  CRIT: { shape: "◆", word: ["危急值", "Critical"] },
  URG: { shape: "▲", word: ["紧急复核", "Urgent"] },
  FLAG: { shape: "○", word: ["提示", "Flag"] },
  REC: { shape: "↻", word: ["请重做", "Record again"] },
  NONE: { shape: "–", word: ["未触发规则", "None fired"] },
};

export const ROLES: Record<Role, Pair> = {
  clinic: ["基层", "Clinic"],
  reader: ["远程心电医师", "ECG reader"],
  cardiologist: ["心内科医师", "Cardiologist"],
  cathlab: ["导管室", "Cath lab"],
  ed: ["急诊", "Emergency"],
  ccu: ["CCU", "CCU"],
  dispatch: ["120 调度", "Dispatch 120"],
  radiologist: ["影像科", "Radiology"],
  quality: ["质控", "Quality"],
  admin: ["管理员", "Admin"],
};

/** Places in the duty roster. What is not here is shown as the service names it. */
const SHIFTS: Record<string, Pair> = {
  first: ["一线", "first on call"],
  second: ["二线", "second on call"],
  head: ["值班主任", "head of duty"],
};

export const shiftName = (role: string): string => (SHIFTS[role] ? pairText(SHIFTS[role]) : role);

/** The same where there is little room. */
const SHIFTS_SHORT: Record<string, Pair> = {
  first: ["一线", "1st"],
  second: ["二线", "2nd"],
  head: ["主任", "Head"],
};

export const shiftShort = (role: string): string =>
  SHIFTS_SHORT[role] ? pairText(SHIFTS_SHORT[role]) : role;

/** Where a time came from. What is not here is shown as the service names it. */
export const SOURCES: Record<string, Pair> = {
  server: ["服务器", "Server"],
  system: ["系统", "System"],
  device: ["设备", "Device"],
  person: ["人工", "Person"],
  paper: ["纸质记录", "Paper"],
  gps: ["GPS", "GPS"],
  guard: ["门岗", "Gate"],
  family: ["家属", "Family"],
  published_report: ["公开报道", "Published report"],
  service: ["系统", "Service"],
};

/** Kinds of conduction in which a rule speaks. */
export const CONDUCTION: Record<string, Pair> = {
  narrow: ["窄QRS", "narrow QRS"],
  paced: ["心室起搏", "ventricular pacing"],
  wide: ["其他宽QRS", "other wide QRS"],
  unknown: ["QRS时限未知", "QRS width unknown"],
};

/** What the tables say of leads beyond their names, in Chinese; names alone are the same in both languages. */
export const LEAD_PHRASES: Record<string, string> = {
  all: "全部导联",
  "all but V1–V3": "除V1–V3外全部导联",
  "all of the 18 but aVR": "18导联,aVR除外",
  "all of the 18 but aVR; T also not in V1": "18导联,aVR除外;T波另除外V1",
  "all of the 18 but aVR; V1–V3": "18导联,aVR除外;V1–V3",
  "aVR; all of the 12": "aVR;全部12导联",
  "V1 V3 V5 V6 aVL; deepest S and V4": "V1 V3 V5 V6 aVL;S波最深导联与V4",
  "V1–V6; with right bundle branch block V4–V6": "V1–V6;右束支阻滞时V4–V6",
  "V2 V3, also V4": "V2 V3,另可V4",
  "the median lead": "取各导联中位数",
  "those elevated": "ST段抬高的导联",
  "those elevated before": "既往ST段抬高的导联",
  "those elevated now": "当前ST段抬高的导联",
  "those of the proposal": "所提示诊断涉及的导联",
  "two contiguous leads but aVR": "两个相邻导联,aVR除外",
  "two leads; all": "两个导联;全部导联",
  "usable ones": "可用的导联",
};

/** Why a finding was lowered or restored, where the reason is no rule of its own. */
export const REASONS: Record<string, Pair> = {
  "MEAS-5": ["临界值", "borderline value"],
  demographics_missing: ["年龄或性别缺失", "age or sex missing"],
  age_under_18: ["未满18岁", "under 18 years"],
  corrected_leads: ["纠正后的导联", "the leads put right"],
};

export const conductionName = (kind: string): string =>
  CONDUCTION[kind] ? pairText(CONDUCTION[kind]) : kind;

export const leadPhrase = (phrase: string): string =>
  (lang.value === "zh" ? LEAD_PHRASES[phrase] : undefined) ?? phrase;

export const pairText = (pair: Pair): string => pair[lang.value === "zh" ? 0 : 1];
export const tierWord = (tier: Tier): string => pairText(TIERS[tier].word);
export const roleName = (role: Role): string => (ROLES[role] ? pairText(ROLES[role]) : role);

export function sourceName(source: string | null): string {
  if (source === null) return t("unknown");
  const [kind, which] = source.split(":", 2);
  const pair = SOURCES[kind ?? ""] ?? (ROLES as Record<string, Pair>)[kind ?? ""];
  const name = pair ? pairText(pair) : source;
  return pair && which ? `${name} ${which}` : name;
}

/** The service's own text in the reader's language. */
export const say = (said: { zh: string; en: string }): string => said[lang.value];
