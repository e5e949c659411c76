/** Tenders.  The amounts come from the box or from the keypad; nothing is reckoned here. */
import type { TenderKind } from "../api/lane-view.ts";
import { till } from "./till.svelte.ts";

/** One tap, one tender: money is taken unless a scan came in just before. */
export function payCash(amountMinor: number): void {
  if (!till.settling) void pay("cash", amountMinor);
}

/** Take a tender; true when the box has it. */
export async function pay(
  kind: TenderKind,
  amountMinor: number,
  reference?: string,
): Promise<boolean> {
  const taken = await till.run("pay", (api) => api.tender(kind, amountMinor, reference));
  return taken !== null;
}
