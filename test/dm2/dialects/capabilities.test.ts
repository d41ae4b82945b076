import { describe, expect, it } from 'vitest';
import {
  DIALECT_NAMES,
  DIALECTS,
  everythingAsked,
  showReturn,
  URL_PARAMETERS,
  urlParameterValues,
  withShowReturn,
} from '../../../src/dm2/dialects/index.ts';
import { expandServerUri } from '../../../src/dm2/serverUri.ts';
import { bytes, refusal, text } from './seeds.ts';

describe.each(DIALECT_NAMES)('the capabilities of %s', (name) => {
  const dialect = DIALECTS[name];
  const { capabilities } = dialect;

  it('go with the name it is found by', () => {
    expect(dialect.name).toBe(name);
  });

  it('say whether commands are numbered', () => {
    const write = () => dialect.writeCommands({ commands: [{ verb: 'END' }] });
    if (capabilities.commandsCarryMsgId) expect(refusal(write).code).toBe('internal');
    else expect(dialect.readCommands({ headers: {}, body: write().body })).not.toHaveProperty('msgId');
  });

  it('say how a session ends', () => {
    const { body } = dialect.writeCommands({ msgId: 0, commands: [] });
    expect(/END/.test(text(body))).toBe(!capabilities.endsByEmptyDocument);
    expect(dialect.readCommands({ headers: {}, body })).toMatchObject({ ends: true, tolerated: [] });
    // END is understood by all and written when asked for (20§1.2 C3).
    const end = dialect.writeCommands({ msgId: 0, commands: [{ verb: 'END' }] });
    expect(text(end.body)).toContain('END');
  });

  it('say where data stands', () => {
    const MO = [{ ClientURI: 'urn:oma:mo:oma-a:1.0/1/', MOData: { a: { N: '1' } } }];
    const { body, headers, lost } = dialect.writeStatus(
      { package3: { Status: [{ sc: 200, MO }] } },
      'IMEI:1',
    );
    const places = {
      none: lost.length > 0 && !text(body).includes('"N"'),
      member: text(body).startsWith('{"Status":[{"sc":200,"MO":['),
      multipart: headers['content-type']?.startsWith('multipart/') === true,
      json: text(body).startsWith('200 {'),
    };
    expect(Object.entries(places).filter(([, is]) => is)).toEqual([[capabilities.dataInStatus, true]]);
  });

  it('say whether SHOW needs a way back', () => {
    const bare = { verb: 'SHOW', serverUri: 'https://ui.example/p' } as const;
    expect(dialect.refuses(bare) !== undefined).toBe(capabilities.showNeedsReturnUrl);
    const serverUri = withShowReturn(bare.serverUri, { kind: 'close', url: 'https://ui.example/done' });
    expect(dialect.refuses({ ...bare, serverUri })).toBeUndefined();
  });

  it('say whether a reading verb may name nothing', () => {
    const form = { none: undefined, star: ' *', 'no-uri': '' }[capabilities.everything];
    if (form === undefined) return expect(dialect.commandOptions.everything ?? false).toBe(false);
    const verb = name === 'draft-text-3' ? 'HPUT' : 'PUT';
    const { commands } = dialect.readCommands({ headers: {}, body: bytes(`${verb} http://a${form}`) });
    expect(commands.map((command) => 'verb' in command && everythingAsked(command))[0]).toMatch(
      /objects|instances/,
    );
  });

  it('name the reading verb of the wire', () => {
    const { readVerb, verbs } = capabilities;
    expect(readVerb !== undefined).toBe(verbs.has('GET'));
    if (readVerb === undefined) return;
    const { body } = dialect.writeCommands({
      commands: [{ verb: 'GET', clientUris: ['urn:oma:mo:a:1.0/1/'] }],
    });
    expect(text(body)).toContain(readVerb);
  });
});

describe('the way back from a SHOW', () => {
  it.each([
    ['https://ui.example/p?Close=https%3A%2F%2Fui.example%2Fdone', 'close', 'https://ui.example/done'],
    ['https://ui.example/p?a=1&Continue=https://ui.example/done#top', 'continue', 'https://ui.example/done'],
    ['https://ui.example/p?close=%zz', 'close', '%zz'],
  ])('stands in the query of %s [IW-UI-3]', (uri, kind, url) => {
    expect(showReturn(uri)).toEqual({ kind, url });
    expect(withShowReturn(uri, { kind: 'close', url: 'x' })).toBe(uri);
  });

  it.each([
    'https://ui.example/',
    'https://ui.example/?Close=',
    'https://ui.example/?Disclose=x',
    'https://ui.example/Close=x',
  ])('does not stand in %s', (uri) => {
    expect(showReturn(uri)).toBeUndefined();
    const added = withShowReturn(`${uri}#f`, { kind: 'continue', url: 'https://a/?b=c&d' });
    expect(added.endsWith('#f')).toBe(true);
    if (!uri.includes('Close='))
      expect(showReturn(added)).toEqual({ kind: 'continue', url: 'https://a/?b=c&d' });
  });
});

describe('the placeholders of a ServerURI', () => {
  const all = URL_PARAMETERS.map((token) => `[${token}]`).join('/');
  const devInfo = { Man: 'A & B', Mod: 'X1i', MCC: '262', MNC: '01', CMCC: '310', CMNC: '410' };
  const ID = 'IMEI:493005100592800';

  it('all have values where device, SIM and network are known [IW-HPUT-1]', () => {
    expect(expandServerUri(`http://dr.example/${all}`, urlParameterValues(ID, devInfo))).toEqual({
      url: 'http://dr.example/01/262/410/310/A%20%26%20B/X1i/493005100592800',
    });
  });

  it('have none where something is unavailable, and the command fails by it [IW-HPUT-1]', () => {
    const { CMNC: _, ...wlan } = devInfo;
    expect(expandServerUri('http://a/[CMNC]', urlParameterValues(ID, wlan))).toEqual({ error: 'CMNC' });
    expect(urlParameterValues('UUID:1', {})).toMatchObject({
      IMEI: undefined,
      MAN: undefined,
      DevID: 'UUID:1',
    });
    expect(urlParameterValues('01234567890123', {})['IMEI']).toBe('01234567890123');
  });
});
