import { existsSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** An installed Chromium, or `undefined`. */
export function chromiumPath(): string | undefined {
  return PLACES.find((place) => existsSync(place));
}

/** Starts Chromium with a profile of its own that `close` removes; it calls nobody by itself. */
export async function openBrowser(): Promise<{
  readonly browser: BrowserContext;
  close(): Promise<void>;
}> {
  const executablePath = chromiumPath();
  if (executablePath === undefined) throw new Error('There is no Chromium to drive.');
  const folder = mkdtempSync(join(tmpdir(), 'dragoman-browser-'));
  const browser = await chromium.launchPersistentContext(folder, {
    executablePath,
    headless: true,
    // axe-core is put into pages that allow no script.
    bypassCSP: true,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  const close = async (): Promise<void> => {
    await browser.close();
    // Its last processes may still write while they end.
    await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 }).catch(
      () => undefined,
    );
  };
  return { browser, close };
}
