import { describe, expect, it } from 'vitest';
import { LegacyDevice, LegacyServer } from '../../src/simulator/index.ts';
import { closing, run } from './gateway.ts';
import { PHONES } from './phones.ts';

const ID = 'IMEI:493005100592800';
const FORMS = ['xml', 'wbxml'] as const;
const MOST = 4096;
/** Bytes that are no text, in a number that no base64 group and no message divides. */
const PHOTO = Uint8Array.from({ length: 12_011 }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
/** Characters of one to four bytes, and markup that XML has to escape. */
const TEXT = 'a<é&€😀'.repeat(700);
const SMALL = Array.from({ length: 90 }, (_, i) => ({ kind: 'Get', uris: [`./n${i}`] }) as const);

describe.each(PHONES)('a 1.x device $name', (kind) => {
  const auth = { type: 'basic', username: 'phone', password: 'secret' } as const;
  const known = kind.needs212 && { auth };

  it.each(FORMS)(
    'and its server in %s exchange large values and many commands, and no message is too large for either [IW-REL-1]',
    async (theirs) => {
      const dms = closing(
        new LegacyServer({
          ...known,
          encoding: theirs,
          maxMsgSize: MOST,
          script: [
            [
              { kind: 'Add', uri: './Settings/Photo', format: 'bin', type: 'image/png', data: PHOTO },
              { kind: 'Get', uris: ['./DevInfo/Man'] },
            ],
            [{ kind: 'Add', uri: './Settings/Text', data: TEXT }],
            [{ kind: 'Get', uris: ['./Settings/Photo'] }],
            [
              { kind: 'Get', uris: ['./Settings/Text'] },
              { kind: 'Get', uris: ['./Settings/Volume'] },
            ],
            SMALL,
          ],
        }),
      );
      const gateway = await run({
        backends: { legacy: { protocol: 'dm1', url: await dms.start(), encoding: theirs } },
        routes: [{ match: { protocol: 'dm1' }, backend: 'legacy' }],
      });
      // One that heeds no limit but its own has to stay below that of a server with longer addresses.
      const maxMsgSize = kind.device.preset === 'windows-like' ? MOST - 256 : MOST;
      const phone = closing(
        new LegacyDevice({ url: gateway.dm, deviceId: ID, ...kind.device, ...known, maxMsgSize }),
      );
      expect(await phone.session()).toMatchObject({ outcome: 'completed', violations: [] });
      const [session] = dms.sessions;
      expect(session).toMatchObject({ state: 'completed', violations: [] });
      const [photo, man, text, photoAgain, textAgain, volume, ...small] = session!.commands;
      const whole = kind.has('largeObjects');
      const codes = whole ? ['200', '200', '200', '200'] : ['413', '413', '404', '404'];
      expect([photo, text, photoAgain, textAgain].map((done) => done?.code)).toEqual(codes);
      expect([man, volume].map((done) => done?.code)).toEqual(['200', '200']);
      expect(small.map(({ code }) => code)).toEqual(SMALL.map(() => '404'));
      for (const peer of [phone, dms]) {
        const sizes = peer.messages.filter((m) => m.direction === 'received').map((m) => m.bytes.length);
        expect(Math.max(...sizes)).toBeLessThanOrEqual(MOST);
      }
      if (!whole) {
        // The server heard 413 and sent no more of either.
        expect(phone.tree.find(['Settings', 'Text'])).toBeUndefined();
        return;
      }
      expect(phone.tree.find(['Settings', 'Text'])?.value).toBe(TEXT);
      expect(Buffer.from(phone.tree.find(['Settings', 'Photo'])?.value as string, 'base64')).toEqual(
        Buffer.from(PHOTO),
      );
      expect(textAgain!.results.map(({ data }) => data)).toEqual([TEXT]);
      const [back] = photoAgain!.results.map(({ data }) => data);
      const bytes = typeof back === 'string' ? Buffer.from(back, 'base64') : Buffer.from(back!);
      expect(bytes).toEqual(Buffer.from(PHOTO));
    },
  );
});
