const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const date = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" });

export const asTime = (instant: string) => time.format(new Date(instant));

export function asDay(instant: string): string {
  const then = new Date(instant).toDateString();
  return then === new Date().toDateString() ? "Today" : day.format(new Date(instant));
}

/** The time if the instant is today, otherwise the date. */
export const asShortTime = (instant: string) => (asDay(instant) === "Today" ? asTime(instant) : date.format(new Date(instant)));

const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

export const asMoment = (instant: string) => moment.format(new Date(instant));
