import { describe, expect, it } from 'vitest';
import { xmlToWbxml } from '../../src/dm1/codec.ts';
import { STATUS_CODES } from '../../src/dm1/tables/status.ts';
import { BOX, play } from './box.ts';
import { beforeServer, codes, converse, legacyServer, SETTINGS } from './legacyServer.ts';
import { addressOf, headerOk, kindOf, status } from './quirks.ts';

/** Every Status there is, told by raw peers in both encodings, as the other side is told it. */

/** What a 2.0 backend is told of the Status of a legacy device (IW-STAT-1). */
const TO_SC: Readonly<Record<number, number>> = {
  202: 202,
  204: 204,
  214: 403,
  215: 403,
  216: 500,
  304: 304,
  407: 401,
  406: 501,
  412: 400,
  418: 500,
  420: 500,
  424: 500,
  425: 403,
};
const scOf = (code: number): number => {
  const row = TO_SC[code];
  if (row !== undefined) return row;
  if (code < 200) return 202;
  if (code < 300) return 200;
  return code >= 400 && code < 500 ? code : 500;
};

/** What a legacy server is told of the `sc` of a 2.0 client (IW-STAT-2). */
const TO_CODE: Readonly<Record<number, number>> = {
  202: 202,
  304: 200,
  401: 425,
  403: 425,
  406: 415,
  501: 406,
};
/** Those that tell of a data synchronisation, and nothing of a command. */
const SYNC = new Set([419, 421, 422, 423, 427, 428]);
const codeOf = (sc: number): number => {
  const row = TO_CODE[sc];
  if (row !== undefined) return row;
  if (sc < 300) return 200;
  return sc >= 400 && sc < 500 && STATUS_CODES.has(sc) && !SYNC.has(sc) ? sc : 500;
};

describe.each(['xml', 'wbxml'] as const)('in %s', (form) => {
  it('every Status of a legacy device reaches the backend as its sc [IW-STAT-1]', async () => {
    // 401 and 407 ask for credentials first, which none are on file for.
    const all = [...STATUS_CODES.keys(), 599, 217, 499].filter((code) => code !== 401 && code !== 407);
    let grouped = false;
    const { sc } = await play(
      all.map((code) => ['EXEC', `${BOX}//Run${code}`]),
      {
        ...(form === 'wbxml' && { encode: (xml: string) => xmlToWbxml(xml) }),
        most: 200,
        answer: (said) => {
          const { msgId } = said.message.header;
          // Without Sequence each goes by itself, so that none is sent again for another's sake.
          const group = said.commands.some(({ kind }) => kind === 'Sequence');
          grouped ||= group;
          const told = said.commands.map((command, i) => {
            const code = group ? 406 : Number(/Run(\d+)$/.exec(addressOf(command))?.[1] ?? 404);
            return status(i + 2, msgId, command.cmdId, kindOf(command), code);
          });
          return `${headerOk(said)}${told.join('')}<Final/>`;
        },
      },
    );
    expect(grouped).toBe(true);
    expect(all.map((code, i) => [code, sc[i]])).toEqual(all.map((code) => [code, scOf(code)]));
  });

  it('every sc of a 2.0 client reaches a legacy server as a Status of its own [IW-STAT-2]', async () => {
    const all = [
      200,
      202,
      204,
      304,
      ...Array.from({ length: 52 }, (_, i) => 400 + i),
      500,
      501,
      502,
      503,
      504,
      505,
      599,
    ];
    const server = await legacyServer(form, (n) =>
      n > 0
        ? undefined
        : {
            body: all
              .map(
                (sc, i) =>
                  `<Exec><CmdID>${i + 2}</CmdID><Item><Target><LocURI>${SETTINGS}/sc${sc}</LocURI></Target></Item></Exec>`,
              )
              .join(''),
          },
    );
    const gateway = await beforeServer(server.url, form);
    await converse(gateway, {
      values: {},
      refuse: ([verb, uri = '']) => (verb === 'EXEC' ? Number(/sc(\d+)$/.exec(uri)?.[1]) : undefined),
    });
    const given = codes(server.told).filter((each) => each.startsWith('Exec'));
    expect(all.map((sc, i) => `${sc}: ${given[i]}`)).toEqual(all.map((sc) => `${sc}: Exec ${codeOf(sc)}`));
  });
});
