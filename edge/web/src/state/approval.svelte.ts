/** What waits for a colleague's word: the dialog shows it, the command waits for the outcome. */
import type { Params } from "@tillbox/web/i18n.ts";
import type { LaneView } from "../api/lane-view.ts";

export const NEEDED = "approval.needed";

export class Asking {
  readonly number: string;
  readonly permission: string;
  readonly params: Params;
  readonly outcome: Promise<boolean>;
  #settle: (given: boolean) => void = () => {};

  constructor(params: Params) {
    this.params = params;
    this.number = String(params["approval"]);
    this.permission = String(params["permission"]);
    this.outcome = new Promise((settle) => (this.#settle = settle));
  }

  given(): void {
    this.#settle(true);
  }
  dropped(): void {
    this.#settle(false);
  }

  /** A badge at the lane's scanner may have vouched; a lane that nobody has any more asks nothing. */
  applied(view: LaneView): void {
    if (view.operator === null) this.dropped();
    else if (view.approval?.number === this.number && view.approval.approver !== "") this.given();
  }
}
