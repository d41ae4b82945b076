import { describe, expect, it } from 'vitest';
import { wired } from '../harness.ts';

const ID = 'IMEI:004401074861234';
const COMMANDS = [
  ['DELETE', 'urn:oma:mo:oma-mms:1.3/3/'],
  ['DELETE', 'urn:oma:mo:oma-mms:1.3/4/'],
];
const OPENING = `{"MO":[{"MOID":"oma:mo:oma-mms:1.3","Path":"/3"}],"TNDS20":[{"MOID":"oma:mo:oma-dm-devinfo:1.0","Path":"/","DevID":"${ID}","Man":"Early"}]}`;
const DELETE = (n: number) => `DELETE oma:mo:oma-mms:1.3/${n}\r\n`;

/** A first-draft or later text client in a session that waits for its report on one DELETE; another follows. */
async function waiting(header: 'x-omadmdeviceid' | 'x-omadmdevid', dialect?: string) {
  const gateway = await wired({
    dialects: dialect === undefined ? [] : [{ deviceId: '*', dialect }],
  });
  await gateway.api('POST', '/api/devices', { id: ID, username: 'u', password: 'password' });
  for (const command of COMMANDS) {
    await gateway.api('POST', `/api/devices/${encodeURIComponent(ID)}/commands`, { CMD: [command] });
  }
  const post = (body: string, type = 'application/dm20status') =>
    gateway.post(body, { 'content-type': type, [header]: ID });
  const opened = await post(OPENING, 'application/tnds20');
  return { gateway, post, opened };
}

describe('a report of a first-draft client', () => {
  it.each([
    ['bears a number to come', 'MsgID 1\r\n200 \r\n'],
    ['bears no number', '200 \r\n'],
    ['has its number in the second line', '200 \r\nMsgID 0\r\n'],
    ['has two numbers', 'MsgID 0\r\nMsgID 0\r\n200 \r\n'],
    ['has no number behind MsgID', 'MsgID\r\n200 \r\n'],
    ['has a number that is none', 'MsgID -1\r\n200 \r\n'],
    ['has words for a code', 'MsgID 0\r\nOK\r\n'],
    ['has a code of two digits', 'MsgID 0\r\n20 \r\n'],
    ['has a control character', 'MsgID 0\r\n200 \u0007\r\n'],
    ['has a CR alone', 'MsgID 0\r200 \r'],
    ['has a parameter too long', `MsgID 0\r\n200 ${'x'.repeat(9000)}\r\n`],
  ])('that %s is refused, and the session goes on with a good one [IW-SES-1]', async (_, body) => {
    const { post, opened } = await waiting('x-omadmdeviceid');
    expect(opened.text).toBe(`MsgID 0\r\n${DELETE(3)}`);
    const refused = await post(body);
    expect([400, 413]).toContain(refused.status);
    expect(refused.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(refused.text.length).toBeGreaterThan(20);
    const next = await post('MsgID 0\r\n200 \r\n');
    expect([next.status, next.text]).toEqual([200, `MsgID 1\r\n${DELETE(4)}`]);
  });

  it('is told from the next one by its number, so that a repeat does nothing twice [IW-SES-4]', async () => {
    const { post } = await waiting('x-omadmdeviceid');
    const first = await post('MsgID 0\r\n200 \r\n');
    const again = await post('MsgID 0\r\n200 \r\n');
    expect(again.text).toBe(first.text);
    // Another report under a number that was had is neither.
    const other = await post('MsgID 0\r\n404 \r\n');
    expect([other.status, other.text]).toEqual([400, expect.stringContaining('MsgID 0')]);
    expect((await post('MsgID 1\r\n200 \r\n')).text).toBe('MsgID 2\r\nEND\r\n');
  });

  it.each([
    ['bare line feeds', 'MsgID 0\n200\n', 'bare LF'],
    ['a line "Content length"', 'Content length: 15\r\nMsgID 0\r\n200 \r\n', 'Content length'],
  ])('with %s is taken, and the trace says so [IW-SES-1]', async (_, body, remark) => {
    const { gateway, post } = await waiting('x-omadmdeviceid');
    expect((await post(body)).text).toBe(`MsgID 1\r\n${DELETE(4)}`);
    const [trace] = await gateway.traces(ID);
    const entry = trace!.trace.find(({ kind }) => kind === 'device');
    expect(entry).toMatchObject({ rule: 'IW-SES-1', text: expect.stringContaining(remark), body });
  });

  it('with too few statuses is not trusted [IW-SES-12]', async () => {
    const { post } = await waiting('x-omadmdeviceid');
    expect((await post('MsgID 0\r\n')).text).toBe(`MsgID 1\r\n${DELETE(4)}`);
  });
});

const multipart = (boundary: string, ...parts: string[]) =>
  `${parts.map((part) => `--${boundary}\r\n${part}\r\n`).join('')}--${boundary}--\r\n`;
const STATUS_PART = 'content-type: application/dm20status\r\n\r\n200\r\n';

describe('a multipart report', () => {
  it.each([
    ['has another boundary', 'multipart/mixed; boundary=a', multipart('b', STATUS_PART)],
    ['has no boundary', 'multipart/mixed', multipart('a', STATUS_PART)],
    ['is never closed', 'multipart/mixed; boundary=a', `--a\r\n${STATUS_PART}`],
    ['has no statuses', 'multipart/mixed; boundary=a', multipart('a', 'content-type: text/plain\r\n\r\nx')],
    [
      'has data for no status',
      'multipart/mixed; boundary=a',
      multipart(
        'a',
        STATUS_PART,
        'content-type: application/tnds20\r\ncontent-id: <status-9>\r\n\r\n{"TNDS20":[]}',
      ),
    ],
    [
      'has data for a command that asked for none',
      'multipart/mixed; boundary=a',
      multipart('a', STATUS_PART, 'content-type: application/tnds20\r\n\r\n{"TNDS20":[]}'),
    ],
  ])('that %s is refused, and the session goes on with a good one [IW-SES-1]', async (_, type, body) => {
    const { gateway, post, opened } = await waiting('x-omadmdevid');
    expect(opened.text).toBe(DELETE(3));
    expect((await post(body, type)).status).toBe(400);
    const next = await post(multipart('a', STATUS_PART), 'multipart/mixed; boundary="a"');
    expect([next.status, next.text]).toEqual([200, `${DELETE(4)}CONT ${gateway.dm}?answers=2\r\n`]);
  });
});

describe('a JSON report', () => {
  const TYPE = 'application/vnd.oma.dm.response+json';

  async function json() {
    const gateway = await wired();
    await gateway.api('POST', '/api/devices', { id: ID, username: 'u', password: 'password' });
    await gateway.api('POST', `/api/devices/${encodeURIComponent(ID)}/commands`, { CMD: [COMMANDS[0]] });
    const post = (body: string, type = TYPE) =>
      gateway.post(body, { 'content-type': type, 'omadm-devid': ID });
    await post('{"MOS":null,"Alert":null}', 'application/vnd.oma.dm.initiation+json');
    return post;
  }

  it.each([
    ['has a member twice', '{"Status":[{"sc":200}],"Status":[]}'],
    ['has a member of an item twice', '{"Status":[{"sc":200,"sc":404}]}'],
    ['is cut', '{"Status":[{"sc":200}'],
    ['is followed by more', '{"Status":[{"sc":200}]}{}'],
  ])('that %s is refused, and the session goes on with a good one', async (_, body) => {
    const post = await json();
    expect((await post(body)).status).toBe(400);
    expect((await post('{"Status":[{"sc":200,"URI":null}],"Alert":null}')).text).toBe('{"CMD":[["END"]]}');
  });
});

describe('an early client that changes its mind', () => {
  it('about its identity belongs to no session [IW-SES-2]', async () => {
    const { gateway, post } = await waiting('x-omadmdeviceid');
    const other = await gateway.post('MsgID 0\r\n200 \r\n', {
      'content-type': 'application/dm20status',
      'x-omadmdeviceid': 'IMEI:1',
    });
    expect(other.text).toBe('MsgID 1\r\nEND\r\n');
    expect((await post('MsgID 0\r\n200 \r\n')).text).toBe(`MsgID 1\r\n${DELETE(4)}`);
  });

  it('about the header of its identity speaks another dialect [IW-SES-1]', async () => {
    const { gateway, post } = await waiting('x-omadmdeviceid');
    const headers = { 'content-type': 'application/dm20status', 'x-omadmdevid': ID };
    const mixed = await gateway.post('200\r\n', headers);
    expect([mixed.status, mixed.text]).toEqual([415, expect.stringContaining('draft-text-1')]);
    expect((await post('MsgID 0\r\n200 \r\n')).text).toBe(`MsgID 1\r\n${DELETE(4)}`);
  });
});
