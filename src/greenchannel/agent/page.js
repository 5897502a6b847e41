/* The agent's local page. Written for old browsers: nothing newer than ECMAScript 5. */
(function () {
  "use strict";

  var WORDS = {
    zh: {
      connected: "● 已连接", off: "○ 未连接", waiting: "待发送", taken: "已送达", refused: "未被接受",
      soundOn: "声音 开", soundOff: "点此打开声音", by: "医生", advice: "医生建议", heard: "知道了（停止提示音）",
      again: "再发送一次", aside: "已另行处理，不再置顶", tryNow: "立即重试", none: "还没有心电图。设备导出后会自动出现在这里。", found: "已收存，等待发送",
      sending: "正在发送", refusedNow: "服务器未接受", unknown: "未知", since: "最近一次联系", record: "请再做一份：",
      clock: "本机时钟与服务器相差", seconds: "秒", server: "服务器", safe: "所有文件都安全保存在本机，联网后自动发送。",
      gone: "本页与代理程序断开：程序可能已停止。", patient: "编号", title: "心电图发送"
    },
    en: {
      connected: "● connected", off: "○ not connected", waiting: "waiting", taken: "delivered", refused: "not accepted",
      soundOn: "sound on", soundOff: "turn the sound on", by: "by", advice: "The doctor's advice", heard: "I have read it (stop the sound)",
      again: "Send again", aside: "Dealt with otherwise, keep off the top", tryNow: "Try now", none: "No ECG yet. What the machine exports appears here by itself.", found: "safe here, waiting to be sent",
      sending: "sending", refusedNow: "the server did not accept it", unknown: "unknown", since: "last contact", record: "Record again: ",
      clock: "this computer's clock is off by", seconds: "s", server: "server", safe: "Every file is safe on this computer and is sent when there is a line.",
      gone: "This page has lost the agent: it may have stopped.", patient: "No.", title: "Sending ECGs"
    }
  };
  var language = remembered("language") === "en" ? "en" : "zh";
  var sound = false;
  var rung = {};
  var shown = "";
  var last = null;
  var bell = document.getElementById("bell");

  function remembered(key) { try { return window.localStorage.getItem(key); } catch (e) { return null; } }
  function remember(key, value) { try { window.localStorage.setItem(key, value); } catch (e) { /* then not */ } }
  function word(key) { return WORDS[language][key]; }
  function said(thing) { return thing ? thing[language] : ""; }
  function make(tag, kind, text) {
    var made = document.createElement(tag);
    if (kind) { made.className = kind; }
    if (text) { made.appendChild(document.createTextNode(text)); }
    return made;
  }
  function two(number) { return (number < 10 ? "0" : "") + number; }
  function clock(text) {
    var at = new Date(text);
    if (isNaN(at.getTime())) { return word("unknown"); }
    return two(at.getHours()) + ":" + two(at.getMinutes()) + ":" + two(at.getSeconds());
  }
  function day(text) {
    var at = new Date(text);
    return (at.getMonth() + 1) + "-" + two(at.getDate()) + " " + clock(text);
  }
  function act(path) {
    var request = new XMLHttpRequest();
    request.open("POST", path);
    request.setRequestHeader("X-Greenchannel-Agent", "1");
    request.onload = ask;
    request.send();
  }
  function button(text, kind, path) {
    var made = make("button", kind, text);
    made.type = "button";
    made.onclick = function () { act(path); };
    return made;
  }

  function headline(ecg) {
    var reached = null, i;
    if (ecg.stage === "refused") { return word("refusedNow"); }
    for (i = 0; i < ecg.steps.length; i += 1) { if (ecg.steps[i].at) { reached = ecg.steps[i]; } }
    if (reached) { return "✓ " + said(reached) + " " + clock(reached.at); }
    if (ecg.percent !== null) { return word("sending") + " " + ecg.percent + " %"; }
    return word("found");
  }
  function steps(ecg) {
    var list = make("ol", "steps"), i, item;
    for (i = 0; i < ecg.steps.length; i += 1) {
      item = make("li", ecg.steps[i].at ? "done" : "", (ecg.steps[i].at ? "✓ " : "") + said(ecg.steps[i]));
      item.appendChild(make("b", "", ecg.steps[i].at ? clock(ecg.steps[i].at) : "—"));
      list.appendChild(item);
    }
    return list;
  }
  function why(trouble, more) {
    var box = make("div", "why", said(trouble));
    if (more) { box.appendChild(make("small", "", more)); }
    return box;
  }
  function card(ecg) {
    var kind = ecg.acute ? " acute" : ecg.urgent ? " urgent" : "";
    var box = make("div", "ecg" + kind), title = make("h2", "", ecg.name), advice;
    title.appendChild(make("small", "", "  " + (ecg.patient_ref ? word("patient") + " " + ecg.patient_ref + " · " : "") + day(ecg.found_at)));
    box.appendChild(title);
    box.appendChild(make("div", "now", headline(ecg)));
    if (ecg.tier_zh) { box.appendChild(make("p", "tier" + kind, (ecg.acute ? "■ " : ecg.urgent ? "▲ " : "") + ecg["tier_" + language])); }
    box.appendChild(steps(ecg));
    if (ecg.advice) {
      advice = make("div", "advice" + (ecg.advice_heard ? " heard" : ""));
      advice.appendChild(make("h3", "", word("advice") + (ecg.advice_by ? " · " + ecg.advice_by : "")));
      advice.appendChild(make("p", "", ecg.advice));
      if (!ecg.advice_heard) { advice.appendChild(button(word("heard"), "main", "/heard?number=" + ecg.number)); }
      box.appendChild(advice);
    }
    if (ecg.record_again) { box.appendChild(why({ zh: word("record") + ecg.record_again.zh, en: word("record") + ecg.record_again.en })); }
    if (ecg.trouble) { box.appendChild(why(ecg.trouble, ecg.trouble.more)); }
    if (ecg.late) { box.appendChild(why(ecg.late)); }
    if (ecg.note) { box.appendChild(why({ zh: ecg.note, en: ecg.note })); }
    if (ecg.again) { box.appendChild(button(word("again"), "", "/again?number=" + ecg.number)); }
    if (ecg.again && !ecg.put_aside) { box.appendChild(button(word("aside"), "", "/aside?number=" + ecg.number)); }
    return box;
  }
  function replace(id, children) {
    var place = document.getElementById(id), i;
    while (place.firstChild) { place.removeChild(place.firstChild); }
    for (i = 0; i < children.length; i += 1) { place.appendChild(children[i]); }
  }
  function draw(state) {
    var cards = [], i, troubles = [], box;
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
    document.title = (state.unheard.length ? "(" + state.unheard.length + ") " : "") + word("title");
    document.getElementById("sound").firstChild.nodeValue = word(sound ? "soundOn" : "soundOff");
    replace("link", [document.createTextNode(word(state.connected ? "connected" : "off") + " · " + word("waiting") + " " + state.waiting +
      " · " + word("taken") + " " + state.taken + (state.refused ? " · " + word("refused") + " " + state.refused : ""))]);
    if (state.trouble) {
      box = make("p", "", said(state.trouble) + (language === "zh" ? "。" : ". ") + word("safe") + " ");
      if (state.heard_at) { box.appendChild(document.createTextNode(word("since") + " " + day(state.heard_at) + " ")); }
      box.appendChild(button(word("tryNow"), "", "/now"));
      troubles.push(box);
    }
    if (state.disk_trouble) { troubles.unshift(make("p", "alarm", said(state.disk_trouble) + " (" + state.disk_trouble.more + ")")); }
    if (state.watch_trouble) { troubles.push(make("p", "", state.watch_trouble)); }
    replace("trouble", troubles);
    for (i = 0; i < state.ecgs.length; i += 1) { cards.push(card(state.ecgs[i])); }
    replace("ecgs", cards.length ? cards : [make("div", "ecg", word("none"))]);
    replace("foot", [document.createTextNode(word("server") + " " + state.server + (state.clock_off_s === null ? "" :
      " · " + word("clock") + " " + state.clock_off_s.toFixed(1) + " " + word("seconds")))]);
  }
  function ring(state) {
    var i, fresh = false;
    for (i = 0; i < state.unheard.length; i += 1) { fresh = true; rung[state.unheard[i]] = true; }
    if (fresh && sound && bell.paused !== false) { try { bell.currentTime = 0; bell.play(); } catch (e) { /* silent */ } }
  }
  function ask() {
    var request = new XMLHttpRequest();
    request.open("GET", "/state");
    request.timeout = 5000;
    request.onload = function () {
      var state, text;
      if (request.status !== 200) { return; }
      state = JSON.parse(request.responseText);
      last = state;
      text = JSON.stringify([state.ecgs, state.trouble, state.waiting, state.taken, state.refused, state.watch_trouble, state.disk_trouble, state.connected, language, sound]);
      if (text !== shown) { shown = text; draw(state); }
      ring(state);
    };
    request.onerror = request.ontimeout = function () { shown = ""; replace("trouble", [make("p", "", word("gone"))]); };
    request.send();
  }

  document.getElementById("sound").appendChild(document.createTextNode(word("soundOff")));
  document.getElementById("sound").onclick = function () {
    sound = !sound;
    if (sound) { try { bell.play(); } catch (e) { /* silent */ } } else { bell.pause(); }
    shown = "";
    ask();
  };
  document.getElementById("language").onclick = function () {
    language = language === "zh" ? "en" : "zh";
    remember("language", language);
    if (last) { shown = ""; draw(last); }
  };
  ask();
  window.setInterval(ask, 1500);
}());
