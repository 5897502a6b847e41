/** Words of the board and of its head. Chinese first, English beside it. */

export const BOARD_TEXTS = {
  filterSites: ["机构", "Sites"],
  filterAll: ["全部", "all"],
  filterSome: ["{n} 家", "{n} shown"],
  filterHint: [
    "只显示勾选的机构;一个不勾就是全部。警报不受影响。",
    "Only ticked sites are shown; none ticked means all. Alerts are not affected.",
  ],
  filterShowAll: ["显示全部机构", "Show all sites"],
  filterOpen: ["{n} 个进行中", "{n} open"],
  filterHidesRed: [
    "筛选之外还有 {n} 个立即处理的病例:{who}",
    "{n} cases to act on now are outside this filter: {who}",
  ],
  filterHidesUrgent: ["筛选之外还有 {n} 个紧急复核病例", "{n} urgent cases are outside this filter"],
  arrived: ["新到 {n}:{what}", "{n} new: {what}"],
  arrivedWait: ["鼠标或手指离开列表后归位", "put in its place once the pointer leaves the list"],
  imageCallDue: ["影像待报告", "Images wait for your report"],
  imageCallUntold: ["危急值未告知", "Critical result, nobody told"],
  imageCallAway: ["知道了", "Noted"],
  ringsIn: ["余 {for}", "rings in {for}"],
  ringsNow: ["即将呼叫", "about to ring"],
  etaShort: ["救护车到院 {at}", "Ambulance due {at}"],
  etaSceneShort: ["救护车到现场 {at}", "At the scene {at}"],
  etaLeft: ["余 {for}", "in {for}"],
  etaOver: ["已过 {for}", "{for} ago"],
  callSite: ["拨打 {who} {number}", "Call {who} {number}"],
  quicker: [
    "{who} 已于 {at} 先确认收到;您的确认也已记下。",
    "{who} acknowledged first, at {at}; yours is written down as well.",
  ],
  otherMoreUrgent: [
    "本例另有一份更紧急的心电图,点此查看",
    "Another ECG of this case is more urgent: look at it",
  ],
  newReds: ["新紧急病例", "new urgent case"],
  helpFilterBoard: ["筛选机构(列表) / 查找规则(规则页)", "Choose sites (board) / find a rule (rules)"],
  helpCalipers: ["在心电图上测量", "Measure on the ECG"],
  helpList: ["在列表上", "On the board"],
  helpEverywhere: ["在每一页", "On every page"],
  shiftYours: ["您", "you"],
} as const;
