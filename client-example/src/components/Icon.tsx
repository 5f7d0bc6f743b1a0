const PATHS = {
  add: "M12 5v14M5 12h14",
  back: "M15 5l-7 7 7 7",
  close: "M6 6l12 12M18 6L6 18",
  delete: "M5 7h14M10 7V5h4v2M7 7l1 12h8l1-12",
  down: "M12 5v13M6 12l6 6 6-6",
  edit: "M5 19l1-4L16 5l3 3L9 18zM14 7l3 3",
  leave: "M10 5H5v14h5M10 12h10M16 8l4 4-4 4",
  people: "M9 11a3 3 0 100-6 3 3 0 000 6zM3 19c0-4 12-4 12 0M16 11a2.5 2.5 0 000-5M17 14c3 0 4 2 4 4",
  pin: "M9 4h6l-1 6 3 3H7l3-3zM12 13v7",
  react: "M12 21a9 9 0 100-18 9 9 0 000 18zM8.5 14c1.5 3 5.500 3 7 0M9 9.500v.5M15 9.500v.5",
  reply: "M10 7l-5 5 5 5M5 12h9c3 0 5 2 5 5",
  search: "M11 17a6 6 0 100-12 6 6 0 000 12zM20 20l-4.500-4.500",
  send: "M5 12h13M12 6l6 6-6 6",
  stop: "M7 7h10v10H7z",
} as const;

/** A drawing beside a word, or in a button with an `aria-label`. */
export function Icon({ name }: { name: keyof typeof PATHS }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
