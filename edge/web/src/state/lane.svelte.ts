/** The lane as this page knows it: the last view and status, and whether the box still speaks. */
import { openFeed, perFrame, type Feed, type LinkState } from "@tillbox/web/sse.ts";
import type { BoxStatus, LaneView, ScaleView } from "../api/lane-view.ts";
import { withKeptLines } from "./kept-lines.ts";

export interface LaneWatchers {
  /** Called at once for each view, before it is painted: sounds belong here. */
  onArrived: (view: LaneView, previous: LaneView | null) => void;
  /** Called after a view has become the state, once per animation frame. */
  onApplied: (view: LaneView, previous: LaneView | null) => void;
  onStatus: (status: BoxStatus) => void;
  onLink: (link: LinkState) => void;
}

export class Lane {
  view: LaneView | null = $state.raw(null);
  status: BoxStatus | null = $state.raw(null);
  /** The lane's scale; null where it has none. */
  scale: ScaleView | null = $state.raw(null);
  link: LinkState = $state("connecting");
  /** Wall-clock milliseconds, moved on once a second; ages are told against it. */
  now = $state(Date.now());
  /** The box's clock minus this browser's: ages of box instants must not mix the two. */
  #skewMs = 0;
  #lastSeenAt = $state(Date.now());
  #arrived: LaneView | null = null;
  #feed: Feed | null = null;
  #open = (): void => {};
  #clock: ReturnType<typeof setInterval> | undefined;

  readonly silent = $derived(this.link === "silent");
  readonly silentMs = $derived(this.now - this.#lastSeenAt);

  start(url: string, watchers: LaneWatchers): void {
    this.#open = () => this.#openFeed(url, watchers);
    this.#open();
    this.#clock = setInterval(() => (this.now = Date.now()), 1000);
  }

  /** Ask for the stream anew, as who is signed in now; what is shown stays meanwhile. */
  reopen(): void {
    this.#feed?.close();
    this.#open();
  }

  #openFeed(url: string, watchers: LaneWatchers): void {
    const apply = perFrame<LaneView>((views) => {
      const last = views.at(-1);
      if (last === undefined) return;
      const previous = this.view;
      this.view = withKeptLines(last, previous);
      watchers.onApplied(last, previous);
    });
    this.#feed = openFeed({
      url,
      on: {
        view: (data) => {
          const view = JSON.parse(data) as LaneView;
          this.#seen();
          watchers.onArrived(view, this.#arrived);
          this.#arrived = view;
          apply(view);
        },
        scale: (data) => {
          this.#seen();
          this.scale = JSON.parse(data) as ScaleView;
        },
        status: (data) => {
          const status = JSON.parse(data) as BoxStatus;
          this.#skewMs = status.t - Date.now();
          this.#seen();
          this.status = status;
          watchers.onStatus(status);
        },
      },
      onLink: (link) => {
        this.link = link;
        watchers.onLink(link);
      },
    });
  }

  stop(): void {
    this.#feed?.close();
    clearInterval(this.#clock);
    this.view = null;
    this.status = null;
    this.scale = null;
    this.#arrived = null;
  }

  /** Milliseconds since an instant of the box's clock. */
  ageMs(atMs: number): number {
    return Math.max(0, this.now + this.#skewMs - atMs);
  }

  #seen(): void {
    this.#lastSeenAt = Date.now();
  }
}
