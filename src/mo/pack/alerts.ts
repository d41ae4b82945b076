import type { PackError, ReadPack } from './document.ts';

/** Alert types of both generations, each way (IW-ALERT-2). */
export interface AlertTable {
  toDm2(type: string): string;
  toDm1(type: string): string;
}

export function compileAlerts(packs: readonly ReadPack[], errors: PackError[]): AlertTable {
  const forth = new Map<string, string>();
  const back = new Map<string, string>();
  for (const pack of packs) {
    for (const [i, { dm2, legacy }] of (pack.document.alerts ?? []).entries()) {
      const at = ['alerts', String(i)];
      if (back.has(dm2)) errors.push(pack.error([...at, 'dm2'], `"${dm2}" has a row already`));
      back.set(dm2, legacy[0]!);
      for (const [j, name] of legacy.entries()) {
        const key = name.toLowerCase();
        if (forth.has(key))
          errors.push(pack.error([...at, 'legacy', String(j)], `"${name}" has a row already`));
        forth.set(key, dm2);
      }
    }
  }
  return {
    // Clients write these names in any case and with blanks around them (1x§16.1).
    toDm2: (type) => forth.get(type.trim().toLowerCase()) ?? type.trim(),
    toDm1: (type) => back.get(type) ?? type,
  };
}
