/** Two texts beside each other, lines wrapped to `width` in all. */
export function sideBySide(left: readonly string[], right: readonly string[], width: number): string[] {
  const column = Math.max(20, Math.floor((width - 3) / 2));
  const a = left.flatMap((line) => wrap(line, column));
  const b = right.flatMap((line) => wrap(line, column));
  const lines: string[] = [];
  for (let i = 0; i < Math.max(a.length, b.length); i += 1) {
    lines.push(`${(a[i] ?? '').padEnd(column)} │ ${b[i] ?? ''}`.trimEnd());
  }
  return lines;
}

/** Breaks a line at blanks where it can; what follows keeps its indentation and two blanks more. */
export function wrap(line: string, width: number): string[] {
  const indent = Math.min(line.length - line.trimStart().length + 2, Math.floor(width / 2));
  const lines: string[] = [];
  let rest = line;
  while (rest.length > width) {
    const blank = rest.lastIndexOf(' ', width);
    const at = blank > indent + width / 3 ? blank : width;
    lines.push(rest.slice(0, at));
    rest = ' '.repeat(indent) + rest.slice(at).trimStart();
  }
  lines.push(rest);
  return lines;
}

/** Escape sequences, or nothing where nobody wants them. */
export function painter(
  color: boolean,
): (style: 'bold' | 'dim' | 'green' | 'red' | 'cyan', text: string) => string {
  const codes = { bold: 1, dim: 2, red: 31, green: 32, cyan: 36 };
  return (style, text) => (color ? `\u001b[${codes[style]}m${text}\u001b[0m` : text);
}
