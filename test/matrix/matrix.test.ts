import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type Running, run } from '../crossing/gateway.ts';
import { builtinColumn, type ColumnBackend, dm2Column, legacyColumn, site } from './backends.ts';
import { dm2Row, legacyRow, type Row } from './devices.ts';
import { matrixPage } from './page.ts';
import { type Cell, type Outcome, STEPS, type StepId } from './steps.ts';

const PAGE = new URL('../../docs/matrix.md', import.meta.url);

const ROWS: readonly Row[] = [
  legacyRow('1.1', 'DM 1.1.2 device'),
  legacyRow('1.2', 'DM 1.2 device'),
  legacyRow('1.3', 'DM 1.3 device'),
  dm2Row('draft-text-1', 'DM 2.0 first text draft (`draft-text-1`)'),
  dm2Row('draft-text-2', 'DM 2.0 second text draft (`draft-text-2`)'),
  dm2Row('draft-text-3', 'DM 2.0 third text draft (`draft-text-3`)'),
  dm2Row('draft-json', 'DM 2.0 JSON draft (`draft-json`)'),
  dm2Row('approved', 'DM 2.0 approved (`approved`)'),
];

async function columns(): Promise<readonly ColumnBackend[]> {
  const page = await site();
  const rowOf = (id: string) => ROWS.find((row) => id.startsWith(`${row.id}:`))!;
  return [
    await legacyColumn('DM 1.2 server', rowOf),
    await dm2Column('draft-text-1', '`draft-text-1`', page),
    await dm2Column('draft-text-2', '`draft-text-2`', page),
    await dm2Column('draft-text-3', '`draft-text-3`', page),
    await dm2Column('draft-json', '`draft-json`', page),
    await dm2Column('approved', '`approved`', page),
    await builtinColumn('built-in', page),
  ];
}

/** Something of this run only: addresses, ports, tokens, correlators, times. */
function neutral(text: string): string {
  return text
    .replace(/https?:\/\/[^\s"'),]+/g, 'URL')
    .replace(/\b[A-Za-z0-9_-]{43}\b/g, 'TOKEN')
    .replace(/\|/g, '\\|');
}

async function play(
  gateway: Running,
  row: Row,
  column: ColumnBackend,
): Promise<{ cell: Cell; wrong: readonly string[] }> {
  const deviceId = `${row.id}:${column.id}`;
  await column.prepare(gateway, deviceId);
  const device = row.device(gateway.dm, deviceId);
  const wrong = await device.run();
  const expected = (id: StepId) => column.said.has(id);
  let seen = await column.seen(gateway, deviceId);
  // Alerts and reports may travel in sessions of their own.
  for (let tries = 0; row.alerts && tries < 400; tries += 1) {
    if (seen.execute !== '202' && seen.alert === 'holds') break;
    await new Promise((resolve) => setTimeout(resolve, 25));
    seen = await column.seen(gateway, deviceId);
  }
  const changed = device.seen();
  const outcome = (id: StepId): Outcome => {
    if (!expected(id)) return '-';
    const there = changed[id];
    return there === true ? 'holds' : (seen[id] ?? 'nothing');
  };
  const notes = (await gateway.notes(deviceId)).map(({ rule, text }) => `[${rule}] ${neutral(text)}`);
  const cell: Cell = {
    outcomes: Object.fromEntries(STEPS.map(({ id }) => [id, outcome(id)])) as Cell['outcomes'],
    notes: [...new Set(notes)].sort(),
  };
  return { cell, wrong: wrong.map((text) => `${row.id} on ${column.id}: ${text}`) };
}

it('docs/matrix.md is what one scenario through every pair gives; DRAGOMAN_TEST_WRITE=1 writes it [IW-REL-1] [IW-SES-6] [IW-SES-7]', async () => {
  const backends = await columns();
  const gateway = await run({
    backends: Object.fromEntries(
      backends.flatMap(({ id, config }) => (config === undefined ? [] : [[id, config]])),
    ),
    routes: backends
      .filter(({ config }) => config !== undefined)
      .map(({ id }) => ({ match: { deviceId: `*:${id}` }, backend: id })),
    dialects: ROWS.flatMap(({ id, dialect }) =>
      dialect === 'draft-json' || dialect === 'draft-text-3' ? [{ deviceId: `${id}:*`, dialect }] : [],
    ),
    outbound: { allow: ['127.0.0.1'] },
    limits: { requestsPerDevice: 10_000 },
  });
  const cells = new Map<string, Cell>();
  const breaches: string[] = [];
  for (const row of ROWS) {
    for (const column of backends) {
      const { cell, wrong } = await play(gateway, row, column);
      cells.set(`${row.id} ${column.id}`, cell);
      breaches.push(...wrong);
    }
  }
  breaches.push(...backends.flatMap((column) => column.wrong().map((text) => `${column.id}: ${text}`)));
  expect(breaches).toEqual([]);
  const page = matrixPage({
    devices: ROWS,
    backends,
    cell: (device, backend) => cells.get(`${device.id} ${backend.id}`)!,
  });
  if (process.env['DRAGOMAN_TEST_WRITE'] === '1') writeFileSync(PAGE, page);
  expect(page).toBe(readFileSync(PAGE, 'utf8'));
}, 300_000);
