/** Words of one's own addresses. Chinese first, English beside it. */

export const CONTACT_TEXTS = {
  contactsIntro: [
    "预警会同时发到这里的每个渠道。地址是机密,录入后不再显示。",
    "Alerts go out on each of these channels at once. Addresses are secret: once entered they are not shown again.",
  ],
  contactsNone: [
    "还没有登记任何渠道:预警只能到值班台,离开屏幕就收不到。",
    "No channel is entered: alerts reach the board alone, and nobody who is away from it.",
  ],
  contactOff: ["已停用", "not in use"],
  contactUse: ["启用", "Use"],
  contactStop: ["停用", "Pause"],
  contactRemove: ["删除", "Remove"],
  contactRemoveSure: ["确定删除", "Remove now"],
  contactByAdmin: ["管理员录入 {at}", "entered by an administrator {at}"],
  contactByMe: ["本人录入 {at}", "entered by yourself {at}"],
  contactAdd: ["添加渠道", "Add a channel"],
  contactChannel: ["渠道", "Channel"],
  contactAddress: ["地址", "Address"],
  contactAddressHint: ["以 {schemes} 开头", "begins with {schemes}"],
  contactNumber: ["要呼叫的号码", "Number to call"],
  contactSave: ["保存地址", "Save the address"],
  contactReplaces: [
    "该渠道已有地址,保存后会替换。",
    "This channel has an address already; the new one takes its place.",
  ],
  contactOfAdmins: ["{names}:请管理员录入", "{names}: an administrator enters it"],
  contactSecret: [
    "签名密钥(只显示这一次,请交给网关):",
    "Secret of the signatures (shown this once; give it to the gateway):",
  ],
  push: ["此浏览器的推送", "Push to this browser"],
  pushOn: ["此浏览器会收到推送", "This browser takes push messages"],
  pushOff: ["此浏览器还没有开启推送", "This browser takes no push messages yet"],
  pushTurnOn: ["在此浏览器开启推送", "Turn push on in this browser"],
  pushTurnOff: ["关闭推送", "Turn push off"],
  pushDenied: [
    "浏览器已拒绝通知。请在地址栏的网站设置里允许通知,再回到此页。",
    "The browser blocks notifications. Allow them in the site's settings beside the address, then come back.",
  ],
  pushImpossible: [
    "此浏览器不能接收推送(需要 HTTPS 和浏览器的推送服务)。请用其他渠道。",
    "This browser cannot take push messages (HTTPS and a push service are needed). Use another channel.",
  ],
  pushNotEnough: [
    "推送单独不足以接收预警:浏览器休眠时收不到。请至少再登记一个渠道。",
    "Push alone is not enough for alerts: a browser that sleeps hears nothing. Enter at least one channel more.",
  ],
} as const satisfies Record<string, readonly [zh: string, en: string]>;
