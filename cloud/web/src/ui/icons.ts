/** The shared icons and those that only the console needs, on the same 24 x 24 grid. */
import { ICONS as SHARED } from "@tillbox/web/components/icons.ts";

export const ICONS = {
  ...SHARED,
  arrow: "M4.5 12h14M13 6.5l5.5 5.5-5.5 5.5",
  calendar: "M4 6h16v14H4zM4 10.5h16M8.5 3.5V7M15.5 3.5V7",
  copy: "M8.5 8.5h11v11h-11zM15.5 8.5v-4h-11v11h4",
  download: "M12 4v11.5M7.5 11.5 12 16l4.5-4.5M4 20h16",
  grid: "M4 4h6.5v6.5H4zM13.5 4H20v6.5h-6.5zM4 13.5h6.5V20H4zM13.5 13.5H20V20h-6.5z",
  history: "M4 12a8 8 0 1 0 2.6-5.9L4 8.5M4 4v4.5h4.5M12 7.5V12l3 2",
  inbox: "M4 13.5 6.5 5h11L20 13.5V19H4zM4 13.5h4.5l1.2 2.5h4.6l1.2-2.5H20",
  target: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17M8 12.2l2.8 2.8 5.2-5.7",
  upload: "M12 15.5V4M7.5 8.5 12 4l4.5 4.5M4 20h16",
} as const;

export type IconName = keyof typeof ICONS;
