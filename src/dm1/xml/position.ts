/** `line:column`, both from 1. */
export function lineAndColumn(text: string, position: number): string {
  let line = 1;
  let start = 0;
  for (let at = text.indexOf('\n'); at >= 0 && at < position; at = text.indexOf('\n', start)) {
    line++;
    start = at + 1;
  }
  return `${line}:${Math.min(position, text.length) - start + 1}`;
}
