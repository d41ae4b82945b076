import { type Cell, type Side, STEPS } from './steps.ts';

export interface Matrix {
  readonly devices: readonly Side[];
  readonly backends: readonly Side[];
  cell(device: Side, backend: Side): Cell;
}

/** The page `docs/matrix.md`. */
export function matrixPage(matrix: Matrix): string {
  const { devices, backends } = matrix;
  const lines = [
    '# Matrix',
    '',
    '<!-- Generated from test/matrix by `npm run matrix`; a test asserts that it is up to date. -->',
    '',
    'One scenario, run through every pair of a device and a backend by simulated peers on both sides of a',
    'gateway with its default settings. A step **holds** when its effect was seen at the far end: the value',
    'at the backend, the change on the device, the page with the user. A number is the status that the',
    "backend was told instead; a dash means that the backend's protocol has no words for the step.",
    'DM 1.1.2 has no Generic Alerts: such a device tells nothing of itself, and reports nothing later.',
    '',
    '## Overview',
    '',
    `| device | ${backends.map(({ title }) => title).join(' | ')} |`,
    `| --- |${' --- |'.repeat(backends.length)}`,
    ...devices.map((device) => {
      const cells = backends.map((backend) => summary(matrix.cell(device, backend)));
      return `| ${device.title} | ${cells.join(' | ')} |`;
    }),
    '',
  ];
  for (const device of devices) lines.push(...section(matrix, device));
  return `${lines.join('\n').trimEnd()}\n`;
}

/** How many of the steps that can be said hold. */
function summary({ outcomes }: Cell): string {
  const said = STEPS.filter(({ id }) => outcomes[id] !== '-');
  return `${said.filter(({ id }) => outcomes[id] === 'holds').length} of ${said.length}`;
}

function section(matrix: Matrix, device: Side): string[] {
  const { backends } = matrix;
  const cells = backends.map((backend) => ({ backend, cell: matrix.cell(device, backend) }));
  const noted = new Map<string, string[]>();
  for (const { backend, cell } of cells) {
    for (const note of cell.notes) noted.set(note, [...(noted.get(note) ?? []), backend.title]);
  }
  return [
    `## ${device.title}`,
    '',
    `| step | ${backends.map(({ title }) => title).join(' | ')} |`,
    `| --- |${' --- |'.repeat(backends.length)}`,
    ...STEPS.map(({ id, text }) => `| ${text} | ${cells.map(({ cell }) => cell.outcomes[id]).join(' | ')} |`),
    '',
    ...(noted.size === 0 ? ['The traces note nothing.'] : ['Noted in the traces:', '']),
    ...[...noted].map(([note, where]) => `- ${note} _(${where.join(', ')})_`),
    '',
  ];
}
