import { describe, expect, it } from 'vitest';
import { xmlToWbxml } from '../../src/dm1/codec.ts';
import type { Command, ItemCommand } from '../../src/dm1/message.ts';
import { BOX, ID, known } from './box.ts';
import { listening, type Wired } from './harness.ts';
import {
  addressOf,
  headerOk,
  item,
  kindOf,
  type RawDevice,
  results,
  type Said,
  status,
  talk,
} from './quirks.ts';

/** HGET on legacy devices that have Atomic, lack it, or only say that they have it (IW-HGET-3, 1x§3.2). */

const INTERIOR = '<Meta><Format xmlns="syncml:metinf">node</Format></Meta>';
const START = { './Box/A': 'a', './Box/B': 'b', './Box/Run': '' };
/** What the document makes of them. */
const WANTED = { './Box/A': 'new', './Box/B': 'newer', './Box/Run': '', './Box/C': 'added' };

function documents(): Promise<string> {
  return listening((_request, response) => {
    const body = JSON.stringify({ Box: { A: 'new', B: 'newer', Run: '', C: 'added' } });
    response.writeHead(200, { 'content-type': 'application/vnd.oma.dm.mo+json' }).end(body);
  });
}

type Values = Record<string, string>;

/** Does what a command says to the values; 405 for those of `refused`. */
function execute(values: Values, command: ItemCommand, refused: string | undefined): number {
  const uri = addressOf(command);
  if (uri === refused) return 405;
  switch (command.kind) {
    case 'Add':
      if (uri in values) return 418;
      break;
    case 'Replace':
    case 'Delete':
      if (!(uri in values)) return 404;
      break;
    default:
      return 405;
  }
  if (command.kind === 'Delete') delete values[uri];
  else values[uri] = String(command.items[0]!.data);
  return 200;
}

/** What a device says to an Atomic and its children, and does. `undefined`: it gives no Status. */
type Habit = (
  values: Values,
  children: readonly ItemCommand[],
) => { atomic?: number; children?: readonly (number | undefined)[] };

/** Executes until one fails, as all devices do; what becomes of that is the habit's. */
function begun(values: Values, children: readonly ItemCommand[], refused?: string) {
  const before = { ...values };
  const codes: number[] = [];
  for (const child of children) {
    codes.push(execute(values, child, refused));
    if (codes.at(-1)! >= 300) break;
  }
  const failed = codes.at(-1)! >= 300;
  const undo = () => {
    for (const name of Object.keys(values)) delete values[name];
    Object.assign(values, before);
  };
  const rest = children.slice(codes.length).map(() => 215);
  const executed = (code: number) => codes.map((c) => (c < 300 ? code : c));
  return { failed, undo, rest, executed };
}

function device(values: Values, habit: Habit, refused: string | undefined): (said: Said) => string {
  return (said) => {
    const { msgId } = said.message.header;
    const out: string[] = [];
    const told = (command: Command, code: number | undefined): void => {
      if (code !== undefined) out.push(status(out.length + 2, msgId, command.cmdId, kindOf(command), code));
    };
    const run = (command: Command): void => {
      if (command.kind === 'Atomic') {
        const children = command.commands as readonly ItemCommand[];
        const { atomic, children: codes = [] } = habit(values, children);
        told(command, atomic);
        for (const [i, child] of children.entries()) told(child, codes[i]);
      } else if (command.kind === 'Sequence') {
        told(command, 200);
        for (const child of command.commands) run(child);
      } else if (command.kind === 'Get') {
        const uri = addressOf(command);
        const names = Object.keys(values).map((path) => path.split('/').at(-1));
        const value = uri === './Box' ? item(uri, names.join('/'), INTERIOR) : item(uri, values[uri] ?? '');
        const found = uri === './Box' || uri in values;
        told(command, found ? 200 : uri.includes('?') ? 406 : 404);
        if (found) out.push(results(out.length + 2, msgId, command.cmdId, value));
      } else if (command.kind === 'Alert') told(command, 200);
      else told(command, execute(values, command as ItemCommand, refused));
    };
    for (const element of said.message.body) if (element.kind !== 'Status') run(element as Command);
    return `${headerOk(said)}${out.join('')}<Final/>`;
  };
}

/** Kinds of the commands that change something, message by message; groups as `Atomic(…)`. */
const changes = (said: readonly Said[]) =>
  said.flatMap(({ message }) =>
    message.body.flatMap((e) => {
      if (e.kind === 'Atomic' || e.kind === 'Sequence')
        return [`${e.kind}(${e.commands.map(({ kind }) => kind).join(' ')})`];
      return e.kind === 'Add' || e.kind === 'Replace' || e.kind === 'Delete' ? [e.kind] : [];
    }),
  );

const ALL = 'Replace Replace Add';

describe.each(['xml', 'wbxml'] as const)('an Atomic on a device in %s', (form) => {
  const wbxml: Partial<RawDevice> = form === 'wbxml' ? { encode: (xml) => xmlToWbxml(xml) } : {};

  async function hget(gateway: Wired, host: string, values: Values, habit: Habit, refused?: string) {
    const { job } = await gateway.api<{ job: string }>('POST', `/api/devices/${ID}/commands`, {
      CMD: [['HGET', `http://${host}/box`, `${BOX}//`]],
    });
    const said = await talk(gateway, {
      id: ID,
      sessionId: String(sessions++),
      ...wbxml,
      answer: device(values, habit, refused),
    });
    const { Status = [] } = await gateway.api<{ Status?: { sc: number }[] }>('GET', `/api/jobs/${job}`);
    const [trace] = await gateway.traces(ID);
    const notes = trace!.trace.flatMap(({ rule, text = '' }) => (rule === 'IW-HGET-3' ? [text] : []));
    return { sc: Status.map(({ sc }) => sc), sent: changes(said), notes };
  }
  let sessions = 1;

  async function setUp() {
    const host = await documents();
    return { host, gateway: await known({ outbound: { allow: [host] } }), values: { ...START } as Values };
  }

  const whole: Habit = (values, children) => {
    const { failed, undo, rest, executed } = begun(values, children, './Box/B');
    if (!failed) return { atomic: 200, children: executed(200) };
    undo();
    return { atomic: 507, children: [...executed(216), ...rest] };
  };

  it('is rolled back by it: nothing more is sent, the failing code is told [IW-HGET-3]', async () => {
    const { gateway, host, values } = await setUp();
    const { sc, sent } = await hget(gateway, host, values, whole);
    expect([sc, sent]).toEqual([[405], [`Atomic(${ALL})`]]);
    expect(values).toEqual(START);
  });

  it.each<[string, Habit]>([
    [
      'is refused with 406 and 215 for its children',
      (_, children) => ({ atomic: 406, children: children.map(() => 215) }),
    ],
    ['is refused with 406 alone', () => ({ atomic: 406 })],
    [
      'is refused with 501, and so is each child',
      (_, children) => ({ atomic: 501, children: children.map(() => 501) }),
    ],
    ['is not answered at all, and nothing is done', () => ({})],
    [
      'is not answered at all, yet done',
      (values, children) => {
        begun(values, children);
        return {};
      },
    ],
  ])(
    '%s: the changes are made in a Sequence, and the next HGET does without [IW-HGET-3] [IW-INV-2]',
    async (_, habit) => {
      const { gateway, host, values } = await setUp();
      const { sc, sent, notes } = await hget(gateway, host, values, habit);
      expect(sc).toEqual([200]);
      expect(sent.slice(0, 2)).toEqual([`Atomic(${ALL})`, `Sequence(${ALL})`]);
      expect(values).toEqual(WANTED);
      expect(notes).toHaveLength(1);
      for (const name of Object.keys(values)) delete values[name];
      Object.assign(values, START);
      // Not even one whose changes fail is an Atomic again; what was done before is undone.
      const later = await hget(gateway, host, values, habit, './Box/C');
      expect([later.sc, later.sent]).toEqual([[405], [`Sequence(${ALL})`, 'Sequence(Replace Replace)']]);
      expect(values).toEqual(START);
    },
  );

  it.each<[string, Habit, string[]]>([
    [
      'answers its children alone and keeps what it did',
      (values, children) => {
        const { rest, executed } = begun(values, children, './Box/B');
        return { children: [...executed(200), ...rest] };
      },
      [`Atomic(${ALL})`, 'Replace'],
    ],
    [
      'goes on behind a failure and keeps what it did',
      (values, children) => ({ children: children.map((child) => execute(values, child, './Box/B')) }),
      [`Atomic(${ALL})`, 'Sequence(Delete Replace)'],
    ],
    [
      'cannot roll back (516)',
      (values, children) => {
        const { rest, executed } = begun(values, children, './Box/B');
        return { atomic: 507, children: [...executed(516), ...rest] };
      },
      [`Atomic(${ALL})`, 'Replace'],
    ],
    [
      'says 200 for what it had rolled back',
      (values, children) => {
        const { undo, rest, executed } = begun(values, children, './Box/B');
        undo();
        return { atomic: 507, children: [...executed(200), ...rest] };
      },
      [`Atomic(${ALL})`, 'Replace'],
    ],
  ])('on one that %s is put back by the gateway [IW-HGET-3]', async (_, habit, expected) => {
    const { gateway, host, values } = await setUp();
    const { sc, sent, notes } = await hget(gateway, host, values, habit, undefined);
    expect(sc).toEqual([405]);
    expect(sent).toEqual(expected);
    expect(values).toEqual(START);
    expect(notes.join('\n')).toContain('put back');
  });

  it('whose answer is too long for it (517) is made in a Sequence, and tried again another time [IW-HGET-3]', async () => {
    const { gateway, host, values } = await setUp();
    const tooLong: Habit = (_, children) => ({ atomic: 517, children: children.map(() => 216) });
    const { sc, sent } = await hget(gateway, host, values, tooLong);
    expect([sc, sent]).toEqual([[200], [`Atomic(${ALL})`, `Sequence(${ALL})`]]);
    expect(values).toEqual(WANTED);
    for (const name of Object.keys(values)) delete values[name];
    Object.assign(values, START);
    const later = await hget(gateway, host, values, whole);
    expect([later.sc, later.sent]).toEqual([[405], [`Atomic(${ALL})`]]);
  });

  it('is mended where a node is already there, or not there any more [IW-HGET-3]', async () => {
    const { gateway, host, values } = await setUp();
    let raced = false;
    const { sc, sent } = await hget(gateway, host, values, (now, children) => {
      // The user was faster.
      if (!raced) Object.assign(now, { './Box/C': 'by hand' });
      raced = true;
      const { failed, undo, rest, executed } = begun(now, children);
      if (!failed) return { atomic: 200, children: executed(200) };
      undo();
      return { atomic: 507, children: [...executed(216), ...rest] };
    });
    expect([sc, sent]).toEqual([[200], [`Atomic(${ALL})`, 'Atomic(Replace Replace Replace)']]);
    expect(values).toEqual(WANTED);
  });
});
