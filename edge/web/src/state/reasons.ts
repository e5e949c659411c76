/** Reasons an operator may give.  The code goes into the journal, the text is only shown. */
import { t } from "./till.svelte.ts";

export const REASONS = {
  dismiss: ["not_wanted", "misread", "not_in_catalogue", "not_goods"],
  remove: ["not_wanted", "scanned_twice", "wrong_item", "no_money"],
  override: ["deal", "shelf_label", "damaged", "competitor", "manager"],
  void: ["customer_left", "no_money", "test", "mistake"],
  shelf: ["refilled", "elsewhere", "sold_out", "sensor_wrong"],
  cold: ["goods_moved", "called_service", "defrosting", "door_shut"],
  drawer: ["change", "count", "pickup", "check"],
} as const;

export type Act = keyof typeof REASONS;

export function reasonText<A extends Act>(act: A, reason: (typeof REASONS)[A][number]): string {
  return t(`till.reason.${act}.${reason}` as Parameters<typeof t>[0]);
}
