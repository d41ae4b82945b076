import type { DialectName } from '../../src/dm2/dialects/index.ts';
import { Dm2Client, LegacyDevice } from '../../src/simulator/index.ts';
import { closing } from '../crossing/gateway.ts';
import { OWN_ALERT, WRITTEN } from './backends.ts';
import type { Side, StepId } from './steps.ts';

const FUMO = 'urn:oma:mo:oma-fumo:1.0';
const SCOMO = 'urn:oma:mo:oma-scomo:1.0';
const COMPONENT = ['Inventory', 'Deployed', 'Component1'] as const;

/** A device of the matrix in one of its cells. */
export interface RowDevice {
  /** Its session, then those in which it reports what it executed; what the gateway did wrong, in words. */
  run(): Promise<readonly string[]>;
  /** What changed on it, and what its user saw. */
  seen(): Partial<Record<StepId, boolean>>;
}

export interface Row extends Side {
  readonly generation: 'dm1' | 'dm2';
  /** It has Generic Alerts; DM 1.1.2 does not. */
  readonly alerts: boolean;
  /** Where the headers do not tell. */
  readonly dialect?: DialectName;
  device(url: string, deviceId: string): RowDevice;
}

type Find = (path: readonly string[]) => { readonly value?: unknown } | undefined;

/** What the scenario changed in the objects at two roots. */
function changes(
  find: Find,
  fumo: readonly string[],
  scomo: readonly string[],
  asked: boolean,
): Partial<Record<StepId, boolean>> {
  return {
    writeTree: find([...fumo, 'DownloadAndUpdate', 'PkgURL'])?.value === WRITTEN.PkgURL,
    writeLeaf: find([...fumo, 'PkgName'])?.value === WRITTEN.PkgName,
    delete: find([...scomo, ...COMPONENT]) === undefined,
    ask: asked,
  };
}

interface Report {
  readonly outcome: string;
  readonly detail?: string;
  readonly violations: readonly string[];
}

function wrong(sessions: readonly Report[]): string[] {
  return sessions.flatMap(({ outcome, detail, violations }) =>
    outcome === 'completed' ? violations : [`${outcome}: ${detail}`, ...violations],
  );
}

export function legacyRow(version: '1.1' | '1.2' | '1.3', title: string): Row {
  return {
    id: `dm1-${version}`,
    title,
    generation: 'dm1',
    alerts: version !== '1.1',
    device: (url, deviceId) => {
      let asked = false;
      const device = closing(
        new LegacyDevice({
          url,
          deviceId,
          version,
          keepMessages: false,
          alerts: [{ type: OWN_ALERT, source: './SCOMO', format: 'chr', data: 'low' }],
          ui: () => {
            asked = true;
            return { status: 200 };
          },
        }),
      );
      return {
        run: async () => {
          const sessions = [await device.session(), await device.session()];
          return wrong(sessions);
        },
        seen: () => changes((path) => device.tree.find(path), ['FUMO', 'fw'], ['SCOMO'], asked),
      };
    },
  };
}

export function dm2Row(dialect: DialectName, title: string): Row {
  return {
    id: dialect,
    title,
    generation: 'dm2',
    alerts: true,
    dialect,
    device: (url, deviceId) => {
      let asked = false;
      const device = closing(
        new Dm2Client({
          url,
          deviceId,
          dialect,
          keepMessages: false,
          alerts: [
            {
              AlertType: OWN_ALERT,
              SourceURI: `${SCOMO}/SCOMO1/`,
              Mark: 'warning',
              DataType: 'chr',
              Data: { DM1x: 'low' },
            },
          ],
          show: async (page) => {
            asked = (await fetch(page)).ok;
            if (new URL(page).pathname.startsWith('/interact/')) {
              await fetch(page, { method: 'POST', body: new URLSearchParams({ do: 'ok' }) });
            }
          },
        }),
      );
      return {
        run: async () => {
          const sessions = [
            await device.session(),
            ...(await device.deliverReports()),
            await device.session(),
          ];
          return wrong(sessions);
        },
        seen: () =>
          changes((path) => device.objects.tree.find(path), [FUMO, 'fumo1'], [SCOMO, 'SCOMO1'], asked),
      };
    },
  };
}
