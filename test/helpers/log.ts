import { pino } from "pino";

interface Line {
  level: number;
  msg: string;
  problems?: string[];
}

const WARN = 40; // pino's level number

/** Creates a log whose lines a test can read. */
export function recordedLog() {
  const lines: Line[] = [];
  const log = pino({ level: "info" }, { write: (line: string) => void lines.push(JSON.parse(line) as Line) });
  return {
    log,
    lines,
    /** Warnings, errors, and lines about Redis, in order. */
    forOperator: () => lines.filter(({ level, msg }) => level >= WARN || /^Redis /.test(msg)).map(({ msg }) => msg),
    warnings: () => lines.filter(({ level }) => level >= WARN).map(({ msg }) => msg),
  };
}
