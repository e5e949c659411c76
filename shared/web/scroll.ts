/**
 * Svelte attachment: an element that scrolls and holds nothing that takes the focus must take it
 * itself, or the keyboard cannot scroll it.  One that does not scroll stays out of the tab order.
 */
const FOCUSABLE = "button:not(:disabled), input:not(:disabled), a[href], select, textarea, summary";

export function scrollable(element: HTMLElement): () => void {
  const look = (): void => {
    const scrolls =
      element.scrollHeight > element.clientHeight || element.scrollWidth > element.clientWidth;
    if (scrolls && element.querySelector(FOCUSABLE) === null) element.tabIndex = 0;
    else element.removeAttribute("tabindex");
  };
  const sizes = new ResizeObserver(look);
  sizes.observe(element);
  const contents = new MutationObserver(look);
  contents.observe(element, { childList: true, subtree: true, characterData: true });
  return () => {
    sizes.disconnect();
    contents.disconnect();
  };
}
