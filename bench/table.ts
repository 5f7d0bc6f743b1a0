/** A row: the name of the subject, and figures by column name. */
export interface Row {
  name: string;
  [column: string]: number | string;
}

/** Prints rows under their column names, right-aligned. */
export function printTable(title: string, rows: Row[]): void {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((column) => column !== "name");
  const cells = [["", ...columns], ...rows.map((row) => [row.name, ...columns.map((column) => format(row[column]))])];
  const widths = cells[0]?.map((_, index) => Math.max(...cells.map((line) => line[index]?.length ?? 0))) ?? [];
  process.stdout.write(`\n${title}\n`);
  for (const line of cells) {
    const padded = line.map((cell, index) => (index === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[index] ?? 0)));
    process.stdout.write(`  ${padded.join("   ")}\n`);
  }
}

function format(value: number | string | undefined): string {
  if (typeof value !== "number") return value ?? "";
  return Math.abs(value) >= 1_000 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(2);
}
