import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Interactions } from '../../src/gateway/interaction/interactions.ts';
import { interactionPages } from '../../src/http/interactionApp.ts';
import { readUiAlert, type UiAlert } from '../../src/interworking/interaction/alert.ts';
import type { UserAnswer } from '../../src/interworking/interaction/answers.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { chromiumPath, openBrowser } from './browser.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Set to a folder to have pictures of every page put there. */
const PICTURES = process.env['DRAGOMAN_PICTURES'];
const PLACE = { deviceId: 'D', sessionId: 's' };

function alertOf(code: string, ...data: string[]): UiAlert {
  const reading = readUiAlert({ code, items: data.map((each) => ({ data: each })) });
  if (!reading.ok) throw new Error(reading.detail);
  return reading.alert;
}

interface Case {
  readonly name: string;
  readonly lang: string;
  readonly alert: UiAlert;
  readonly use: (page: Page) => Promise<unknown>;
  readonly answer: UserAnswer;
}

const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();
const SCRIPT = '<script>document.title="run"</script>';

const CASES: readonly Case[] = [
  {
    name: 'display',
    lang: 'en',
    alert: alertOf(
      '1100',
      'MAXDT=600',
      `The update is done.\nYour phone will restart tonight between 2 and 3 a.m. Nothing of yours is lost.`,
    ),
    use: (page) => press(page, 'OK'),
    answer: { kind: 'accepted' },
  },
  {
    name: 'confirm',
    lang: 'de',
    alert: alertOf(
      '1101',
      'DR=1',
      'Firmware 2.1 jetzt installieren? Das dauert etwa zehn Minuten, das Telefon startet dabei neu.',
    ),
    use: (page) => press(page, 'Nein'),
    answer: { kind: 'rejected' },
  },
  {
    name: 'confirm-no',
    lang: 'fr',
    alert: alertOf('1101', 'DR=0', 'Effacer toutes les données ?'),
    use: (page) => press(page, 'Oui'),
    answer: { kind: 'accepted' },
  },
  {
    name: 'text',
    lang: 'es',
    alert: alertOf('1102', 'MAXLEN=20&DR=Ana&MAXDT=120', '¿Cómo se llama?'),
    use: async (page) => {
      await page.getByLabel('¿Cómo se llama?').fill('Ana María');
      await page.keyboard.press('Enter');
    },
    answer: { kind: 'entered', text: 'Ana María' },
  },
  {
    name: 'long-text',
    lang: 'en',
    alert: alertOf('1102', 'MAXLEN=500', 'What should we know?'),
    use: async (page) => {
      await page.getByLabel('What should we know?').fill('one\ntwo');
      await press(page, 'Send');
    },
    answer: { kind: 'entered', text: 'one\ntwo' },
  },
  {
    name: 'password',
    lang: 'en',
    alert: alertOf('1102', 'IT=N&ET=P&MAXLEN=4', 'New PIN'),
    use: async (page) => {
      expect(await page.getByLabel('New PIN').getAttribute('type')).toBe('password');
      await page.getByLabel('New PIN').fill('0815');
      await press(page, 'Send');
    },
    answer: { kind: 'entered', text: '0815' },
  },
  {
    name: 'date',
    lang: 'en',
    alert: alertOf('1102', 'IT=D&DR=21112026', 'From which day?'),
    use: async (page) => {
      expect(await page.getByLabel('From which day?').inputValue()).toBe('2026-11-21');
      await page.getByLabel('From which day?').fill('2026-12-24');
      await press(page, 'Send');
    },
    answer: { kind: 'entered', text: '24122026' },
  },
  {
    name: 'time',
    lang: 'de',
    alert: alertOf('1102', 'IT=T&DR=073000', 'Um wie viel Uhr?'),
    use: (page) => press(page, 'Senden'),
    answer: { kind: 'entered', text: '073000' },
  },
  {
    name: 'phone',
    lang: 'en',
    alert: alertOf('1102', 'IT=P', 'Help line'),
    use: async (page) => {
      await page.getByLabel('Help line').fill('+49 30 1234');
      await press(page, 'Send');
    },
    answer: { kind: 'entered', text: '+49301234' },
  },
  {
    name: 'address',
    lang: 'en',
    alert: alertOf('1102', 'IT=I&DR=192.0.2.1', 'Proxy'),
    use: (page) => press(page, 'Send'),
    answer: { kind: 'entered', text: '192.0.2.1' },
  },
  {
    name: 'single',
    lang: 'zh',
    alert: alertOf('1103', 'DR=2&MAXDT=300', '请选择套餐', '小 1 GB', '中 5 GB', '大 20 GB'),
    use: async (page) => {
      await page.getByRole('radio', { name: '中 5 GB' }).focus();
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
    },
    answer: { kind: 'chosen', numbers: [3] },
  },
  {
    name: 'multiple',
    lang: 'en',
    alert: alertOf('1104', 'DR=1-3', 'What may we use?', 'Location', `Usage data ${SCRIPT}`, 'Crash reports'),
    use: async (page) => {
      await page.getByText('Usage data').click();
      await page.getByLabel('Location').uncheck();
      await press(page, 'Send');
    },
    answer: { kind: 'chosen', numbers: [2, 3] },
  },
  {
    name: 'hostile',
    lang: 'en',
    alert: alertOf(
      '1101',
      '',
      `"><img src=x onerror=alert(1)>${SCRIPT}</p></main>\u202egnp.exe ${'W'.repeat(300)}`,
    ),
    use: (page) => press(page, 'Cancel'),
    answer: { kind: 'cancelled' },
  },
];

describe.runIf(chromiumPath() !== undefined)('a page for a user, in Chromium', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dragoman-pages-'));
  let browser: BrowserContext;
  let closeBrowser: () => Promise<void>;
  let store: Store;
  let interactions: Interactions;
  let server: Server;

  beforeAll(async () => {
    store = await openStore(`sqlite:${join(folder, 'pages.db')}`);
    server = createServer((request, response) => {
      interactionPages({ interactions, failed: () => undefined }, (_, rest) => rest.writeHead(404).end())(
        request,
        response,
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    interactions = new Interactions(store, {
      publicUrl: `http://127.0.0.1:${port}`,
      interactionSeconds: 600,
    });
    ({ browser, close: closeBrowser } = await openBrowser());
    if (PICTURES !== undefined) mkdirSync(PICTURES, { recursive: true });
  }, 60_000);

  afterAll(async () => {
    await closeBrowser();
    interactions.close();
    server.closeAllConnections();
    server.close();
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** No violation of any axe rule, nothing wider than the window. */
  async function inspect(page: Page, name: string): Promise<void> {
    await page.evaluate(AXE);
    const found: string[] = await page.evaluate(
      'axe.run().then(({ violations }) => violations.map((v) => v.id + ": " + v.nodes.map((n) => n.html).join(" | ")))',
    );
    expect(found, name).toEqual([]);
    const over: boolean = await page.evaluate('document.documentElement.scrollWidth > window.innerWidth');
    expect(over, `${name} is too wide`).toBe(false);
    if (PICTURES !== undefined)
      await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
  }

  describe.each([
    [1280, 'light'],
    [390, 'dark'],
  ] as const)('%i pixels wide, %s', (width, colorScheme) => {
    it.each(CASES)(
      '$name is answered, and found usable by axe [IW-UI-1]',
      async ({ name, lang, alert, use, answer }) => {
        const { url } = await interactions.open(PLACE, { alert, lang });
        const page = await browser.newPage();
        // The pages behind the answer are the same for all; two of them stand for the rest.
        const typical = name === 'display' || name === 'hostile';
        const failures: string[] = [];
        page.on('pageerror', (error) => failures.push(error.message));
        page.on('dialog', (dialog) => failures.push(dialog.message()));
        try {
          await page.setViewportSize({ width, height: width > 400 ? 800 : 844 });
          await page.emulateMedia({ colorScheme });
          const waited = interactions.wait(PLACE, url);
          await page.goto(url);
          expect(await page.getAttribute('html', 'lang')).toBe(lang);
          await inspect(page, `${name}-${width}`);
          await use(page);
          await page.getByRole('status').waitFor();
          if (typical) await inspect(page, `${name}-${width}-done`);
          expect((await waited).answer).toEqual(answer);
          const again = await page.goto(url);
          expect(again?.status()).toBe(410);
          if (typical) await inspect(page, `${name}-${width}-used`);
          expect(await page.title()).not.toBe('run');
          expect(failures).toEqual([]);
        } finally {
          await page.close();
        }
      },
      30_000,
    );

    it('an answer that is none comes back with what is wrong [IW-UI-1]', async () => {
      const page = await browser.newPage();
      try {
        await page.setViewportSize({ width, height: 844 });
        await page.emulateMedia({ colorScheme });
        const { url } = await interactions.open(PLACE, {
          alert: alertOf('1102', 'IT=I', 'Proxy'),
          lang: 'en',
        });
        await page.goto(url);
        await page.getByLabel('Proxy').fill('300.1.1.1');
        await press(page, 'Send');
        await page.getByRole('alert').waitFor();
        expect(await page.getByLabel('Proxy').inputValue()).toBe('300.1.1.1');
        await inspect(page, `problem-${width}`);
        const missing = await page.goto(url.replace(/.{43}$/, 'x'.repeat(43)));
        expect(missing?.status()).toBe(404);
        await inspect(page, `unknown-${width}`);
      } finally {
        await page.close();
      }
    }, 30_000);
  });
});
