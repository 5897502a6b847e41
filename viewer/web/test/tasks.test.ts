import { describe, expect, test } from "vitest";
import { homeOf } from "../src/state/session";
import {
  byCase,
  callingChannels,
  cancelledOf,
  doneOf,
  heldTasks,
  nextOwn,
  openCount,
  saidTooEarly,
  secondsLeft,
  tasksStamp,
} from "../src/state/tasks";
import type { GreenChannel, Row } from "../src/wire";
import type { ListedTask } from "../src/wireCare";
import { AT, row, somebody, task } from "./fixtures";

const channel = (change: Partial<GreenChannel>): GreenChannel => ({
  ...row().green_channel,
  state: "open",
  channel_id: "g_1",
  opened_at: AT,
  opened_by: { person: "chen", name: "陈医生" },
  ...change,
});

const opened = (change: Partial<Row> = {}): Row =>
  row({ green_channel: channel({}), tasks: [task("t_1"), task("t_2", { role: "ccu" })], ...change });

const listed = (id: string, caseId: string): ListedTask =>
  ({ ...task(id), age_s: 1, due_at: null, left_s: null, case: { case_id: caseId } }) as ListedTask;

describe("the tasks of a role", () => {
  test("stand together by case, in the order of the service", () => {
    const groups = byCase([listed("t_1", "c_2"), listed("t_2", "c_1"), listed("t_3", "c_2")]);
    expect(groups.map((group) => group.about.case_id)).toEqual(["c_2", "c_1"]);
    expect(groups[0]?.tasks.map((one) => one.task_id)).toEqual(["t_1", "t_3"]);
  });

  test("are asked for anew with every event of a case that has had a channel, and with no other", () => {
    const before = tasksStamp([opened(), row({ case_id: "c_2" })]);
    expect(tasksStamp([opened(), row({ case_id: "c_2", seq: 9 })])).toBe(before);
    expect(tasksStamp([opened({ seq: 2 })])).not.toBe(before);
  });

  test("are counted while the channel is open, and only one's own", () => {
    expect(openCount([opened()], "cathlab")).toBe(1);
    expect(openCount([opened({ tasks: [task("t_1", { state: "done" })] })], "cathlab")).toBe(0);
    expect(openCount([opened({ green_channel: channel({ state: "stood_down" }) })], "cathlab")).toBe(0);
  });

  test("that a stand-down took away are shown with its case, those done apart from them", () => {
    const down = opened({
      green_channel: channel({ state: "stood_down", reason: "早期复极" }),
      tasks: [task("t_1", { state: "cancelled" }), task("t_2", { state: "done" })],
    });
    expect(cancelledOf([down, opened()], "cathlab").map(({ tasks }) => tasks[0]?.task_id)).toEqual(["t_1"]);
    expect(doneOf([down], "cathlab").map(({ tasks }) => tasks[0]?.task_id)).toEqual(["t_2"]);
    expect(cancelledOf([down], "ccu")).toEqual([]);
  });

  test("say how long is left, how late they are, or nothing where no time is set", () => {
    expect(secondsLeft(AT, Date.parse(AT) - 60_000)).toBe(60);
    expect(secondsLeft(AT, Date.parse(AT) + 60_000)).toBe(-60);
    expect(secondsLeft(null, Date.parse(AT))).toBeNull();
    expect(secondsLeft(AT, null)).toBeNull();
  });

  test("ring at those who have not taken them, and not at who opened the channel", () => {
    const lab = somebody("cath", "cathlab");
    expect(callingChannels([opened()], lab)).toHaveLength(1);
    expect(callingChannels([opened({ tasks: [task("t_1", { state: "accepted" })] })], lab)).toEqual([]);
    const mine = opened({ green_channel: channel({ opened_by: { person: "cath", name: null } }) });
    expect(callingChannels([mine], lab)).toEqual([]);
    expect(callingChannels([opened()], null)).toEqual([]);
  });

  test("are where a role begins that has tasks and no alerts", () => {
    expect(["cathlab", "ccu", "dispatch"].map((role) => homeOf(role as never))).toEqual(
      Array(3).fill("/tasks"),
    );
    expect(["cardiologist", "ed"].map((role) => homeOf(role as never))).toEqual(Array(2).fill("/"));
    expect(homeOf("quality")).toBe("/quality");
    expect(homeOf("clinic")).toBe("/clinic");
  });

  test("that a stand-down took away, or that nobody was told of, are never what is to be done next", () => {
    const gone = task("t_1", { state: "cancelled", cancelled_at: AT });
    const done = task("t_2", { state: "done", done_at: AT });
    const untold = task("t_3", { given_at: null });
    expect(nextOwn([gone, done, untold], "cathlab")).toBeUndefined();
    const taken = task("t_4", { state: "accepted", accepted_at: AT });
    expect(nextOwn([gone, task("t_5", { role: "ccu" }), taken], "cathlab")).toBe(taken);
    expect(nextOwn([taken], undefined)).toBeUndefined();
  });
});

describe("on one's own page", () => {
  const done = task("t_1", { state: "done", done_at: AT });
  const channelOpen = (change: Partial<Row> = {}) => opened({ tasks: [done, task("t_2")], ...change });
  const ids = (tasks: readonly ListedTask[]) => tasks.map((each) => `${each.task_id} ${each.state}`);
  const shown = [listed("t_1", "c_1"), listed("t_2", "c_1")];

  test("a task that was done stays in its place, ticked, as long as its case has others", () => {
    const rowOf = () => channelOpen();
    expect(ids(heldTasks(shown, [listed("t_2", "c_1")], rowOf, true))).toEqual(["t_1 done", "t_2 given"]);
    expect(ids(heldTasks(shown, [listed("t_2", "c_1")], rowOf, false))).toEqual(["t_1 done", "t_2 given"]);
    expect(ids(heldTasks(shown, shown, rowOf, true))).toEqual(["t_1 done", "t_2 given"]);
    expect(ids(heldTasks(shown, [], rowOf, true))).toEqual(["t_1 done"]);
    expect(heldTasks(shown, [], rowOf, false)).toEqual([]);
  });

  test("no case moves while the list is held, and what is new comes last", () => {
    const more = [listed("t_9", "c_9"), listed("t_2", "c_1"), listed("t_1", "c_1")];
    const rowOf = () => opened();
    expect(heldTasks(shown, more, rowOf, true).map((each) => each.task_id)).toEqual(["t_1", "t_2", "t_9"]);
    expect(heldTasks(shown, more, rowOf, false).map((each) => each.task_id)).toEqual(["t_9", "t_1", "t_2"]);
  });

  test("what was taken away is gone at once, and no name outlives the list that had it", () => {
    const down = () => channelOpen({ green_channel: channel({ state: "stood_down" }) });
    expect(heldTasks(shown, [], down, true)).toEqual([]);
    const named = shown.map((each) => ({ ...each, case: { ...each.case, name: "某某" } }));
    expect(heldTasks(named, [], () => channelOpen(), true)[0]?.case.name).toBeNull();
  });

  test("what is said before that which it follows is asked back", () => {
    const wire = task("t_4", { kind: "pass_wire" });
    const door = task("t_0", { kind: "receive_patient" });
    const lab = task("t_3", { kind: "patient_in_cathlab" });
    const begun = task("t_5", { kind: "start_angiography", state: "done" });
    expect(saidTooEarly(wire, [door, lab, begun, wire])).toBe(lab);
    expect(saidTooEarly(wire, [{ ...lab, state: "done" }, begun, wire])).toBeNull();
    expect(saidTooEarly(lab, [door, lab])).toBe(door);
    expect(saidTooEarly(lab, [lab])).toBeNull();
    expect(saidTooEarly(task("t_6"), [door, lab])).toBeNull();
  });
});
