export type Role = 'client' | 'server';

/** A feature that both roles have; the number is that of its items, `DM-PACK-001-C-M` and `DM-PACK-001-S-M`. */
export interface Feature {
  readonly number: number;
  readonly name: string;
  /** Clause of the specification. */
  readonly clause: string;
  /** Whether clients must have it; servers must have all. */
  readonly client: 'M' | 'O';
  /** Asked only of clients that have this feature. */
  readonly clientNeeds?: number;
}

/** One line of the static conformance requirements (20§13). */
export interface ScrItem {
  /** `DM-PACK-014-C-M`. */
  readonly id: string;
  readonly role: Role;
  readonly mandatory: boolean;
  readonly feature: Feature;
  /** Id of the item without which this one is not asked. */
  readonly needs?: string;
}

const PACKAGE0 = 2;
const part = (number: number, name: string, clause: string, client: Feature['client']): Feature => ({
  number,
  name,
  clause,
  client,
  clientNeeds: PACKAGE0,
});

/** The features in the order of appendix B. */
export const FEATURES: readonly Feature[] = Object.freeze([
  { number: 1, name: 'Package flow', clause: '5.2', client: 'M' },
  { number: PACKAGE0, name: 'Package#0', clause: '5.2.1', client: 'O' },
  part(3, 'VER header', '5.2.1.1', 'M'),
  part(4, 'OC header', '5.2.1.1', 'M'),
  part(5, 'SERVER-ID option', '5.2.1.2', 'M'),
  part(6, 'PREFERRED-CON-TYPE option', '5.2.1.2', 'M'),
  part(7, 'NOTIFICATION-ID option', '5.2.1.2', 'O'),
  part(8, 'SHA256-DIGEST option', '5.2.1.2', 'O'),
  part(9, 'TIMESTAMP option', '5.2.1.2', 'O'),
  part(10, 'REQ-MOS option', '5.2.1.2', 'M'),
  { number: 11, name: 'Package#1', clause: '5.2.2', client: 'M' },
  { number: 12, name: 'Package#2', clause: '5.2.3', client: 'M' },
  { number: 13, name: 'Package#3', clause: '5.2.4', client: 'M' },
  { number: 14, name: 'HGET', clause: '5.3', client: 'M' },
  { number: 15, name: 'HPUT', clause: '5.3', client: 'M' },
  { number: 16, name: 'HPOST', clause: '5.3', client: 'M' },
  { number: 17, name: 'DELETE', clause: '5.3', client: 'M' },
  { number: 18, name: 'EXEC', clause: '5.3', client: 'M' },
  { number: 19, name: 'GET', clause: '5.3', client: 'O' },
  { number: 20, name: 'SHOW', clause: '5.3', client: 'O' },
  { number: 21, name: 'CONT', clause: '5.3', client: 'M' },
  { number: 22, name: 'END', clause: '5.3', client: 'M' },
  { number: 23, name: 'DEFAULT', clause: '5.3', client: 'O' },
  { number: 24, name: 'Generic Alert', clause: '5.4', client: 'M' },
  { number: 25, name: 'Synchronous reporting', clause: '5.4.1', client: 'M' },
  { number: 26, name: 'Asynchronous reporting', clause: '5.4.1', client: 'M' },
]);

/** The 26 items of a role. */
export function scrItems(role: Role): readonly ScrItem[] {
  return FEATURES.map((feature) => {
    const { clientNeeds } = feature;
    const needed = role === 'client' && clientNeeds !== undefined ? featureOf(clientNeeds) : undefined;
    return {
      id: itemId(feature, role),
      role,
      mandatory: role === 'server' || feature.client === 'M',
      feature,
      ...(needed && { needs: itemId(needed, role) }),
    };
  });
}

function featureOf(number: number): Feature | undefined {
  return FEATURES.find((feature) => feature.number === number);
}

function itemId({ number, client }: Feature, role: Role): string {
  const suffix = role === 'server' ? 'S-M' : `C-${client}`;
  return `DM-PACK-${String(number).padStart(3, '0')}-${suffix}`;
}
