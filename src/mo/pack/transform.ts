import type { TransformEntry } from './schema.ts';

/** A value transform of both directions; what it does not know passes unchanged. */
export interface Transform {
  toDm2(value: string): string;
  toLegacy(value: string): string;
}

/** Compiles a declared transform, or says why it cannot be reversed. */
export function compileTransform(entry: TransformEntry): Transform | string {
  if ('values' in entry) return valueTable(entry.values);
  if ('strip' in entry) return prefix(entry.strip, entry.digits ?? false);
  return spelling(entry.boolean.true, entry.boolean.false);
}

function valueTable(values: Readonly<Record<string, string>>): Transform | string {
  const forth = new Map(Object.entries(values));
  const back = new Map<string, string>();
  for (const [dm2, legacy] of forth) {
    const other = back.get(legacy);
    if (other !== undefined)
      return `"${other}" and "${dm2}" both become "${legacy}", which cannot be reversed`;
    back.set(legacy, dm2);
  }
  return {
    toDm2: (value) => back.get(value) ?? value,
    toLegacy: (value) => forth.get(value) ?? value,
  };
}

function prefix(strip: string, digits: boolean): Transform {
  const fits = (rest: string) => !digits || /^\d+$/.test(rest);
  return {
    toDm2: (value) =>
      value.startsWith(strip) && fits(value.slice(strip.length)) ? value.slice(strip.length) : value,
    toLegacy: (value) => (fits(value) && !value.startsWith(strip) ? strip + value : value),
  };
}

function spelling(yes: readonly string[], no: readonly string[]): Transform | string {
  const words = new Map<string, string>([
    ['true', 'true'],
    ['false', 'false'],
  ]);
  for (const word of yes) words.set(word.toLowerCase(), 'true');
  for (const word of no) {
    if (yes.some((other) => other.toLowerCase() === word.toLowerCase()))
      return `"${word}" cannot mean both true and false`;
    words.set(word.toLowerCase(), 'false');
  }
  return {
    toDm2: (value) => words.get(value.trim().toLowerCase()) ?? value,
    toLegacy: (value) => {
      const truth = value.toLowerCase();
      if (truth === 'true') return yes[0] ?? value;
      return truth === 'false' ? (no[0] ?? value) : value;
    },
  };
}
