/**
 * Matches a whole text against a glob in which `*` stands for any run of characters and `?` for one.
 * Case matters. Worst case is the product of both lengths, whatever a peer sends: no backtracking
 * regular expression is involved.
 */
export function matchesGlob(glob: string, text: string): boolean {
  let g = 0;
  let t = 0;
  let star = -1;
  let resume = 0;
  while (t < text.length) {
    if (glob[g] === '*') {
      star = g;
      resume = t;
      g += 1;
    } else if (glob[g] === '?' || (g < glob.length && glob[g] === text[t])) {
      g += 1;
      t += 1;
    } else if (star >= 0) {
      g = star + 1;
      resume += 1;
      t = resume;
    } else return false;
  }
  while (glob[g] === '*') g += 1;
  return g === glob.length;
}
