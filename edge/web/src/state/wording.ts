/** Words for the codes that the box sends: kinds of savings, reasons, states. */
import type { Modifier, Tender, UnknownCode } from "../api/lane-view.ts";
import { t, texts } from "./till.svelte.ts";

/** What a price modifier is, in a few words. */
export function modifierText(modifier: Pick<Modifier, "kind">): string {
  return texts.find(`till.modifier.${modifier.kind}`) ?? t("till.modifier.other");
}

export function tenderText(tender: Pick<Tender, "kind">): string {
  return t(`tender.${tender.kind}`);
}

/** Why a code is no item: `because` is an error code of the barcode reader, or "unknown". */
export function unknownBecause({ because, code }: UnknownCode): string {
  return (
    texts.find(`error.${because}`, { code, gtin: code, length: code.length }) ?? t("till.unknown.not_found")
  );
}
