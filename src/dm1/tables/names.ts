import { PAGES } from './pages.ts';

/**
 * Finds an element by a stretch of text without cutting the text out: open addressing over a hash of
 * length, first, middle and last character.
 */
export class NameTable {
  private readonly ids: Int16Array;
  private readonly names: string[];
  private readonly mask: number;

  constructor(pages: readonly number[]) {
    const size = 512;
    this.mask = size - 1;
    this.ids = new Int16Array(size).fill(-1);
    this.names = new Array<string>(size).fill('');
    for (const page of pages) {
      PAGES[page]?.forEach((name, token) => {
        if (name === '') return;
        let slot = hash(name, 0, name.length) & this.mask;
        while (this.ids[slot] !== -1) slot = (slot + 1) & this.mask;
        this.ids[slot] = (page << 6) | token;
        this.names[slot] = name;
      });
    }
  }

  /** The element whose name is `text[start, end)`, or -1. */
  find(text: string, start: number, end: number): number {
    let slot = hash(text, start, end) & this.mask;
    for (;;) {
      const id = this.ids[slot]!;
      if (id === -1) return -1;
      const name = this.names[slot]!;
      if (name.length === end - start) {
        let i = 0;
        while (i < name.length && name.charCodeAt(i) === text.charCodeAt(start + i)) i++;
        if (i === name.length) return id;
      }
      slot = (slot + 1) & this.mask;
    }
  }
}

function hash(text: string, start: number, end: number): number {
  const length = end - start;
  return (
    length * 67 +
    text.charCodeAt(start) * 31 +
    text.charCodeAt(start + (length >> 1)) * 7 +
    text.charCodeAt(end - 1) * 17
  );
}

/** SyncML and MetInf share no name, so real peers' mixed-up namespaces (1x§15.5) do no harm. */
export const SYNCML_NAMES = new NameTable([0, 1]);
/** TNDS and DDF elements. */
export const DMDDF_NAMES = new NameTable([2]);
