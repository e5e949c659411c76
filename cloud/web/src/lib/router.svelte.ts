/** History router: the address bar is the only store of page and filters. */

export interface Location {
  path: string;
  query: Record<string, string>;
}

function read(): Location {
  return {
    path: window.location.pathname.replace(/\/+$/, "") || "/",
    query: Object.fromEntries(new URLSearchParams(window.location.search)),
  };
}

/** The current place; components read it and re-render when it changes. */
export const place: Location = $state(read());

function take(): void {
  const next = read();
  const moved = next.path !== place.path;
  place.path = next.path;
  place.query = next.query;
  if (moved) window.scrollTo(0, 0);
}

/** Build an address from a path and the filters that are not empty. */
export function href(path: string, query: Record<string, string | number | undefined> = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return text === "" ? path : `${path}?${text}`;
}

/** Go somewhere as if a link had been followed. */
export function navigate(to: string): void {
  window.history.pushState(null, "", to);
  take();
}

/** Change filters of this page; the page number starts over unless it is among them. */
export function filter(changes: Record<string, string | number | undefined>, replace = false): void {
  const to = href(place.path, { ...place.query, page: undefined, ...changes });
  if (replace) window.history.replaceState(null, "", to);
  else window.history.pushState(null, "", to);
  take();
}

/** Follow same-origin links without a reload; returns the function that stops it. */
export function startRouter(): () => void {
  const follow = (event: MouseEvent): void => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (link === null || link.origin !== window.location.origin) return;
    if (link.target !== "" || link.hasAttribute("download") || link.pathname.startsWith("/v1/")) return;
    if (link.getAttribute("href")?.startsWith("#")) return;
    event.preventDefault();
    navigate(link.pathname + link.search);
  };
  window.addEventListener("popstate", take);
  document.addEventListener("click", follow);
  return () => {
    window.removeEventListener("popstate", take);
    document.removeEventListener("click", follow);
  };
}
