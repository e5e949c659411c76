/** The texts of the chosen language as reactive state: one instance in each app. */
import { findText, type Catalogue, type Language, type Params, type TextKey } from "./i18n.ts";

export type Loaders = Readonly<Record<Language, () => Promise<{ default: Catalogue }>>>;

export class Texts {
  language: Language = $state("zh-CN");
  #catalogue: Catalogue = $state.raw({});
  readonly #loaders: Loaders;

  constructor(loaders: Loaders) {
    this.#loaders = loaders;
  }

  /** Load and show a language; `<html lang>` follows, so that Han glyphs take the right form. */
  async use(language: Language): Promise<void> {
    const loaded = await this.#loaders[language]();
    this.#catalogue = loaded.default;
    this.language = language;
    document.documentElement.lang = language;
  }

  readonly t = (key: TextKey, params?: Params): string => this.find(key, params) ?? key;

  /** The text of a key that is only known while running, such as `error.<code>`. */
  readonly find = (key: string, params?: Params): string | null =>
    findText(this.#catalogue, this.language, key, params);
}
