/** Words of the tour and of the page of help. Chinese first, English beside it. */
import { speaker } from "./textsLater";

export const TOUR_TEXTS = {
  mark: ["示例 · 不是真实患者", "SAMPLE · no real patient"],
  markHint: ["这里的操作不会发送到服务器", "Nothing you press here is sent"],
  step: ["第 {n} 步,共 {of} 步", "Step {n} of {of}"],
  next: ["下一步", "Next"],
  back: ["上一步", "Back"],
  leave: ["结束示例", "End the tour"],
  finish: ["完成", "Finish"],
  pressIt: ["请在上面按一下“{what}”", "Press “{what}” above"],
  welcome: [
    "用两分钟看一个示例病例。随时可以结束(Esc),以后在“帮助”里可以再看。",
    "Two minutes with a sample case. End it at any time (Esc); it is under Help to be seen again.",
  ],
  sound: [
    "有新的预警时会响。按下面的按钮听一次;听不到,请检查音量和浏览器。",
    "A new alert sounds. Press the button to hear it once; if you do not, look at the volume and the browser.",
  ],
  soundPlay: ["试听预警声", "Play the alarm"],
  soundHeard: ["已播放。没听到?请调高音量。", "It was played. Not heard? Turn the volume up."],
  soundNone: ["浏览器没有放声音,请检查设置", "The browser played nothing: look at its settings"],
  boardRow: [
    "看板按紧急程度排列。每行:等了多久、哪家机构、自动分析的提示和依据。红色 ■ 要立即处理;自动分析未经审核。",
    "The board stands by urgency. Each row: how long it waits, where, what the machine proposes and on what evidence. Red ■ needs you now; the machine's words are not confirmed.",
  ],
  boardAck: [
    "确认收到后,就不再呼叫下一位。60 秒无人确认,会呼叫二线,然后主任。",
    "Once you acknowledge, nobody else is called. After 60 s without an answer the second on duty is called, then the head.",
  ],
  ecg: [
    "心电图按真实比例显示,蓝色是依据:基线、J 点和阈值。请自己判断是否属实,再签发诊断。",
    "The paper is true to scale; blue is the evidence: baseline, J and threshold. Judge whether it is true, then sign.",
  ],
  caseGreen: [
    "需要再灌注时,一个按钮启动绿色通道,所有相关人员同时收到任务。误启动可以取消,要写原因。",
    "Where reperfusion is needed one button opens the green channel: everybody gets their task at once. It can be stood down, with a reason.",
  ],
  caseOpen: [
    "绿色通道已启动:每个角色的任务、谁接了、用了多久,都在这里。",
    "The channel is open: each role's task, who took it and how long it took stand here.",
  ],
  tasksTold: [
    "绿色通道启动后,您的任务出现在“我的任务”,并响一次。",
    "When the green channel opens, your task appears under My tasks and sounds once.",
  ],
  tasksAccept: [
    "先按“接受”,大家就知道有人在做。",
    "Accept first: then everybody knows that somebody is on it.",
  ],
  tasksDone: ["做完按“完成”,时间自动记下。", "When it is done say so; the time is written down."],
  clinicSend: [
    "做好心电图,选择文件,填四项(性别、年龄、胸痛、发病时间),按“发送”。不知道的可以不填。",
    "Record the ECG, choose the file, fill in four fields (sex, age, chest pain, onset) and press Send. What you do not know stays empty.",
  ],
  clinicEcg: [
    "发送后几秒内就知道是否能读;电极松了会告诉您是哪一个导联,请重做。",
    "Within seconds you know whether it can be read; a loose electrode is named: record again.",
  ],
  clinicCase: [
    "这里依次显示:已送达、专家已查看、已诊断、医生建议。看到建议请按“我已看到”。",
    "Here you see in turn: received, opened, diagnosed, advice. Press when you have read the advice.",
  ],
  clinicNobody: [
    "没有医生应答时,页面会变红并显示电话:请立即拨打,或拨 120。不要只等页面。",
    "If no doctor answers the page says so in red with the number: telephone at once, or call 120. Do not only wait.",
  ],
  qualityCase: [
    "病例页有全部时间节点,已记录的和缺失的。打开患者身份要写原因,会记入日志。",
    "The case has every milestone, those that are set and those that are missing. Seeing who the patient is needs a reason and is logged.",
  ],
  adminPages: [
    "在“管理”里维护机构、设备、人员和联系方式;在“演练”里发起演练。所有更改都有记录。",
    "Sites, devices, people and channels are under Administration, drills under Drill. Every change is logged.",
  ],
  end: ["示例结束。需要时按 ? 打开帮助。", "This was the tour. Press ? for help when you need it."],
  helpTitle: ["帮助", "Help"],
  tourStart: ["看示例病例(2 分钟)", "Take the tour (2 minutes)"],
  nobodyTitle: ["没有医生应答怎么办", "If no doctor answers"],
  nobody1: [
    "系统会依次呼叫一线、二线、主任,然后所有值班人员,并一直重复。",
    "The service calls the first on duty, the second, the head, then everybody, and goes on.",
  ],
  nobody2: [
    "3 分钟后仍无人应答,请直接打电话,不要只等页面:",
    "If nobody has answered after 3 minutes, telephone; do not only wait:",
  ],
  nobody3: ["急救电话 120", "Emergency number 120"],
  callFallback: ["拨打 {who} {phone}", "Call {who} {phone}"],
  noFallback: [
    "还没有登记值班电话,请管理员在“机构”里填写",
    "No duty number is entered: an administrator does that under Sites",
  ],
  whoTitle: ["现在找谁", "Who to call now"],
  keysTitle: ["键盘", "Keys"],
  coloursTitle: ["颜色和符号", "Colours and signs"],
  coloursIntro: [
    "颜色只表示紧急程度,并且总有符号和文字。",
    "Colour means urgency alone, and always comes with a shape and a word.",
  ],
  tierACT: ["立即处理:可能是急性冠脉闭塞", "Act now: a coronary may be shut"],
  tierCRIT: ["危急值:立即查看患者", "Critical value: look at the patient now"],
  tierURG: ["限时复核", "To be read within its time"],
  tierFLAG: ["提示,不紧急", "A note, not urgent"],
  tierREC: ["请重做心电图", "Record again"],
  tierNONE: ["没有规则触发;不能排除心肌梗死", "No rule fired; this excludes no infarction"],
  signsTitle: ["其他符号", "Other signs"],
  signHatched: ["斜纹边框和“演练”:演练,不是真实患者", "Hatched frame and DRILL: practice, no real patient"],
  signLost: [
    "✕ 断线:内容可能已过时,紧急请打电话",
    "✕ Offline: what you see may be old; if urgent, telephone",
  ],
  signUnknown: ["— 未知:没有人告诉系统", "— unknown: nobody has said it"],
  offlineTitle: ["断线或停电", "No line, no power"],
  offline: [
    "诊所的心电代理程序会保存并自动重发;网页断线会自动重连。紧急情况用电话,不要等。",
    "The clinic's agent keeps what it has and sends it again; a page reconnects by itself. If urgent use the telephone.",
  ],
} as const satisfies Record<string, readonly [zh: string, en: string]>;

export type TourText = keyof typeof TOUR_TEXTS;
export const tt = speaker<TourText>(TOUR_TEXTS);
