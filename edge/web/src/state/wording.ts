/** Words for the codes that the box sends: kinds of savings, reasons, states. */
import type { Modifier, Tender, Told, UnknownCode } from "../api/lane-view.ts";
import { t, texts, till } from "./till.svelte.ts";

/** What a price modifier is, in a few words; an offer by its name. */
export function modifierText(modifier: Pick<Modifier, "kind"> & Partial<Modifier>): string {
  const name = modifier.params?.["name"];
  if (typeof name === "string") return name;
  return texts.find(`till.modifier.${modifier.kind}`) ?? t("till.modifier.other");
}

/** What an offer nearly gives, as the cashier may say it to the customer. */
export function hintText(told: Told): string {
  return texts.find(`offer.hint.${told.code}`, till.shown({ ...told.params, name: told.name })) ?? told.name;
}

/** Why an offer gives nothing. */
export function whyText(told: Told): string {
  return texts.find(`offer.why.${told.code}`, till.shown(told.params)) ?? told.code;
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
