/** What a screen reader says when the lane has changed. */
import type { Notices } from "@tillbox/web/components/notices.svelte.ts";
import type { Params, TextKey } from "@tillbox/web/i18n.ts";
import type { LaneView } from "../api/lane-view.ts";

interface Voice {
  readonly notices: Notices;
  readonly t: (key: TextKey, params?: Params) => string;
  readonly money: (minor: number) => string;
  readonly quantity: (milli: number) => string;
}

/** Say the one thing that matters most in the step from `previous` to `view`. */
export function speakChange(view: LaneView, previous: LaneView, { notices, t, money, quantity }: Voice): void {
  if (view.state === "done" && view.done !== null && previous.done === null) {
    const { change_minor, receipt_no } = view.done;
    notices.say(t("till.say.done", { change: money(change_minor), receipt: receipt_no }));
    return;
  }
  const total = money(view.basket.due_minor);
  const scan = view.last_scan;
  if (scan !== null && scan.no !== previous.last_scan?.no) {
    const name = scan.name ?? scan.code;
    if (scan.kind === "unknown") notices.say(t("till.say.unknown", { code: scan.code }), true);
    else if (scan.kind === "lost" || scan.kind === "pairing" || scan.kind === "refused") {
      notices.say(t(`till.scan.${scan.kind}`), true);
    }
    else if (scan.kind === "member") notices.say(t("till.say.member", { total }));
    else if (scan.kind === "weigh") notices.say(t("till.say.weigh", { name }));
    else if (scan.kind === "coupon") notices.say(t("till.say.coupon", { code: scan.code, total }));
    else notices.say(t("till.say.scan", { name, price: money(scan.price_minor ?? 0), total }));
    return;
  }
  const line = view.basket.lines.find((one) => one.n === view.touched_line);
  const before = previous.basket.lines.find((one) => one.n === line?.n);
  if (line !== undefined && before !== undefined && line.qty_milli !== before.qty_milli) {
    notices.say(t("till.say.quantity", { name: line.name, quantity: quantity(line.qty_milli), total }));
  } else if (view.basket.due_minor !== previous.basket.due_minor && view.state === "selling") {
    notices.say(t("till.say.total", { total }));
  }
}
